import fc from 'fast-check'
import { expect, it } from 'vitest'
import { formatIpv6, parseIpv6 } from './ipv6.ts'

it('reads an address in any form, and writes it as everybody does', () => {
  expect(parseIpv6('fd00::100')).toBe((0xfdn << 120n) + 0x100n)
  expect(parseIpv6('::')).toBe(0n)
  expect(parseIpv6('::ffff:10.0.0.1')).toBe(0xffff_0a00_0001n)
  expect(parseIpv6('FD00:0:0:1:0:0:0:64')).toBe(parseIpv6('fd00:0:0:1::64'))
  expect(formatIpv6((0xfdn << 120n) + 0x100n)).toBe('fd00::100')
  for (const text of ['', '10.0.0.1', 'fd00::1/64', 'fd00::g', 'fd00']) expect(parseIpv6(text), text).toBeUndefined()
})

it('writes what it reads', () => {
  fc.assert(fc.property(fc.bigInt(0n, 2n ** 128n - 1n), value => parseIpv6(formatIpv6(value)) === value))
})
