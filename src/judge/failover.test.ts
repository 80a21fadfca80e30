import { describe, expect, it } from 'vitest'
import type { LabEvent } from '../history/event.ts'
import {
  advert,
  bound,
  DIRECTORS,
  failing,
  fault,
  holds,
  historyInTime,
  mark,
  request,
  requests,
  VIP,
} from './examples.ts'
import { checkFailover } from './failover.ts'

const crash = fault(10_000, 'keepalived-crash', 'd1')
const params = {
  vip: VIP,
  directors: DIRECTORS,
  from: 'd1',
  to: 'd2',
  fault: 'keepalived-crash',
  bound: bound(3600, 2600),
}
const judge = (events: LabEvent[], changes: Partial<typeof params> & { slackMs?: number } = {}) =>
  checkFailover(historyInTime([holds(0, 'd1'), ...events]), { ...params, ...changes })
const watched = (events: LabEvent[]) =>
  checkFailover(historyInTime([holds(0, 'd1'), ...events]), { ...params, watch: { probe: 'p', stepMs: 100 } })

describe('the VIP', () => {
  it('passes when it moves within the bound, and shows the adverts around it', () => {
    const verdict = judge([advert(9500, 'd1', 150), crash, holds(13_000, 'd2'), advert(13_001, 'd2'), mark(20_000)])
    expect(verdict.outcome).toBe('PASS')
    expect(verdict.reason).toBe(
      'd2 held the VIP 10.0.0.100 3 s after keepalived-crash on d1 (2.6 s to 3.6 s allowed: 3600 ms).',
    )
    expect(verdict.measurements).toMatchObject([{ name: 'VIP move', value: 3000, unit: 'ms' }])
    expect(verdict.proof.map(event => [event.kind, event.t])).toEqual([
      ['advert', 9500],
      ['fault', 10_000],
      ['address', 13_000],
      ['advert', 13_001],
    ])
  })

  it('fails when it moves too late or too early', () => {
    expect(judge([crash, holds(14_000, 'd2')])).toMatchObject({
      outcome: 'FAIL',
      reason: expect.stringContaining('too late'),
    })
    expect(judge([crash, holds(11_000, 'd2')])).toMatchObject({
      outcome: 'FAIL',
      reason: expect.stringContaining('too early'),
    })
  })

  it("gives way for the fault's own duration and for scheduling, and writes both into the formula", () => {
    const slow = fault(10_000, 'keepalived-crash', 'd1', 'inject', 300)
    const verdict = judge([slow, holds(13_950, 'd2')], { slackMs: 100 })
    expect(verdict.outcome).toBe('PASS')
    expect(verdict.measurements[0]?.bound).toMatchObject({
      minMs: 2500,
      maxMs: 4000,
      formula: '3600 ms, + 0.3 s that the fault took, + 0.1 s scheduling',
    })
  })

  it('fails when it never comes, and names who took it instead', () => {
    expect(judge([crash, mark(20_000)])).toMatchObject({
      outcome: 'FAIL',
      reason: expect.stringContaining('d2 did not get the VIP'),
    })
    const three = { directors: ['d1', 'd2', 'd3'] }
    expect(judge([crash, holds(13_000, 'd3'), mark(20_000)], three).reason).toContain('d3 took it 3 s after')
  })

  it('says nothing when the lab was not fit to tell', () => {
    expect(judge([mark(20_000)]).outcome).toBe('INCONCLUSIVE')
    expect(judge([crash, mark(12_000)])).toMatchObject({
      outcome: 'INCONCLUSIVE',
      reason: expect.stringContaining('recording ends'),
    })
    const without = checkFailover(historyInTime([crash, holds(13_000, 'd2')]), params)
    expect(without).toMatchObject({ outcome: 'INCONCLUSIVE', reason: expect.stringContaining('did not hold') })
  })

  it('does not look beyond the next thing that is done to the lab', () => {
    const heal = fault(12_000, 'keepalived-crash', 'd1', 'heal')
    expect(judge([crash, heal, holds(13_000, 'd2')]).outcome).toBe('INCONCLUSIVE')
  })
})

