import type { PacketEvent } from '../history/event.ts'
import { colons, dotted, ETHERTYPE_ARP, ETHERTYPE_IPV4, ETHERTYPE_IPV6, IPV6_HEADER } from './frame.ts'

type Decoded = Omit<PacketEvent, 'kind' | 't' | 'capture' | 'node' | 'device'>

const PROTOCOLS: Record<number, PacketEvent['protocol']> = { 1: 'icmp', 6: 'tcp', 17: 'udp', 58: 'icmp' }

/** tcpdump's letters for the TCP flags, from the lowest bit up; ACK is its dot. */
const FLAGS = ['F', 'S', 'R', 'P', '.', 'U', 'E', 'W']

/** tcpdump's order: `S.`, `FP.` */
const flagsOf = (bits: number): string => FLAGS.filter((_, bit) => bits & (1 << bit)).join('')

/** Reads the head of an Ethernet frame that holds ARP, IPv4 or IPv6; undefined for any other. */
export const decodePacket = (frame: Buffer): Decoded | undefined => {
  if (frame.length < 34) return undefined
  const type = frame.readUInt16BE(12)
  const body = frame.subarray(14)
  if (type === ETHERTYPE_ARP) {
    if (body.length < 28) return undefined
    return {
      protocol: 'arp',
      source: dotted(body.subarray(14, 18)),
      destination: dotted(body.subarray(24, 28)),
      length: 0,
    }
  }
  if (type === ETHERTYPE_IPV6 && body.length >= IPV6_HEADER) return decodeIpv6(body)
  if (type !== ETHERTYPE_IPV4) return undefined
  const headerLength = ((body[0] ?? 0) & 0x0f) * 4
  const total = body.readUInt16BE(2) // what was captured may be less
  const protocol = PROTOCOLS[body[9] ?? 0] ?? 'other'
  const packet = { protocol, source: dotted(body.subarray(12, 16)), destination: dotted(body.subarray(16, 20)) }
  const fragment = body.readUInt16BE(6) & 0x1fff
  if (fragment > 0) return { ...packet, length: total - headerLength }
  return { ...packet, ...decodeTransport(protocol, body.subarray(headerLength), total - headerLength) }
}

const decodeIpv6 = (body: Buffer): Decoded => {
  const protocol = PROTOCOLS[body[6] ?? 0] ?? 'other'
  const packet = { protocol, source: colons(body.subarray(8, 24)), destination: colons(body.subarray(24, 40)) }
  return { ...packet, ...decodeTransport(protocol, body.subarray(IPV6_HEADER), body.readUInt16BE(4)) }
}

/** Bytes of the header that are read. */
const NEEDED = { tcp: 14, udp: 8 }

/** @param total bytes of the packet after its IP header, of which less may have been captured */
const decodeTransport = (
  protocol: PacketEvent['protocol'],
  inner: Buffer,
  total: number,
): Pick<Decoded, 'sourcePort' | 'destinationPort' | 'flags' | 'length'> => {
  if ((protocol !== 'tcp' && protocol !== 'udp') || inner.length < NEEDED[protocol]) return { length: total }
  const ports = { sourcePort: inner.readUInt16BE(0), destinationPort: inner.readUInt16BE(2) }
  if (protocol === 'udp') return { ...ports, length: total - 8 }
  const offset = ((inner[12] ?? 0) >> 4) * 4
  return { ...ports, flags: flagsOf(inner[13] ?? 0), length: total - offset }
}
