import { expect, it } from 'vitest'
import { foldedAddress, hash32 } from './hash.ts'

it('reads addresses as unsigned numbers', () => {
  expect(foldedAddress('10.0.0.1')).toBe(0x0a000001)
  expect(foldedAddress('255.255.255.255')).toBe(0xffffffff)
  expect(foldedAddress('fd00::1:0:2')).toBe(0xfd000003)
  expect(foldedAddress('2001:db8:1:2:3:4:5:6')).toBe((0x20010db8 ^ 0x00010002 ^ 0x00030004 ^ 0x00050006) >>> 0)
})

it('takes the upper bits of the product, as hash_32 does', () => {
  // (0x0a000001 x 0x61c88647) mod 2^32 = 0x27c88647
  expect(hash32(0x0a000001, 32)).toBe(0x27c88647)
  expect(hash32(0x0a000001, 8)).toBe(0x27)
})
