import { SocketAddress } from 'node:net'
import type { AdvertEvent, GratuitousArpEvent } from '../history/event.ts'

type Decoded = Omit<AdvertEvent, 't' | 'network' | 'node'> | Omit<GratuitousArpEvent, 't' | 'network' | 'node'>

export const ETHERTYPE_ARP = 0x0806
export const ETHERTYPE_IPV4 = 0x0800
export const ETHERTYPE_IPV6 = 0x86dd
const PROTOCOL_VRRP = 112
const PROTOCOL_AH = 51
const PROTOCOL_ICMPV6 = 58

/**
 * Reads an Ethernet frame that is a VRRP advertisement, or one that claims an address unasked: a gratuitous ARP, of IPv6 an
 * unsolicited neighbour advertisement. Undefined for any other.
 */
export const decodeFrame = (frame: Buffer, labelOf: (secret: string) => string): Decoded | undefined => {
  if (frame.length < 34) return undefined
  const type = frame.readUInt16BE(12)
  const body = frame.subarray(14)
  // who has a VMAC too answers the claim of another in ARP, from the VIP to the VIP, to one address: that is no claim
  if (type === ETHERTYPE_ARP) return isForAll(frame) ? decodeArp(body) : undefined
  if (type === ETHERTYPE_IPV4) return decodeVrrp(body, labelOf)
  if (type !== ETHERTYPE_IPV6 || body.length < IPV6_HEADER) return undefined
  if (body[6] === PROTOCOL_VRRP) return decodeVrrp6(body)
  return body[6] === PROTOCOL_ICMPV6 ? decodeNeighbour(body.subarray(IPV6_HEADER)) : undefined
}

/** The destination is a group's or everybody's: the first bit on the wire is set. */
const isForAll = (frame: Buffer): boolean => ((frame[0] ?? 0) & 1) === 1

export const dotted = (bytes: Buffer): string => [...bytes].join('.')

/** Bytes of an IPv6 header; none of those that are read here has extensions. */
export const IPV6_HEADER = 40

/** As everybody writes it (RFC 5952). */
export const colons = (bytes: Buffer): string => {
  const words = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(2 * i).toString(16))
  return new SocketAddress({ address: words.join(':'), family: 'ipv6' }).address
}

const macOf = (bytes: Buffer): string => bytes.toString('hex').match(/../g)?.join(':') ?? ''

/** RFC 826; gratuitous where sender and target address are the same. */
const decodeArp = (arp: Buffer): Decoded | undefined => {
  if (arp.length < 28) return undefined
  const [sender, target] = [dotted(arp.subarray(14, 18)), dotted(arp.subarray(24, 28))]
  if (sender !== target) return undefined
  return { kind: 'garp', address: sender, mac: macOf(arp.subarray(8, 14)) }
}

/** RFC 4861 4.4; unsolicited where the flag S is not set. The MAC address is an option of it. */
const decodeNeighbour = (icmp: Buffer): Decoded | undefined => {
  const [NEIGHBOUR_ADVERTISEMENT, SOLICITED, TARGET_LINK_LAYER] = [136, 0x40, 2]
  if (icmp.length < 32 || icmp[0] !== NEIGHBOUR_ADVERTISEMENT || (icmp[4] ?? 0) & SOLICITED) return undefined
  if (icmp[24] !== TARGET_LINK_LAYER) return undefined
  return { kind: 'garp', address: colons(icmp.subarray(8, 24)), mac: macOf(icmp.subarray(26, 32)) }
}

/** RFC 5798 section 5.1, IPv6: version 3 alone. */
const decodeVrrp6 = (ip: Buffer): Decoded | undefined => {
  const vrrp = ip.subarray(IPV6_HEADER)
  const count = vrrp[3] ?? 0
  if (vrrp.length < 8 + 16 * count || (vrrp[0] ?? 0) >> 4 !== 3) return undefined
  return {
    kind: 'advert',
    source: colons(ip.subarray(8, 24)),
    destination: colons(ip.subarray(24, 40)),
    version: 3,
    vrid: vrrp[1] ?? 0,
    priority: vrrp[2] ?? 0,
    interval: (vrrp.readUInt16BE(4) & 0x0fff) * 10,
    addresses: Array.from({ length: count }, (_, i) => colons(vrrp.subarray(8 + 16 * i, 24 + 16 * i))),
  }
}

/** What VRRP says in an IPv4 packet, with `auth_type AH` behind an authentication header (RFC 4302 section 2). */
const vrrpIn = (ip: Buffer): Buffer | undefined => {
  const payload = ip.subarray(((ip[0] ?? 0) & 0x0f) * 4, ip.readUInt16BE(2))
  if (ip[9] === PROTOCOL_VRRP) return payload
  if (ip[9] !== PROTOCOL_AH || payload[0] !== PROTOCOL_VRRP) return undefined
  return payload.subarray(((payload[1] ?? 0) + 2) * 4)
}

/** RFC 3768 section 5.1 (version 2) and RFC 5798 section 5.1 (version 3), IPv4. */
const decodeVrrp = (ip: Buffer, labelOf: (secret: string) => string): Decoded | undefined => {
  const vrrp = vrrpIn(ip)
  if (!vrrp || vrrp.length < 8) return undefined
  const version = (vrrp[0] ?? 0) >> 4
  if (version !== 2 && version !== 3) return undefined
  const count = vrrp[3] ?? 0
  const advert: Omit<AdvertEvent, 't' | 'network' | 'node'> = {
    kind: 'advert',
    source: dotted(ip.subarray(12, 16)),
    destination: dotted(ip.subarray(16, 20)),
    version,
    vrid: vrrp[1] ?? 0,
    priority: vrrp[2] ?? 0,
    interval: version === 2 ? (vrrp[5] ?? 0) * 1000 : (vrrp.readUInt16BE(4) & 0x0fff) * 10,
    addresses: Array.from({ length: count }, (_, i) => dotted(vrrp.subarray(8 + 4 * i, 12 + 4 * i))),
  }
  if (version === 3) return advert
  const type = ({ 0: 'none', 1: 'PASS', 2: 'AH' } as const)[vrrp[4] ?? 0] ?? 'none'
  if (type !== 'PASS') return { ...advert, authentication: { type } }
  const secret = vrrp.subarray(8 + 4 * count, 16 + 4 * count).toString('latin1')
  return { ...advert, authentication: { type, secret: labelOf(secret) } }
}
