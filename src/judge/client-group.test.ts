import { expect, it } from 'vitest'
import { clientGroup } from './client-group.ts'

it('cuts an address to the netmask', () => {
  expect(clientGroup('10.1.2.3', undefined)).toBe('10.1.2.3')
  expect(clientGroup('10.1.2.3', 32)).toBe('10.1.2.3')
  expect(clientGroup('10.1.2.3', 24)).toBe('10.1.2.0')
  expect(clientGroup('10.1.255.3', 20)).toBe('10.1.240.0')
  expect(clientGroup('10.1.2.3', 0)).toBe('0.0.0.0')
})

it('knows the two ways to write an IPv6 address', () => {
  expect(clientGroup('2001:db8::1', 64)).toBe(clientGroup('2001:db8:0:0:ffff::2', 64))
  expect(clientGroup('2001:db8:0:1::1', 64)).not.toBe(clientGroup('2001:db8::1', 64))
  expect(clientGroup('2001:db8::1', 128)).not.toBe(clientGroup('2001:db8::2', 128))
  expect(clientGroup('fd00:a:b:c:d:e:f:1', 120)).toBe(clientGroup('fd00:a:b:c:d:e:f:ff', 120))
  expect(clientGroup('::1', 128)).toBe('0.0.0.0.0.0.0.1')
  expect(clientGroup('ff:1::', 16)).toBe('255.0.0.0.0.0.0.0')
})

it('reads :: at either end as zeros', () => {
  expect(clientGroup('::', 128)).toBe('0.0.0.0.0.0.0.0')
  expect(clientGroup('1:2:3:4:5:6:7:8', 128)).toBe('1.2.3.4.5.6.7.8')
  expect(clientGroup('1::8', 112)).toBe('1.0.0.0.0.0.0.0')
})
