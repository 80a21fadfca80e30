import { expect, it } from 'vitest'
import { findingsIn, instance, placesOf, service } from '../testing.ts'

it.each([
  ['192.168.020.1', true],
  ['10.1', true],
  ['192.168.0.1.2', false],
  ['192.168.08.1', false],
  ['192.256.1.1', false],
  ['fe80::1%eth0', true],
  ['mail.example.com', true],
  ['fd00::1 25', true],
  ['mail.example.com:25', false],
  ['[fd00::1]:25', false],
  ['127.0.0.1 99999', false],
  ['127.0.0.1 smtp', false],
])('takes %s for a mail server as the C library does', (server, isAddress) => {
  const text = `global_defs {\n  smtp_server ${server}\n}\n`
  expect(findingsIn({ 'a.conf': text }).map(one => one.code)).toEqual(isAddress ? [] : ['smtp-server-invalid'])
})

it.each([
  ['the address of a VIP', instance('', { vip: 'fe80::100%eth0' }), '6:5'],
  ['a peer', instance('  unicast_peer {\n    fe80::1%eth0\n  }', { vip: 'fd00::100' }), '9:5'],
  ['mcast_src_ip', instance('  mcast_src_ip fe80::1%eth0', { vip: 'fd00::100' }), '8:3'],
  ['a service', service('', undefined, 'fe80::100%eth0 80'), '1:1'],
  ['a real server', service().replace('10.0.0.11', 'fe80::11%eth0'), '6:3'],
  ['connect_ip', service('', 'TCP_CHECK {\n      connect_ip fe80::11%eth0\n    }'), '9:7'],
])('takes no zone in %s', (_, text, place) => {
  expect(placesOf(findingsIn({ 'a.conf': text }), 'address-invalid')).toEqual([`a.conf:${place} address-invalid`])
})
