import { describe, expect, it } from 'vitest'
import type { IpvsEvent, LabEvent } from '../history/event.ts'
import {
  bound,
  DIRECTORS,
  fault,
  historyInTime,
  holds,
  mark,
  requests,
  SERVICE,
  staleOnD1,
  table,
  VIP,
} from './examples.ts'
import { checkUndisturbed, type UndisturbedParams } from './undisturbed.ts'

const params: UndisturbedParams = {
  ...{ vip: VIP, directors: DIRECTORS, owner: 'd1', fault: 'keepalived-reload', node: 'd1' },
  ...{ services: [SERVICE], probe: 'p', watchBound: bound(3600, 2600) },
}
const reload = [
  fault(10_000, 'keepalived-reload', 'd1', 'inject', 100),
  fault(10_200, 'keepalived-reload', 'd1', 'heal', 50),
]
const both = (t: number): IpvsEvent => table(t, 'd1', ['rs1', 'rs2'])
const whole: LabEvent[] = [holds(0, 'd1'), both(0), ...reload, ...requests(9_000, 14_000), both(14_000), mark(14_000)]
const judge = (events: LabEvent[], changes: Partial<UndisturbedParams> = {}) =>
  checkUndisturbed(historyInTime(events), { ...params, ...changes })
const without = (kind: LabEvent['kind']): LabEvent[] => whole.filter(event => event.kind !== kind)

it('passes when the VIP stayed, the table too, and every request was answered', () => {
  expect(judge(whole)).toMatchObject({
    outcome: 'PASS',
    reason:
      'd1 kept the VIP 10.0.0.100 through keepalived-reload on d1. ' +
      'TCP 10.0.0.100:80 on d1 stayed as it was, rr: 10.0.0.11:80 (Route, weight 1), 10.0.0.12:80 (Route, weight 1). ' +
      'All 40 requests were answered.',
    measurements: [{ name: 'failed requests', value: 0, unit: 'requests' }],
  })
  expect(judge(whole).proof.map(event => [event.kind, event.t])).toEqual([
    ['ipvs', 0],
    ['fault', 10_000],
    ['request', 10_000],
    ['request', 13_900],
    ['ipvs', 14_000],
  ])
  // what a snapshot states again is no change
  expect(judge([...whole, holds(12_000, 'd1')]).outcome).toBe('PASS')
})

