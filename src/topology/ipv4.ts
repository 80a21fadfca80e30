/** Arithmetic on IPv4 addresses as unsigned 32-bit numbers. */

/** A range of addresses that share a prefix. */
export interface Subnet {
  /** Network address: all host bits zero. */
  first: number
  /** Broadcast address: all host bits one. */
  last: number
  /** 0 to 32 */
  prefix: number
}

/** The address as a number; undefined when the text is not a dotted quad (leading zeros are not accepted). */
export const parseIpv4 = (text: string): number | undefined => {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)
  if (!match) return undefined
  let value = 0
  for (const byte of match.slice(1)) {
    if (Number(byte) > 255 || String(Number(byte)) !== byte) return undefined
    value = value * 256 + Number(byte)
  }
  return value
}

/** The dotted quad of a number from 0 to 2^32 - 1. */
export const formatIpv4 = (value: number): string =>
  [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255].join('.')

/** The subnet that an `address/prefix` lies in, host bits cleared; undefined when the text is not in that form. */
export const parseSubnet = (text: string): Subnet | undefined => {
  const [address, prefix, ...rest] = text.split('/')
  const value = parseIpv4(address ?? '')
  if (value === undefined || prefix === undefined || rest.length > 0 || !/^\d{1,2}$/.test(prefix)) return undefined
  const length = Number(prefix)
  if (length > 32) return undefined
  const size = 2 ** (32 - length)
  const first = Math.floor(value / size) * size
  return { first, last: first + size - 1, prefix: length }
}

/** `10.0.0.0/24` */
export const formatSubnet = (subnet: Subnet): string => `${formatIpv4(subnet.first)}/${subnet.prefix}`

/** Whether an address lies in a subnet, its network and broadcast addresses among them. */
export const contains = (subnet: Subnet, address: number): boolean => address >= subnet.first && address <= subnet.last

/** Whether two subnets share an address. */
export const overlaps = (a: Subnet, b: Subnet): boolean => a.first <= b.last && b.first <= a.last

/** Whether it is of this network (0.0.0.0/8), loopback, multicast or reserved: no node can have it on a network. */
export const isReserved = (address: number): boolean => {
  const firstByte = address >>> 24
  return firstByte === 0 || firstByte === 127 || firstByte >= 224
}

/** The address as `/proc/net/route` prints it on a little-endian machine: `10.0.0.1` is `0100000A`. */
export const procRouteHex = (text: string): string => {
  const value = parseIpv4(text)
  if (value === undefined) throw new TypeError(`not an IPv4 address: ${text}`)
  const bytes = [value & 255, (value >>> 8) & 255, (value >>> 16) & 255, value >>> 24]
  return bytes.map(byte => byte.toString(16).padStart(2, '0').toUpperCase()).join('')
}
