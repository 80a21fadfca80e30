import { isIPv4, SocketAddress } from 'node:net'

/** An address as a number, of IPv4 or IPv6; a zone (`%eth0`) does not belong to it. */
export const addressNumber = (address: string): bigint => {
  if (isIPv4(address)) return address.split('.').reduce((total, part) => total * 256n + BigInt(part), 0n)
  const [head = '', tail] = address.split('%')[0]?.split('::') ?? []
  const words = (text: string): string[] => text.split(':').filter(word => word !== '')
  const left = words(head)
  const right = words(tail ?? '')
  const zeros = tail === undefined ? 0 : 8 - left.length - right.length
  return [...left, ...Array.from({ length: zeros }, () => '0'), ...right].reduce(
    (total, word) => total * 65_536n + BigInt(`0x${word}`),
    0n,
  )
}

/** An IPv6 address as everybody writes it, and as ip(8) and the kernel's tools print it (RFC 5952). */
export const canonical = (address: string): string => new SocketAddress({ address, family: 'ipv6' }).address
