import type { AdvertEvent, GratuitousArpEvent } from '../history/event.ts'

type Decoded = Omit<AdvertEvent, 't' | 'network' | 'node'> | Omit<GratuitousArpEvent, 't' | 'network' | 'node'>

export const ETHERTYPE_ARP = 0x0806
export const ETHERTYPE_IPV4 = 0x0800
const PROTOCOL_VRRP = 112

/** Reads an Ethernet frame that is a VRRP advertisement or a gratuitous ARP; undefined for any other. */
export const decodeFrame = (frame: Buffer, labelOf: (secret: string) => string): Decoded | undefined => {
  if (frame.length < 34) return undefined
  const type = frame.readUInt16BE(12)
  const body = frame.subarray(14)
  if (type === ETHERTYPE_ARP) return decodeArp(body)
  if (type === ETHERTYPE_IPV4 && body[9] === PROTOCOL_VRRP) return decodeVrrp(body, labelOf)
  return undefined
}

export const dotted = (bytes: Buffer): string => [...bytes].join('.')

/** RFC 826; gratuitous where sender and target address are the same. */
const decodeArp = (arp: Buffer): Decoded | undefined => {
  if (arp.length < 28) return undefined
  const [sender, target] = [dotted(arp.subarray(14, 18)), dotted(arp.subarray(24, 28))]
  if (sender !== target) return undefined
  const mac = arp.subarray(8, 14).toString('hex').match(/../g)?.join(':') ?? ''
  return { kind: 'garp', address: sender, mac }
}

/** RFC 3768 section 5.1 (version 2) and RFC 5798 section 5.1 (version 3), IPv4. */
const decodeVrrp = (ip: Buffer, labelOf: (secret: string) => string): Decoded | undefined => {
  const vrrp = ip.subarray(((ip[0] ?? 0) & 0x0f) * 4, ip.readUInt16BE(2))
  if (vrrp.length < 8) return undefined
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
