import { expect, it } from 'vitest'
import { decodePacket } from './packet.ts'

const ETHERNET = '02420a00003202420a0000c8'
const frame = (hex: string): Buffer => Buffer.from((ETHERNET + hex).replaceAll(' ', ''), 'hex')

it('reads a SYN-ACK, whose payload is what the header says, not what was captured', () => {
  const ip = '4500 003c 0000 4000 4006 0000 0a000064 0a000032'
  const tcp = '0050 c350 00000001 00000002 a012 fe88 0000 0000 0204 05b4 0402 080a 00000000 00000000 0103 0307'
  expect(decodePacket(frame(`0800 ${ip} ${tcp}`))).toEqual({
    ...{ protocol: 'tcp', source: '10.0.0.100', sourcePort: 80, destination: '10.0.0.50', destinationPort: 50_000 },
    ...{ flags: 'S.', length: 0 },
  })
})

it('reads a datagram, and takes no ports from the middle of one', () => {
  const udp = '0035 c350 0014 0000 0000 0000 0000 0000'
  const whole = frame(`0800 4500 0028 0000 0000 4011 0000 0a000064 0a000032 ${udp}`)
  expect(decodePacket(whole)).toMatchObject({ protocol: 'udp', sourcePort: 53, length: 12 })
  const short = frame('0800 4500 001f 0000 0000 4011 0000 0a000064 0a000032 0035 c350 000b 0000 616263')
  expect(decodePacket(short)).toMatchObject({ sourcePort: 53, destinationPort: 50_000, length: 3 })
  const later = frame(`0800 4500 0028 0000 0010 4011 0000 0a000064 0a000032 ${udp}`)
  expect(decodePacket(later)).toEqual({ protocol: 'udp', source: '10.0.0.100', destination: '10.0.0.50', length: 20 })
})

it('reads ARP, and passes over what it does not know', () => {
  const arp = '0806 0001 0800 0604 0001 02420a0000c8 0a000064 000000000000 0a000032'
  expect(decodePacket(frame(arp))).toMatchObject({ protocol: 'arp', source: '10.0.0.100', destination: '10.0.0.50' })
  expect(decodePacket(frame(`88cc ${'00'.repeat(40)}`))).toBeUndefined()
})

it('reads IPv6', () => {
  const [from, to] = ['fd00 0000 0000 0001 0000 0000 0000 0100', 'fd00 0000 0000 0001 0000 0000 0000 0050']
  const tcp = '0050 c350 00000001 00000002 5012 fe88 0000 0000'
  expect(decodePacket(frame(`86dd 60000000 0014 06 40 ${from} ${to} ${tcp}`))).toEqual({
    ...{ protocol: 'tcp', source: 'fd00:0:0:1::100', sourcePort: 80, destination: 'fd00:0:0:1::50' },
    ...{ destinationPort: 50_000, flags: 'S.', length: 0 },
  })
  expect(decodePacket(frame(`86dd 60000000 0018 3a ff ${from} ${to} 8700 0000`))).toMatchObject({
    ...{ protocol: 'icmp', length: 24 },
  })
})