describe('the VIP', () => {
  it('fails when the owner loses it, even for a moment', () => {
    expect(judge([...whole, holds(10_500, 'd1', 'remove'), holds(10_600, 'd1')])).toMatchObject({
      outcome: 'FAIL',
      reason: 'd1 lost the VIP 10.0.0.100 0.5 s after keepalived-reload on d1.',
      proof: expect.arrayContaining([expect.objectContaining({ t: 10_500, change: 'remove' })]),
    })
  })

  it('fails when another takes it', () => {
    expect(judge([...whole, holds(13_200, 'd2')])).toMatchObject({
      outcome: 'FAIL',
      reason: 'd2 took the VIP 10.0.0.100 3.2 s after keepalived-reload on d1.',
      proof: expect.arrayContaining([expect.objectContaining({ t: 13_200, node: 'd2' })]),
    })
    expect(judge([...whole, holds(10_000, 'd2')]).outcome).toBe('INCONCLUSIVE') // both held it when it began
  })

  it('is judged from what is done to the next thing that is broken', () => {
    const earlier = [holds(1_000, 'd1', 'remove'), holds(1_000, 'd2'), holds(2_000, 'd2', 'remove'), holds(2_000, 'd1')]
    expect(judge([...whole, ...earlier]).outcome).toBe('PASS')
    expect(judge([...whole, holds(1_000, 'd2'), holds(1_500, 'd2', 'remove')]).outcome).toBe('PASS')
    const later = [fault(14_500, 'keepalived-crash', 'd1'), holds(15_000, 'd1', 'remove'), holds(15_000, 'd2')]
    expect(judge([...whole, ...later, mark(16_000)]).outcome).toBe('PASS')
    // at the very end of it
    const at = fault(14_000, 'keepalived-crash', 'd1')
    expect(judge([...whole, at, holds(14_000, 'd1', 'remove')]).outcome).toBe('FAIL')
    expect(judge([...whole, at, holds(14_000, 'd2')]).outcome).toBe('FAIL')
  })

  it('is proved by the address that came or went', () => {
    const others = [
      { ...holds(10_500, 'd1', 'remove'), address: '10.0.0.101' } as LabEvent,
      { ...holds(13_200, 'd2'), address: '10.0.0.101' } as LabEvent,
      holds(10_500, 'd3'),
    ]
    const { proof } = judge([...others, ...whole, holds(10_500, 'd1', 'remove'), holds(13_200, 'd2')])
    expect(proof.filter(({ kind }) => kind === 'address')).toMatchObject([
      { t: 10_500, node: 'd1', address: VIP, change: 'remove' },
      { t: 13_200, node: 'd2', address: VIP, change: 'add' },
    ])
  })

  it('is held alone by who attends to it, whatever a dead director still holds', () => {
    const events = [...staleOnD1(), both(0), table(3000, 'd2', ['rs1', 'rs2']), ...reload, mark(14_000)]
    const onD2 = events.map(event => (event.kind === 'fault' && event.t > 5000 ? { ...event, node: 'd2' } : event))
    const seen = [...onD2, table(13_000, 'd2', ['rs1', 'rs2'])]
    const { probe: _probe, ...unasked } = params
    const { outcome, reason } = checkUndisturbed(historyInTime(seen), { ...unasked, owner: 'd2', node: 'd2' })
    expect([outcome, reason]).toEqual(['PASS', expect.stringContaining('d2 kept the VIP')])
  })

  it('is not judged where another held it, or nothing was done', () => {
    expect(judge([...without('address'), holds(0, 'd2')])).toMatchObject({
      outcome: 'INCONCLUSIVE',
      reason: 'd1 did not hold the VIP 10.0.0.100 alone when keepalived-reload on d1 began, but d2.',
    })
    expect(judge(without('address')).reason).toContain('but nobody')
    expect(judge(without('fault')).reason).toBe(
      'keepalived-reload was never injected into d1, so nothing could be disturbed by it.',
    )
  })
})

describe('the table', () => {
  it('fails when a server left it, got another weight, or the service is gone', () => {
    expect(judge([...whole, table(10_300, 'd1', ['rs2'])])).toMatchObject({
      outcome: 'FAIL',
      reason:
        'TCP 10.0.0.100:80 on d1 was changed by keepalived-reload on d1: ' +
        'rr: 10.0.0.11:80 (Route, weight 1), 10.0.0.12:80 (Route, weight 1) before, ' +
        'rr: 10.0.0.12:80 (Route, weight 1) 0.3 s after it.',
    })
    expect(judge([...whole, table(10_300, 'd1', ['rs2'])])).toMatchObject({
      measurements: [{ name: 'failed requests' }],
      proof: expect.arrayContaining([expect.objectContaining({ kind: 'ipvs', t: 10_300 })]),
    })
    expect(judge([...whole, table(10_300, 'd1', ['rs1', 'rs2'], 0)]).outcome).toBe('FAIL')
    expect(judge([...whole, { ...both(10_300), services: [] }]).reason).toContain('no such service 0.3 s')
    expect(judge([...whole, table(10_300, 'd1', [])]).reason).toContain('before, rr: no destination 0.3 s after it')
  })

  it('fails when the scheduler, the persistence or the forwarding is another', () => {
    const [service] = both(10_300).services
    const changed = (change: object): string =>
      judge([...whole, { ...both(10_300), services: [{ ...service!, ...change }] }]).reason
    expect(changed({ scheduler: 'sh' })).toContain('before, sh: 10.0.0.11:80')
    expect(changed({ persistent: true })).toContain('before, rr persistent: 10.0.0.11:80')
    const destinations = service!.destinations.map(one => ({ ...one, forwarding: 'Masq' as const }))
    expect(changed({ destinations })).toContain('before, rr: 10.0.0.11:80 (Masq, weight 1)')
  })

  it('is the same in another order, and another director has its own', () => {
    expect(judge([...whole, table(10_300, 'd1', ['rs2', 'rs1'])]).outcome).toBe('PASS')
    expect(judge([...whole, table(10_300, 'd2', ['rs1'])]).outcome).toBe('PASS')
    expect(judge([...whole, table(9_000, 'd1', ['rs1'])]).outcome).toBe('FAIL')
    // the last look before it counts, and a look at its very moment is one
    expect(judge([...whole, table(9_000, 'd1', ['rs1']), both(10_000)]).outcome).toBe('PASS')
    const { services } = both(10_300)
    const other = services.map(one => ({ ...one, service: 'TCP 10.0.0.101:80', destinations: [] }))
    expect(judge([...whole, { ...both(10_300), services: [...other, ...services] }]).outcome).toBe('PASS')
  })

  it('cannot be judged where it was not seen before and after', () => {
    expect(judge([...without('ipvs'), both(14_000)])).toMatchObject({
      outcome: 'INCONCLUSIVE',
      reason: expect.stringContaining('d1 was not seen to have TCP 10.0.0.100:80 before'),
    })
    expect(judge([...without('ipvs'), both(0)]).reason).toContain('were not looked at after')
    expect(judge(without('ipvs'), { services: [] }).outcome).toBe('PASS')
    expect(judge([...without('ipvs'), { ...both(0), services: [] }, both(14_000)]).outcome).toBe('INCONCLUSIVE')
  })
})

