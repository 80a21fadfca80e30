import { expect, it } from 'vitest'
import { addressNumber, hash32 } from './hash.ts'

it('reads addresses as unsigned numbers', () => {
  expect(addressNumber('10.0.0.1')).toBe(0x0a000001)
  expect(addressNumber('255.255.255.255')).toBe(0xffffffff)
})

it('takes the upper bits of the product, as hash_32 does', () => {
  // (0x0a000001 x 0x61c88647) mod 2^32 = 0x27c88647
  expect(hash32(0x0a000001, 32)).toBe(0x27c88647)
  expect(hash32(0x0a000001, 8)).toBe(0x27)
})