describe('the gap that clients see', () => {
  const move = [crash, holds(13_000, 'd2'), mark(20_000)]

  it('runs from the last answer before to the first one after, with a probe step at each end allowed', () => {
    const verdict = watched([
      ...move,
      ...requests(9000, 10_000),
      ...failing(10_000, 13_100),
      ...requests(13_100, 15_000),
    ])
    expect(verdict.outcome).toBe('PASS')
    expect(verdict.measurements).toMatchObject([
      { name: 'VIP move' },
      { name: 'client gap', value: 3200, bound: { maxMs: 3800 } },
      { name: 'failed requests', value: 31 },
    ])
  })

  it('has a bound of its own where clients are served until the VIP goes', () => {
    const gap = [...requests(9000, 12_000), ...failing(12_000, 13_100), ...requests(13_100, 15_000)]
    const judgeWith = (maxMs: number) =>
      checkFailover(historyInTime([holds(0, 'd1'), ...move, ...gap]), {
        ...{ ...params, watch: { probe: 'p', stepMs: 100 }, gapBound: bound(maxMs) },
      }).outcome
    expect([judgeWith(1100), judgeWith(900)]).toEqual(['PASS', 'FAIL'])
  })

  it('sees an outage that only delays answers', () => {
    const held = requests(10_000, 14_500, () => ({})).map(one => ({ ...one, done: 14_500 }))
    const verdict = watched([...move, ...requests(9000, 10_000), ...held, ...requests(14_600, 16_000)])
    expect(verdict).toMatchObject({
      outcome: 'FAIL',
      reason: expect.stringContaining('Clients had no answer for 4.6 s'),
    })
  })

  it('fails when nobody ever answers again', () => {
    const verdict = watched([...move, ...requests(9000, 10_000), ...failing(10_000, 20_000)])
    expect(verdict).toMatchObject({ outcome: 'FAIL', reason: expect.stringContaining('Nobody answered') })
  })

  it('does not blame the lab for a silence of a starved probe, but lets a short one stand: lateness only lengthens it', () => {
    const late = (from: number) => requests(from, 19_000, () => ({})).map(one => ({ ...one, scheduled: one.t - 200 }))
    const before = requests(9000, 10_000)
    expect(watched([...move, ...before, ...late(15_000)])).toMatchObject({
      outcome: 'INCONCLUSIVE',
      reason: expect.stringContaining('100% of its requests were sent late'),
    })
    expect(watched([...move, ...before, ...late(11_000)]).outcome).toBe('PASS')
  })

  it('says nothing when the probe saw nothing, or stopped too soon', () => {
    const before = requests(9000, 10_000)
    expect(watched([...move, ...before]).outcome).toBe('INCONCLUSIVE')
    expect(watched([...move, ...before, ...failing(10_000, 11_000)])).toMatchObject({
      outcome: 'INCONCLUSIVE',
      reason: expect.stringContaining('before anybody answered again'),
    })
    expect(watched([...move, request(13_500)]).outcome).toBe('INCONCLUSIVE')
  })

  it('does not count as silence what the probe itself waited before it asked', () => {
    const before = requests(9000, 10_000)
    // due at 13 000, sent when the machine came round to it
    const slow = (t: number, rest = 23_000) => [{ ...request(t), scheduled: 13_000 }, ...requests(t + 100, rest)]
    const verdict = watched([...move, ...before, ...failing(10_000, 13_000), ...slow(14_000)])
    expect(verdict.outcome).toBe('INCONCLUSIVE')
    expect(verdict.reason).toBe(
      'The probe p sent request 140 at 14.000 s (answered by rs1) 1 s late: of the 4.1 s without an answer after ' +
        'keepalived-crash on d1 that much may be its own (at most 3.8 s allowed: 3600 ms, + 0.2 s for two probe steps).',
    )
    expect(watched([...move, ...before, ...failing(10_000, 13_000), ...slow(13_699)]).outcome).toBe('PASS')
    const real = failing(10_000, 13_900).concat({ ...request(14_000), scheduled: 13_900 }, ...requests(14_100, 23_000))
    expect(watched([...move, ...before, ...real])).toMatchObject({
      outcome: 'FAIL',
      reason: expect.stringContaining('which is too long'),
    })
  })
})

