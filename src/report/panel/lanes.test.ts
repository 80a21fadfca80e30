import { describe, expect, it } from 'vitest'
import type { AddressEvent, AdvertEvent, FaultEvent, LabEvent } from '../../history/event.ts'
import { faultBands, poolLanes, vipLanes, virtualAddresses, zeroOf } from './lanes.ts'

const address = (t: number, node: string, change: 'add' | 'remove', ip = '10.0.0.100'): AddressEvent => ({
  kind: 'address',
  t,
  node,
  change,
  device: 'eth0',
  address: ip,
  prefix: 32,
})
const advert = (t: number, addresses: string[]): AdvertEvent => ({
  kind: 'advert',
  t,
  network: 'front',
  source: '10.0.0.1',
  node: 'd1',
  destination: '224.0.0.18',
  version: 2,
  vrid: 51,
  priority: 100,
  interval: 1000,
  addresses,
})
const fault = (t: number, phase: 'inject' | 'heal', node = 'd1'): FaultEvent => ({
  kind: 'fault',
  t,
  done: t + 5,
  phase,
  fault: 'link-down',
  node,
})

describe('vipLanes', () => {
  it('draws who held the VIP: before the first event, over repeated events, to the end', () => {
    const events = [
      advert(0, ['10.0.0.100']),
      address(1, 'd1', 'remove'),
      address(2, 'd2', 'add'),
      address(3, 'd2', 'add'),
      address(4, 'web1', 'add'),
      address(5, 'd1', 'add', '10.0.0.1'),
      address(6, 'd2', 'remove'),
      address(7, 'd1', 'add'),
    ]
    const roles = new Map([
      ['d1', 'director'],
      ['d2', 'director'],
      ['d3', 'director'],
      ['web1', 'realserver'],
    ] as const)
    expect(vipLanes(events, roles).map(({ node, label, spans }) => [node, label, spans])).toEqual([
      [
        'd1',
        '10.0.0.100',
        [
          { a: null, b: 1 },
          { a: 7, b: null },
        ],
      ],
      ['d2', '10.0.0.100', [{ a: 2, b: 6 }]],
      ['d3', 'none seen', []],
    ])
  })

  it('draws addresses that move together once', () => {
    const ips = ['10.0.0.100', '10.0.0.101', '10.0.0.102']
    const events: LabEvent[] = [advert(0, ips), ...ips.map(ip => address(1, 'd1', 'add', ip))]
    expect(vipLanes(events, new Map())).toMatchObject([
      { label: '10.0.0.100 +2', detail: expect.stringContaining('.102') },
    ])
  })
})

describe('poolLanes', () => {
  it('follows a real server that leaves and returns', () => {
    const table = (t: number, ports: number[]): LabEvent => ({
      kind: 'ipvs',
      t,
      node: 'd1',
      reason: 'log',
      services:
        ports.length === 0
          ? []
          : [
              {
                service: 'TCP [2001:db8::100]:80',
                scheduler: 'rr',
                persistent: false,
                destinations: ports.map(port => ({
                  address: '2001:db8::1',
                  port,
                  forwarding: 'Route',
                  weight: 1,
                  active: 0,
                  inactive: 0,
                })),
              },
            ],
    })
    const events = [table(1, [80, 81]), table(2, [80]), table(3, []), table(4, [80])]
    expect(poolLanes(events, new Map([['2001:db8::1', 'web1']])).map(({ label, spans }) => [label, spans])).toEqual([
      [
        'web1 [2001:db8::1]:80',
        [
          { a: null, b: 3, text: 'w 1' },
          { a: 4, b: null, text: 'w 1' },
        ],
      ],
      ['web1 [2001:db8::1]:81', [{ a: null, b: 2, text: 'w 1' }]],
    ])
    expect([...virtualAddresses(events)]).toEqual(['2001:db8::100'])
  })
})

describe('faultBands', () => {
  it('pairs each injection with its own heal', () => {
    const events = [fault(1, 'inject'), fault(2, 'inject', 'd2'), fault(3, 'heal', 'd2'), fault(9, 'heal', 'other')]
    expect(faultBands(events)).toMatchObject([
      { label: 'link-down d1', a: 1, took: 6, b: null },
      { label: 'link-down d2', a: 2, b: 8 },
    ])
  })
})

describe('zeroOf', () => {
  it('is the fault that the check is about', () => {
    const events = [fault(1, 'inject'), fault(20, 'inject'), fault(40, 'inject')]
    expect(zeroOf(events, [address(22, 'd2', 'add')]).t).toBe(20)
    expect(zeroOf(events, []).t).toBe(1)
    expect(zeroOf([address(5, 'd1', 'add')], [])).toEqual({ t: 5, label: 'the first event' })
    expect(zeroOf([], []).t).toBe(0)
  })
})
