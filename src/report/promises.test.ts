import { describe, expect, it } from 'vitest'
import { promised } from '../judge/promises.ts'
import { formatPromises } from './promises.ts'

const bound = { name: 'VIP failover', formula: '3 x 1 s = 3 s', minMs: 2000, maxMs: 3000, source: 'RFC 3768 6.1' }

describe('promises on a terminal', () => {
  it('stand with their bounds, formulas and sources', () => {
    const failover = promised(
      {
        ...{ check: 'failover-crash', title: 'd2 takes over', rule: 'failover' },
        params: { vip: '10.0.0.100', directors: ['d1', 'd2'], from: 'd1', to: 'd2', fault: 'keepalived-crash', bound },
      },
      'failover-crash-10.0.0.100',
    )
    const text = formatPromises({ vips: ['10.0.0.100: d1'], promises: [failover], untested: [] })
    expect(text).toBe(
      '10.0.0.100: d1\n\nd2 takes over\n      name: failover-crash of failover-crash-10.0.0.100\n      VIP failover: 2.00 s to 3.00 s: 3 x 1 s = 3 s [RFC 3768 6.1]\n',
    )
  })

  it("stand with the operator's own limits, and a warning where the prediction is above one", () => {
    const params = {
      vip: '10.0.0.100',
      directors: ['d1', 'd2'],
      from: 'd1',
      to: 'd2',
      fault: 'keepalived-crash',
      bound,
    }
    const linesFor = (maxMs: number): string[] => {
      const limit = { name: 'failover' as const, maxMs, at: 'topology.yaml:12' }
      const planned = { check: 'failover-crash', title: 'd2 takes over', rule: 'failover' as const, params }
      return formatPromises({ vips: [], promises: [promised(planned, 'failover-crash', [limit])], untested: [] }).split(
        '\n',
      )
    }
    expect(linesFor(3000)).toContain('      VIP move: limit 3 s of topology.yaml:12')
    expect(linesFor(2500)).toContain(
      '      VIP move: limit 2.5 s of topology.yaml:12; warning: may exceed it, on paper it is 2 s to 3 s',
    )
    expect(linesFor(1500)).toContain(
      '      VIP move: limit 1.5 s of topology.yaml:12; warning: exceeds it even at best, on paper it is 2 s to 3 s',
    )
  })

  it('stand with the algorithm that chooses', () => {
    const params = { probe: 'p', director: 'd1', service: 'TCP 10.0.0.100:80', destination: '10.0.0.100', names: {} }
    const placed = promised(
      { ...{ check: 'shares', title: 'wlc sends', rule: 'placement' }, params: { ...params, scheduler: 'wlc' } },
      'shares',
    )
    expect(formatPromises({ vips: [], promises: [placed], untested: [] })).toBe(
      'wlc sends\n      name: shares\n      algorithm: Linux net/netfilter/ipvs/ip_vs_wlc.c\n',
    )
  })

  it('stand with the shares of a cycle, and with what is not tried', () => {
    const expected = { scheduler: 'wrr' as const, cycle: 3, shares: { rs1: 2, rs2: 1 }, source: 'ip_vs_wrr.c' }
    const shares = promised(
      {
        ...{ check: 'shares', title: 'wrr shares out', rule: 'shares' },
        params: { probe: 'clients', expected },
      },
      'shares',
    )
    const untested = [{ what: 'bonding', why: 'a lab has none' }]
    expect(formatPromises({ vips: [], promises: [shares], untested })).toBe(
      'wrr shares out\n      name: shares\n      shares of one cycle: rs1 2, rs2 1\n\nUntested (not a pass):\n      bonding: a lab has none\n',
    )
  })
})
