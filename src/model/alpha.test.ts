import { describe, expect, it } from 'vitest'
import { startGapBound, startUpBound } from './alpha.ts'
import { aCheck, aServer } from './examples.ts'
import type { Bound, HealthCheck, RealServer } from './types.ts'

const handover: Bound = { name: 'test', formula: '1 x 1 s = 1 s', maxMs: 1000, source: 'test' }
const alpha = (...changes: Partial<HealthCheck>[]): RealServer => ({
  ...aServer('10.0.0.11'),
  checks: changes.map(change => aCheck({ type: 'TCP_CHECK', alpha: true, warmup: 5000, ...change })),
})

describe('a real server is in the pool after the start', () => {
  it('at once without alpha', () => {
    expect(startUpBound(alpha({ alpha: false }))?.maxMs).toBe(0)
  })

  it('when the slowest of its checks with alpha has passed', () => {
    expect(startUpBound(alpha({}, { warmup: 9000 }, { warmup: 20_000, alpha: false }))?.maxMs).toBe(10_000)
  })

  it('nobody knows when, where one of them is not known', () => {
    expect(startUpBound(alpha({}, { type: 'OTHER' }))).toBeUndefined()
  })
})

describe('a director that takes the VIP back after its start', () => {
  const gap = (servers: RealServer[], earliestMs = 3600, service: Parameters<typeof startGapBound>[1] = {}) =>
    startGapBound(handover, service, servers, earliestMs)

  it('has an empty pool until the first check of the first of them has passed', () => {
    expect(gap([alpha({ warmup: 9000 }), alpha({}), alpha({ type: 'OTHER' })])).toMatchObject({
      formula: 'bootstrap 1 s + warmup up to 5 s = 6 s, less 3.6 s until it takes the VIP = 2.4 s',
      maxMs: 2400,
      source: expect.stringContaining('init_service_rs'),
    })
  })

  it('is a plain handover where one is in from the start, or found before, or a sorry server stands in', () => {
    expect(gap([alpha({}), alpha({ alpha: false })])).toBe(handover)
    expect(gap([alpha({})], 5000)).toBe(handover)
    expect(gap([alpha({})], 4999)?.maxMs).toBe(1001)
    expect(gap([])).toBe(handover)
    const sorryServer = { address: '127.0.0.1', port: 80, at: { file: 'f', line: 1, column: 1 } }
    expect(gap([alpha({})], 0, { sorryServer })).toBe(handover)
  })

  it('is not helped by one of weight 0', () => {
    expect(gap([alpha({}), { ...alpha({ alpha: false }), weight: 0 }])?.maxMs).toBe(2400)
  })

  it('nobody knows where no check is known', () => {
    expect(gap([alpha({ type: 'OTHER' })])).toBeUndefined()
  })
})
