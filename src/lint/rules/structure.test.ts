import { expect, it } from 'vitest'
import { findingsIn, instance, placesOf, SECURE } from '../testing.ts'

it('finds a quote of a command that is not closed, wherever it begins', () => {
  const places = (line: string) => placesOf(findingsIn({ 'a.conf': SECURE + instance(`  ${line}`) }))
  expect(places(`notify_master "/usr/bin/a b" "root`)).toEqual(['a.conf:12:32 quote-open'])
  expect(places(`notify_master "/usr/bin/a b`)).toEqual(['a.conf:12:17 quote-open'])
  expect(places(`notify_master /usr/bin/a don't # it's`)).toEqual(['a.conf:12:31 quote-open'])
  expect(places(`notify_master "/usr/bin/a don't" # it's`)).toEqual([])
  expect(places(`notify_master '/usr/bin/a "b"' # "`)).toEqual([])
})

it.each(['d1/ipvsadm.rules', 'd1/ldirectord.cf'])('finds that nothing is in %s', file => {
  for (const text of ['', '\n']) expect(placesOf(findingsIn({ [file]: text }))).toEqual([`${file}:1:1 config-empty`])
})
