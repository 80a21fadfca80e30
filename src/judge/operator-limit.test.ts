import { describe, expect, it } from 'vitest'
import type { Limit, LimitName } from '../model/limits.ts'
import { bound } from './examples.ts'
import { judgeLimits, limitedBy, withLimits } from './operator-limit.ts'
import type { PlannedCheck } from './rules.ts'
import type { Verdict } from './verdict.ts'

const limit = (name: LimitName, maxMs = 3_000): Limit => ({ name, maxMs, at: 'topology.yaml:12' })

const watch = { probe: 'clients', stepMs: 20 }
const failover: PlannedCheck = {
  ...{ check: 'failover-crash', title: 'd2 takes over', rule: 'failover' },
  params: {
    ...{ vip: '10.0.0.100', directors: ['d1', 'd2'], from: 'd1', to: 'd2', fault: 'keepalived-crash' },
    ...{ bound: bound(3_690, 2_690), watch },
  },
}
const preemption: PlannedCheck = {
  ...{ check: 'preemption-crash', title: 'd1 comes back', rule: 'preemption' },
  params: {
    ...{ vip: '10.0.0.100', directors: ['d1', 'd2'], to: 'd1', fault: 'keepalived-crash', watch },
    ...{ bound: bound(3_610), gapBound: bound(1_000) },
  },
}
const pool: PlannedCheck = {
  ...{ check: 'server', title: 'rs1 leaves', rule: 'pool' },
  params: {
    ...{ vip: '10.0.0.100', directors: ['d1'], service: 'TCP 10.0.0.100:80', fault: 'httpd-crash' },
    ...{ server: { node: 'rs1', address: '10.0.0.10', port: 80 }, downBound: bound(6_000), upBound: bound(5_000) },
  },
}

const sorry: PlannedCheck = {
  ...{ check: 'sorry', title: 'the sorry server answers', rule: 'sorry' },
  params: {
    ...{ vip: '10.0.0.100', directors: ['d1'], service: 'TCP 10.0.0.100:80', fault: 'httpd-crash', probe: 'clients' },
    ...{ servers: [{ node: 'rs1', address: '10.0.0.10' }], bound: bound(6_040), endsBound: bound(7_000) },
  },
}

describe('what a limit is for', () => {
  it.each<[LimitName, PlannedCheck, string, number]>([
    ['failover', failover, 'VIP move', 3_690],
    ['gap', failover, 'client gap', 3_690],
    ['gap', preemption, 'client gap', 1_000],
    ['removal', pool, 'removal', 6_000],
    ['return', pool, 'return', 5_000],
    ['sorry', sorry, 'sorry page', 6_040],
  ])('%s limits what the check measures, and knows what is predicted', (name, check, measurement, maxMs) => {
    expect(limitedBy(limit(name), check)).toMatchObject({
      ...{ limit: { measurement, maxMs: 3_000, at: 'topology.yaml:12' }, bound: { maxMs } },
    })
  })

  it('is the one for clients where a failover has one for them', () => {
    const params = { ...failover.params, gapBound: bound(690) }
    expect(limitedBy(limit('gap'), { ...failover, params })?.bound.maxMs).toBe(690)
  })

  it('has no lower end for clients, who may be luckier', () => {
    expect(limitedBy(limit('gap'), failover)?.bound.minMs).toBeUndefined()
    expect(limitedBy(limit('failover'), failover)?.bound.minMs).toBe(2_690)
  })

  it('is nothing that the check does not measure', () => {
    const { watch: _, ...unwatched } = failover.params as { watch: unknown }
    const { upBound: __, ...gone } = pool.params as { upBound: unknown }
    const { gapBound: ___, ...unbound } = preemption.params as { gapBound: unknown }
    expect(limitedBy(limit('gap'), { ...failover, params: unwatched } as PlannedCheck)).toBeUndefined()
    expect(limitedBy(limit('gap'), { ...preemption, params: unbound } as PlannedCheck)).toBeUndefined()
    expect(limitedBy(limit('return'), { ...pool, params: gone } as PlannedCheck)).toBeUndefined()
    expect(limitedBy(limit('failover'), preemption)).toBeUndefined()
    expect(limitedBy(limit('sorry'), pool)).toBeUndefined()
    expect(limitedBy(limit('removal'), failover)).toBeUndefined()
  })

  it('stands with the check, as plain data', () => {
    expect(withLimits(failover, [limit('failover'), limit('removal'), limit('gap', 500)]).limits).toEqual([
      { measurement: 'VIP move', maxMs: 3_000, at: 'topology.yaml:12' },
      { measurement: 'client gap', maxMs: 500, at: 'topology.yaml:12' },
    ])
    expect(withLimits(pool, [limit('gap')])).toBe(pool)
  })
})

describe('a verdict with a limit', () => {
  const verdict = (value: number, outcome: Verdict['outcome'] = 'PASS'): Verdict => ({
    ...{ outcome, reason: 'Clients had no answer.', proof: [] },
    measurements: [
      { name: 'client gap', value, unit: 'ms', bound: bound(3_690) },
      { name: 'failed requests', value: 9_000, unit: 'requests' },
    ],
  })
  const gap = { measurement: 'client gap', maxMs: 3_000, at: 'topology.yaml:12' }

  it('passes up to the limit, and says so', () => {
    const judged = judgeLimits(verdict(3_000), [gap])
    expect(judged.outcome).toBe('PASS')
    expect(judged.reason).toBe('Clients had no answer. client gap: 3 s, within the limit 3 s of topology.yaml:12.')
    expect(judged.measurements[0]).toEqual({
      ...verdict(3_000).measurements[0],
      limit: { maxMs: 3_000, at: 'topology.yaml:12' },
    })
    expect(judged.measurements.slice(1)).toEqual(verdict(0).measurements.slice(1))
    expect(judged.proof).toEqual([])
  })

  it('fails above it, though the configuration keeps its own bound', () => {
    expect(judgeLimits(verdict(3_001), [gap])).toMatchObject({
      outcome: 'FAIL',
      reason: 'client gap: 3 s, 0.001 s above the limit 3 s of topology.yaml:12.',
    })
  })

  it('goes by the worst of what was measured more than once', () => {
    const { measurements, ...rest } = verdict(3_001)
    const twice = { ...rest, measurements: [...measurements, ...verdict(10).measurements] }
    expect(judgeLimits(twice, [gap])).toMatchObject({ outcome: 'FAIL', measurements: { length: 4 } })
  })

  it('fails above it, also where the rest is inconclusive', () => {
    expect(judgeLimits(verdict(3_500, 'INCONCLUSIVE'), [gap]).outcome).toBe('FAIL')
    expect(judgeLimits(verdict(2_500, 'INCONCLUSIVE'), [gap]).outcome).toBe('INCONCLUSIVE')
    expect(judgeLimits(verdict(2_500, 'FAIL'), [gap])).toMatchObject({
      ...{ outcome: 'FAIL', reason: 'Clients had no answer.' },
    })
  })

  it('is inconclusive where nothing was measured, unless it says so already', () => {
    const removal = { ...gap, measurement: 'removal' }
    expect(judgeLimits(verdict(10), [removal])).toMatchObject({
      outcome: 'INCONCLUSIVE',
      reason: 'Nothing was measured for the limit 3 s of topology.yaml:12: removal.',
    })
    for (const outcome of ['FAIL', 'INCONCLUSIVE'] as const)
      expect(judgeLimits(verdict(10, outcome), [removal])).toMatchObject({ outcome, reason: 'Clients had no answer.' })
  })
})
