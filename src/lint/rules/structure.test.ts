import { expect, it } from 'vitest'
import { findingsIn, instance, placesOf, SECURE } from '../testing.ts'

it('finds a quote of a command that is not closed, wherever it begins', () => {
  const places = (line: string) => placesOf(findingsIn({ 'a.conf': SECURE + instance(`  ${line}`) }))
  expect(places(`notify_master "/usr/bin/a b" "root`)).toEqual(['a.conf:12:32 quote-open'])
  expect(places(`notify_master "/usr/bin/a b`)).toEqual(['a.conf:12:17 quote-open'])
  expect(places(`notify_master /usr/bin/a don't # it's`)).toEqual([
    'a.conf:12:28 script-words',
    'a.conf:12:31 quote-open',
  ])
  expect(places(`notify_master "/usr/bin/a don't" # it's`)).toEqual(['a.conf:12:17 quote-open'])
  expect(places(String.raw`notify_master "/usr/bin/a don\'t" # it's`)).toEqual([])
  expect(places(`notify_master '/usr/bin/a "b"' # "`)).toEqual([])
})

it('finds quotes of a command that are odd in number, those behind a backslash among them', () => {
  const places = (line: string) => placesOf(findingsIn({ 'a.conf': SECURE + instance(`  ${line}`) }))
  expect(places(String.raw`notify_master "/usr/bin/a b\"c" # it's "`)).toEqual(['a.conf:12:30 quote-open'])
  expect(places(String.raw`notify_master "/usr/bin/a 'b\"c'"`)).toEqual(['a.conf:12:31 quote-open'])
  expect(places(String.raw`notify_master /usr/bin/a\"b`)).toEqual(['a.conf:12:27 quote-open'])
  expect(places(String.raw`notify_master "/usr/bin/a b\"c\"d" # it's "`)).toEqual([])
  expect(places(String.raw`notify_master "/usr/bin/a b\x22c" # it's "`)).toEqual([])
})

it('finds the lines of hosts that are no director, of several directors each', () => {
  const text = instance('  @lb1 nopreempt\n  @lb1 debug 1\n  @^lb1 debug 2\n  @lb2 nopreempt')
  const found = (...hosts: string[]) =>
    findingsIn(Object.fromEntries(hosts.map(host => [`${host}/keepalived.conf`, text]))).filter(
      one => one.code === 'condition-unmatched',
    )
  expect(found('lb1').length).toBe(0)
  expect(found('lb1', 'lb2').length).toBe(0)
  expect(found('lb9').map(one => one.message)).toEqual(['no director given (lb9) reads the lines of @lb1, @lb2'])
  expect(placesOf(found('lb1', 'lb9'))).toEqual([
    'lb1/keepalived.conf:11:3 condition-unmatched',
    'lb9/keepalived.conf:11:3 condition-unmatched',
  ])
})

it.each(['d1/ipvsadm.rules', 'd1/ldirectord.cf'])('finds that nothing is in %s', file => {
  for (const text of ['', '\n']) expect(placesOf(findingsIn({ [file]: text }))).toEqual([`${file}:1:1 config-empty`])
})
