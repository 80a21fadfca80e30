import { addressNumber } from '../address.ts'

/**
 * An address as the hashing schedulers take it: 32 bits as the kernel's `ntohl` gives them, of IPv6 its four words of 32 bits, each
 * XORed with the others (`addr_fold` of ip_vs_sh.c, ip_vs_dh.c, ip_vs_mh.c).
 */
export const foldedAddress = (address: string): number => {
  let folded = 0n
  for (let left = addressNumber(address); left > 0n; left >>= 32n) folded ^= left & 0xffff_ffffn
  return Number(folded)
}

/** `hash_32` of include/linux/hash.h: the upper bits of a multiplication by the golden ratio. */
export const hash32 = (value: number, bits: number): number => Math.imul(value, 0x61c88647) >>> (32 - bits)

const MASK = 0xffff_ffff_ffff_ffffn
const rotate = (value: bigint, by: bigint): bigint => ((value << by) | (value >> (64n - by))) & MASK

/**
 * `hsiphash` of four bytes (lib/siphash.c): on 64-bit machines SipHash-1-3, of whose result the lower 32 bits are taken.
 *
 * @param key both halves of the key are this number
 */
export const hsiphash = (value: number, key: number): number => {
  const k = BigInt(key)
  let [v0, v1] = [0x736f6d6570736575n ^ k, 0x646f72616e646f6dn ^ k]
  let [v2, v3] = [0x6c7967656e657261n ^ k, 0x7465646279746573n ^ k]
  const round = (): void => {
    v0 = (v0 + v1) & MASK
    v1 = rotate(v1, 13n) ^ v0
    v0 = rotate(v0, 32n)
    v2 = (v2 + v3) & MASK
    v3 = rotate(v3, 16n) ^ v2
    v0 = (v0 + v3) & MASK
    v3 = rotate(v3, 21n) ^ v0
    v2 = (v2 + v1) & MASK
    v1 = rotate(v1, 17n) ^ v2
    v2 = rotate(v2, 32n)
  }
  const last = (4n << 56n) | BigInt(value)
  v3 ^= last
  round()
  v0 ^= last
  v2 ^= 0xffn
  round()
  round()
  round()
  return Number((v0 ^ v1 ^ v2 ^ v3) & 0xffff_ffffn)
}
