import { expect, it } from 'vitest'
import { findingsIn } from '../testing.ts'

it.each([
  ['192.168.020.1', true],
  ['10.1', true],
  ['192.168.0.1.2', false],
  ['192.168.08.1', false],
  ['192.256.1.1', false],
])('takes %s for a mail server as the C library does', (server, isAddress) => {
  const text = `global_defs {\n  smtp_server ${server}\n}\n`
  expect(findingsIn({ 'a.conf': text }).map(one => one.code)).toEqual(isAddress ? [] : ['smtp-server-invalid'])
})