describe('the proof and the ends of what is looked at', () => {
  const end = mark(20_000)
  const proofOf = (events: LabEvent[]) => judge(events).proof.map(event => [event.kind, event.t])

  it('keeps the bound to the millisecond', () => {
    const at = (t: number) => judge([crash, holds(t, 'd2')]).outcome
    expect([12_599, 12_600, 13_600, 13_601].map(at)).toEqual(['FAIL', 'PASS', 'PASS', 'FAIL'])
    expect([13_599, 13_600].map(t => judge([crash, mark(t)]).outcome)).toEqual(['INCONCLUSIVE', 'FAIL'])
  })

  it('shows the goodbye between fault and move, and the first advert of the new MASTER after it', () => {
    const adverts = [advert(9000, 'd1', 0), advert(9500, 'd1', 150), advert(10_000, 'd1', 0), advert(10_500, 'd1', 0)]
    const later = [advert(12_000, 'd2'), advert(13_000, 'd2'), advert(13_500, 'd1', 0), advert(14_000, 'd2')]
    expect(proofOf([...adverts, crash, holds(13_000, 'd2'), ...later, end])).toEqual([
      ['fault', 10_000],
      ['advert', 10_000],
      ['advert', 10_500],
      ['address', 13_000],
      ['advert', 13_000],
    ])
    const third = { directors: ['d1', 'd2', 'd3'] }
    expect(judge([crash, holds(13_000, 'd2'), advert(13_500, 'd3'), end], third).proof).toHaveLength(2)
    expect(proofOf([crash, advert(13_000, 'd1', 0), holds(13_000, 'd2'), end])).toHaveLength(3)
    expect(proofOf([crash, advert(13_001, 'd1', 0), holds(13_000, 'd2'), end])).toHaveLength(2)
  })

  it('shows the last advert of the others for this VIP where the VIP never came', () => {
    const other = { ...advert(9900, 'd1'), addresses: ['10.0.0.101'] }
    const adverts = [advert(9500, 'd1'), other, advert(9950, 'd2')]
    const verdict = judge([...adverts, crash, end])
    expect(verdict.proof.map(event => event.t)).toEqual([9500, 10_000])
    expect(verdict.measurements).toMatchObject([{ name: 'VIP move', value: 10_000 }])
    expect(verdict.reason).toMatch(/within 10 s after keepalived-crash on d1 \(/)
    const next = fault(14_000, 'keepalived-crash', 'd1', 'heal')
    expect(judge([crash, next, advert(15_000, 'd1'), end]).proof.map(event => event.t)).toEqual([10_000])
    expect(judge([crash, next, end]).measurements).toMatchObject([{ value: 4000 }])
  })

  it('takes nothing for the move that came before the fault, after the next one, or with another address', () => {
    const second = { ...(holds(13_000, 'd2') as Extract<LabEvent, { kind: 'address' }>), address: '10.0.0.101' }
    expect(judge([crash, second, end]).outcome).toBe('FAIL')
    expect(judge([crash, holds(10_000, 'd2'), end], { bound: bound(3600, 0) })).toMatchObject({ outcome: 'PASS' })
    expect(judge([holds(9000, 'd2'), crash, end])).toMatchObject({
      outcome: 'INCONCLUSIVE',
      reason: expect.stringContaining('d2 held the VIP 10.0.0.100 before'),
      proof: [{ t: 10_000 }],
    })
    expect(judge([holds(9000, 'd2'), crash, holds(12_000, 'd2', 'remove'), end]).outcome).toBe('FAIL')
    const next = fault(14_000, 'keepalived-crash', 'd1', 'heal')
    const three = { directors: ['d1', 'd2', 'd3'] }
    expect(judge([crash, next, holds(14_001, 'd3'), end], three).reason).not.toContain('took it')
    expect(judge([crash, next, holds(14_000, 'd3'), end], three).reason).toContain('d3 took it 4 s after')
    expect(judge([crash, holds(10_000, 'd3'), end], three).reason).toContain('d3 took it 0 s after')
    expect(judge([holds(9000, 'd3'), crash, end], three).reason).not.toContain('took it')
  })

  it('waits for the one that it is to come to, whoever has it for a moment before', () => {
    const three = { directors: ['d1', 'd2', 'd3'] }
    const moment = [holds(12_000, 'd3'), holds(12_500, 'd3', 'remove')]
    expect(judge([crash, ...moment, holds(13_000, 'd2'), end], three)).toMatchObject({
      outcome: 'PASS',
      measurements: [{ name: 'VIP move', value: 3000 }],
    })
  })

  it('shows the address that came, and no other that changed in that moment', () => {
    const at = (node: string, change: 'add' | 'remove', address = '10.0.0.100'): LabEvent => ({
      ...(holds(13_000, node, change) as Extract<LabEvent, { kind: 'address' }>),
      address,
    })
    const beside = [
      at('d2', 'add', '10.0.0.101'),
      at('d2', 'remove'),
      at('d1', 'remove'),
      at('d1', 'add', '10.0.0.101'),
    ]
    const proof = judge([crash, ...beside, holds(13_000, 'd2'), end]).proof.filter(({ kind }) => kind === 'address')
    expect(proof).toEqual([holds(13_000, 'd2')])
  })

  it('shows no advert from after the next thing that is done, and no other one as the goodbye', () => {
    const next = fault(14_000, 'keepalived-crash', 'd1', 'heal')
    const times = (events: LabEvent[]) => proofOf(events).filter(([kind]) => kind === 'advert')
    expect(times([crash, holds(13_000, 'd2'), next, advert(14_001, 'd2'), end])).toEqual([])
    expect(times([crash, holds(13_000, 'd2'), next, advert(14_000, 'd2'), end])).toEqual([['advert', 14_000]])
    const said = [advert(10_500, 'd1', 150), advert(11_000, 'd1', 150), advert(13_000, 'd1', 150)]
    expect(times([crash, ...said, holds(13_000, 'd2'), end])).toEqual([['advert', 13_000]])
  })

  it('names what it cannot tell from', () => {
    expect(judge([crash, mark(12_000)]).proof).toEqual([crash])
    expect(checkFailover(historyInTime([crash, holds(13_000, 'd2')]), params).proof).toEqual([crash])
  })
})