describe('the requests', () => {
  it('fail it when one was lost', () => {
    const lossy = [...without('request'), ...requests(9_000, 14_000, n => (n === 12 ? { outcome: 'refused' } : {}))]
    expect(judge(lossy)).toMatchObject({
      outcome: 'FAIL',
      reason:
        '1 of 40 requests failed, the first was request 102 at 10.200 s (refused), 0.2 s after keepalived-reload on d1.',
      measurements: [{ value: 1 }],
      proof: expect.arrayContaining([expect.objectContaining({ kind: 'request', t: 10_200 })]),
    })
    expect(judge(lossy, { probe: 'q' }).outcome).toBe('INCONCLUSIVE')
  })

  it('count from the fault to the next one', () => {
    const early = [...without('request'), ...requests(9_000, 14_000, n => (n === 9 ? { outcome: 'refused' } : {}))]
    expect(judge(early).outcome).toBe('PASS')
    const next = fault(14_500, 'keepalived-crash', 'd1')
    expect(judge([...whole, next, ...requests(14_600, 15_000, () => ({ outcome: 'timeout' }))]).outcome).toBe('PASS')
  })

  it('are not asked for where nobody probes', () => {
    const silent: UndisturbedParams = { ...params }
    delete silent.probe
    expect(checkUndisturbed(historyInTime(without('request')), silent)).toMatchObject({
      outcome: 'PASS',
      measurements: [],
    })
  })

  it('say nothing where none was sent after it', () => {
    expect(judge([...without('request'), ...requests(9_000, 10_100)])).toMatchObject({
      outcome: 'INCONCLUSIVE',
      reason: 'The probe p sent nothing after keepalived-reload on d1.',
    })
    expect(judge(without('request')).outcome).toBe('INCONCLUSIVE')
  })
})

it('needs a recording that is long enough, from the end of the heal on', () => {
  const until = (t: number) => whole.filter(event => event.t < t && event.kind !== 'mark').concat(both(10_300), mark(t))
  expect(judge(until(13_850)).outcome).toBe('PASS')
  expect(judge(until(13_849))).toMatchObject({
    outcome: 'INCONCLUSIVE',
    reason:
      'Only 3.6 s were recorded after the heal of keepalived-reload on d1, ' +
      'and what it disturbs may show 3.6 s after it: 3600 ms.',
  })
  // one that is never healed is watched from its own end
  const alone = whole.filter(event => event.kind !== 'fault' || event.phase === 'inject')
  expect(judge(alone.filter(event => event.t < 13_700).concat(both(13_700))).outcome).toBe('PASS')
  expect(judge(alone.filter(event => event.t < 13_699).concat(both(13_699))).outcome).toBe('INCONCLUSIVE')
  // what went wrong in a short one did go wrong
  expect(judge([...until(12_000), holds(11_000, 'd2')]).outcome).toBe('FAIL')
})
