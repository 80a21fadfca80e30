import { describe, expect, it } from 'vitest'
import { decodeFrame } from './frame.ts'

const ethernet = (type: string, body: string): Buffer => Buffer.from(`01005e0606060242c0a80002${type}${body}`, 'hex')
const ip = (payload: string, protocol = 112): string => {
  const length = (20 + payload.length / 2).toString(16).padStart(4, '0')
  return `45c0${length}00010000ff${protocol.toString(16)}00000a0000c8e9060606${payload}`
}
const secret = (text: string): string => Buffer.from(text.padEnd(8, '\0'), 'latin1').toString('hex')
const label = (text: string): string => `label of ${text.replaceAll('\0', '')}`

describe('a VRRP advertisement', () => {
  it('of version 2, whose secret leaves as a label only', () => {
    const frame = ethernet('0800', ip(`21326401010100000a000064${secret('1111')}`))
    expect(decodeFrame(frame, label)).toEqual({
      kind: 'advert',
      source: '10.0.0.200',
      destination: '233.6.6.6',
      version: 2,
      vrid: 50,
      priority: 100,
      interval: 1000,
      addresses: ['10.0.0.100'],
      authentication: { type: 'PASS', secret: 'label of 1111' },
    })
  })

  it('of version 3, whose interval counts in hundredths of a second', () => {
    const frame = ethernet('0800', ip('31320001006400000a000064'))
    expect(decodeFrame(frame, label)).toMatchObject({ version: 3, priority: 0, interval: 1000 })
    expect(decodeFrame(frame, label)).not.toHaveProperty('authentication')
  })

  it('of version 2 behind an authentication header', () => {
    const header = `70040000${'0'.repeat(40)}`
    const frame = ethernet('0800', ip(`${header}21326401020100000a000064${'0'.repeat(16)}`, 51))
    expect(decodeFrame(frame, label)).toMatchObject({
      vrid: 50,
      addresses: ['10.0.0.100'],
      authentication: { type: 'AH' },
    })
    const other = ethernet('0800', ip(`06${header.slice(2)}21326401020100000a000064`, 51))
    expect(decodeFrame(other, label)).toBeUndefined()
  })

  it('without authentication', () => {
    const frame = ethernet('0800', ip(`21326401000100000a000064${'0'.repeat(16)}`))
    expect(decodeFrame(frame, label)).toMatchObject({ authentication: { type: 'none' } })
  })
})

describe('ARP', () => {
  const arp = (sender: string, target: string): Buffer =>
    ethernet('0806', `00010800060400010242c0a80002${sender}000000000000${target}`)

  it('is gratuitous where sender and target are the same', () => {
    expect(decodeFrame(arp('0a000064', '0a000064'), label)).toEqual({
      kind: 'garp',
      address: '10.0.0.100',
      mac: '02:42:c0:a8:00:02',
    })
  })

  it('is no claim where it is sent to one address', () => {
    const reply = arp('0a000064', '0a000064')
    reply.set([0x00, 0x00, 0x5e, 0x00, 0x01, 0x33])
    expect(decodeFrame(reply, label)).toBeUndefined()
  })

  it('is nothing to us where they are not', () => {
    expect(decodeFrame(arp('0a000064', '0a000001'), label)).toBeUndefined()
  })
})

describe('IPv6', () => {
  const address = (last: string) => `fd000000000000010000000000000${last}`
  const ip6 = (next: string, payload: string) =>
    ethernet(
      '86dd',
      `60000000${(payload.length / 2).toString(16).padStart(4, '0')}${next}fffe800000000000000042c0fffea80002ff020000000000000000000000000012${payload}`,
    )

  it('has adverts of version 3, whose addresses take 16 bytes', () => {
    const frame = ip6('70', `3132640200320000fe800000000000000000000000000064${address('100')}`)
    expect(decodeFrame(frame, label)).toEqual({
      ...{ kind: 'advert', source: 'fe80::42:c0ff:fea8:2', destination: 'ff02::12' },
      ...{ version: 3, vrid: 50, priority: 100, interval: 500, addresses: ['fe80::64', 'fd00:0:0:1::100'] },
    })
    expect(decodeFrame(frame.subarray(0, -1), label)).toBeUndefined()
  })

  it('has neighbour advertisements: unsolicited they are as gratuitous ARP', () => {
    const neighbour = (flags: string) => ip6('3a', `88000000${flags}000000${address('100')}02010242c0a80002`)
    expect(decodeFrame(neighbour('20'), label)).toEqual({
      ...{ kind: 'garp', address: 'fd00:0:0:1::100', mac: '02:42:c0:a8:00:02' },
    })
    expect(decodeFrame(neighbour('60'), label)).toBeUndefined()
    expect(decodeFrame(ip6('3a', `87000000${'0'.repeat(56)}`), label)).toBeUndefined()
  })
})

it('leaves other and torn frames alone', () => {
  expect(decodeFrame(Buffer.alloc(10), label)).toBeUndefined()
  expect(decodeFrame(ethernet('86dd', '0'.repeat(80)), label)).toBeUndefined()
  expect(decodeFrame(ethernet('0800', ip('2132')), label)).toBeUndefined()
})
