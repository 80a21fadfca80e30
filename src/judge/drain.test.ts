import { describe, expect, it } from 'vitest'
import type { LabEvent, ProbeEvent } from '../history/event.ts'
import { checkDrain, type DrainParams } from './drain.ts'
import {
  connection,
  failing,
  fault,
  historyInTime,
  holds,
  mark,
  request,
  requests,
  SERVICE,
  staleOnD1,
  table,
  VIP,
} from './examples.ts'

const params: DrainParams = {
  vip: VIP,
  directors: ['d1', 'd2'],
  service: SERVICE,
  server: { node: 'rs1', address: '10.0.0.11', port: 80 },
  fault: 'config-change',
  node: 'd1',
}
const change = fault(10_000, 'config-change', 'd1', 'inject', 200)
const weightless = table(11_000, 'd1', ['rs2'])
const start = [holds(0, 'd1'), table(0, 'd1', ['rs1', 'rs2'])]
const judge = (events: LabEvent[], changes: Partial<DrainParams> = { probe: 'p' }) =>
  checkDrain(historyInTime([...start, change, weightless, ...events]), { ...params, ...changes })
/** Answered by both before the drain, by rs2 after it. */
const good = [
  ...requests(9000, 11_100, n => ({ server: n % 2 ? 'rs1' : 'rs2' })),
  ...requests(11_100, 20_000, () => ({ server: 'rs2' })),
]
const only = (t: number, server: string, source = '10.0.0.50') => request(t, { server, source })

describe('requests in a drain', () => {
  it('pass when all are answered, and none by the drained server', () => {
    const verdict = judge(good)
    expect(verdict).toMatchObject({
      outcome: 'PASS',
      reason: 'All 100 requests were answered, and none reached rs1 after its drain.',
      measurements: [
        { name: 'failed in the drain', value: 0 },
        { name: 'reached the drained server', value: 0 },
      ],
    })
    expect(verdict.proof.map(event => [event.kind, event.t])).toEqual([
      ['request', 10_000],
      ['ipvs', 11_000],
      ['request', 19_900],
    ])
    const kept = [...start, change, table(11_000, 'd1', ['rs1', 'rs2'], 0), ...good]
    expect(checkDrain(historyInTime(kept), { ...params, probe: 'p' }).outcome).toBe('PASS')
  })

  it('fail when one fails, from the change on', () => {
    const verdict = judge([...good, ...failing(10_500, 10_700)])
    expect(verdict.outcome).toBe('FAIL')
    expect(verdict.reason).toBe('2 of 102 requests failed, the first was request 105 at 10.500 s (refused).')
    expect(verdict.proof.map(event => event.t)).toEqual([10_500, 11_000])
    expect(judge([...good, ...failing(10_000, 10_001)]).outcome).toBe('FAIL')
    expect(judge([...good, ...failing(9900, 9901)]).outcome).toBe('PASS')
  })

  it('fail when one reaches the drained server, unless it was on its way', () => {
    const verdict = judge([...good, only(11_100, 'rs1')])
    expect(verdict.outcome).toBe('FAIL')
    expect(verdict.reason).toBe(
      '1 new requests reached rs1 after its drain, the first was request 111 at 11.100 s (answered by rs1), 0.1 s after it.',
    )
    expect(verdict.measurements).toMatchObject([{ value: 0 }, { value: 1 }])
    expect(judge([...good, only(11_099, 'rs1')]).outcome).toBe('PASS')
    expect(judge([...good, only(11_099, 'rs1')], { probe: 'p', inFlightMs: 50 }).outcome).toBe('FAIL')
    const both = judge([...good, ...failing(12_000, 12_100), only(12_300, 'rs1')])
    expect(both.reason).toMatch(/^1 of 102 requests failed.*; 1 new requests reached rs1/)
  })

  it('may reach it from clients that persistence binds to it', () => {
    const persistent = { probe: 'p', persistenceMs: 5000 }
    const bound = [...good, only(9500, 'rs1', '10.0.0.51'), only(14_500, 'rs1', '10.0.0.51')]
    expect(judge(bound, persistent)).toMatchObject({
      outcome: 'PASS',
      reason: expect.stringContaining('after its drain; 1 went there as persistence binds their clients to it.'),
    })
    expect(judge(bound).outcome).toBe('FAIL')
    expect(judge(bound, { probe: 'p', persistenceMs: 4999 }).outcome).toBe('FAIL')
    expect(judge([...good, only(14_500, 'rs1', '10.0.0.51')], persistent).outcome).toBe('FAIL')
    expect(judge([...good, only(9500, 'rs2', '10.0.0.51'), only(14_500, 'rs1', '10.0.0.51')], persistent).outcome).toBe(
      'FAIL',
    )
    expect(judge([...bound, only(19_000, 'rs1', '10.0.0.51')], persistent).outcome).toBe('PASS')
    expect(judge([...bound, only(19_501, 'rs1', '10.0.0.51')], persistent).outcome).toBe('FAIL')
  })

  it('end with the next thing that is done, or with the return of the server', () => {
    const next = fault(15_000, 'httpd-stop', 'rs2')
    expect(judge([...good, next, ...failing(15_100, 16_000)]).outcome).toBe('PASS')
    expect(judge([...good, next, ...failing(15_000, 15_001)]).outcome).toBe('FAIL')
    expect(judge([...good, fault(10_150, 'netem', 'c1'), ...failing(15_100, 16_000)]).outcome).toBe('FAIL')
    const back = table(15_000, 'd1', ['rs1', 'rs2'])
    expect(judge([...good, back, only(15_100, 'rs1')]).outcome).toBe('PASS')
    expect(judge([...good, back, only(14_900, 'rs1')]).outcome).toBe('FAIL')
  })

  it('say nothing when there were none after it, or the probe was starved', () => {
    expect(judge([...requests(9000, 11_000), mark(20_000)])).toMatchObject({
      outcome: 'INCONCLUSIVE',
      reason: expect.stringContaining('sent nothing after rs1 was drained'),
      proof: [{ kind: 'ipvs' }],
    })
    expect(judge([only(11_100, 'rs2'), mark(20_000)]).outcome).toBe('PASS')
    const late = failing(12_000, 14_000).map(one => ({ ...one, scheduled: one.t - 100 }))
    expect(judge(late)).toMatchObject({ outcome: 'INCONCLUSIVE', reason: expect.stringContaining('starved') })
    const before = requests(5000, 8000).map(one => ({ ...one, scheduled: one.t - 100 }))
    const after = requests(21_000, 24_000).map(one => ({ ...one, scheduled: one.t - 100 }))
    const end = fault(20_500, 'netem', 'c1')
    expect(judge([...before, ...good, ...failing(12_000, 12_100), end, ...after]).outcome).toBe('FAIL')
  })
})

describe('connections in a drain', () => {
  const held = { connections: 'held' }
  const broken = (t: number) => ({ t, change: 'broken' as const, outcome: 'reset' as const })
  const alive = connection(0, 'rs1', 1000, { t: 30_000 })

  it('pass when they live on', () => {
    const verdict = judge([...alive, ...connection(1, 'rs2', 1000, { t: 30_000 })], held)
    expect(verdict).toMatchObject({
      outcome: 'PASS',
      reason: 'All 1 connections to rs1 lived on after its drain, and no new one reached it.',
      measurements: [{ value: 1 }, { value: 0 }, { value: 0 }],
    })
    expect(verdict.proof.map(event => event.t)).toEqual([1000, 11_000, 30_000])
  })

  it('fail when one breaks, whoever its server is, from the change on', () => {
    const verdict = judge([...alive, ...connection(1, 'rs2', 1000, broken(15_000)), mark(40_000)], held)
    expect(verdict).toMatchObject({ outcome: 'FAIL', measurements: [{ value: 1 }, { value: 1 }, { value: 0 }] })
    expect(verdict.reason).toBe(
      '1 established connections broke in the drain of rs1: connection 1 to rs2 broke 4 s after ' +
        '(reset, last answer 3.95 s after).',
    )
    expect(verdict.proof.map(event => event.t)).toEqual([1000, 11_000, 15_000])
    expect(judge([...alive, ...connection(1, 'rs1', 1000, broken(10_001))], held).outcome).toBe('FAIL')
    expect(judge([...alive, ...connection(1, 'rs1', 1000, broken(10_000))], held).outcome).toBe('PASS')
    const next = fault(20_000, 'httpd-stop', 'rs2')
    expect(judge([...alive, next, ...connection(1, 'rs2', 1000, broken(20_000))], held).outcome).toBe('FAIL')
    expect(judge([...alive, next, ...connection(1, 'rs2', 1000, broken(20_001))], held).outcome).toBe('PASS')
  })

  it('fail when a new one reaches the drained server, unless persistence binds its client', () => {
    const fresh = [...alive, ...connection(1, 'rs1', 11_100, { t: 30_000 })]
    const verdict = judge(fresh, held)
    expect(verdict).toMatchObject({ outcome: 'FAIL', measurements: [{ value: 1 }, { value: 0 }, { value: 1 }] })
    expect(verdict.reason).toMatch(/^1 new connections reached rs1 after its drain: connection 1 to rs1 was closed/)
    expect(verdict.proof.map(event => event.t)).toEqual([11_000, 11_100])
    expect(judge([...alive, ...connection(1, 'rs1', 11_099, { t: 30_000 })], held).outcome).toBe('PASS')
    expect(judge([...alive, ...connection(1, 'rs2', 11_100, { t: 30_000 })], held).outcome).toBe('PASS')
    expect(judge(fresh, { ...held, persistenceMs: 10_100 }).outcome).toBe('PASS')
    expect(judge(fresh, { ...held, persistenceMs: 10_099 }).outcome).toBe('FAIL')
    const other = fresh.map(event => (event.n === 1 ? { ...event, source: '10.0.0.51' } : event))
    expect(judge(other, { ...held, persistenceMs: 10_100 }).outcome).toBe('FAIL')
    const elsewhere = [...connection(2, 'rs2', 9000, { t: 30_000 }), ...other].map(event => ({
      ...event,
      source: event.n === 0 ? '10.0.0.52' : '10.0.0.51',
    }))
    expect(judge(elsewhere, { ...held, persistenceMs: 10_100 }).outcome).toBe('FAIL')
    const next = fault(20_000, 'httpd-stop', 'rs2')
    expect(judge([...alive, next, ...connection(1, 'rs1', 20_001, { t: 30_000 })], held).outcome).toBe('PASS')
    expect(judge([...alive, next, ...connection(1, 'rs1', 20_000, { t: 30_000 })], held).outcome).toBe('FAIL')
  })

  it('say nothing when none was held to the server, or nobody spoke on it afterwards', () => {
    const none = { outcome: 'INCONCLUSIVE', reason: expect.stringContaining('held no connection to rs1') }
    expect(judge(connection(0, 'rs2', 1000, { t: 30_000 }), held)).toMatchObject(none)
    expect(judge(connection(0, 'rs1', 10_001, { t: 30_000 }), held)).toMatchObject(none)
    expect(judge(connection(0, 'rs1', 1000, { t: 10_000 }), held)).toMatchObject(none)
    const quiet = judge([...alive, ...connection(1, 'rs1', 10_000, { t: 30_000, lastAnswer: 11_000 })], held)
    expect(quiet).toMatchObject({
      outcome: 'INCONCLUSIVE',
      reason: expect.stringContaining('Only 1 of 2 connections to rs1 are known'),
      proof: [{ t: 1000 }, { t: 11_000 }, { t: 30_000 }],
    })
    const closed = (lastAnswer: number, changes: Partial<DrainParams> = {}) =>
      judge(connection(1, 'rs1', 10_000, { t: 12_001, lastAnswer }), { ...held, ...changes }).outcome
    expect([11_000, 11_001].map(t => closed(t))).toEqual(['INCONCLUSIVE', 'PASS'])
    expect(closed(11_001, { quietMs: 999 })).toBe('INCONCLUSIVE')
    expect(judge([...connection(0, 'rs1', 1000), mark(40_000)], held).outcome).toBe('INCONCLUSIVE')
  })

  it('do not blame the lab for what broke in a starved probe', () => {
    const stop: ProbeEvent = {
      kind: 'probe',
      t: 30_000,
      phase: 'stop',
      probe: 'held',
      type: 'tcp',
      client: 'c1',
      target: '',
      rate: 10,
      sent: 10,
      late: 5,
    }
    expect(judge([...connection(0, 'rs1', 1000, broken(15_000)), stop], held)).toMatchObject({
      outcome: 'INCONCLUSIVE',
      reason: expect.stringContaining('The probe held was starved'),
    })
  })
})

describe('a drain', () => {
  it('says nothing when it was never done, or not seen', () => {
    const said = (events: LabEvent[], changes: Partial<DrainParams> = {}) => {
      const verdict = checkDrain(historyInTime(events), { ...params, probe: 'p', ...changes })
      expect(verdict.outcome).toBe('INCONCLUSIVE')
      return verdict.reason
    }
    const all = [...start, change, weightless, ...good]
    expect(said(all, { node: 'd2' })).toContain('config-change was never injected into d2, so rs1 was not drained')
    expect(said([table(0, 'd1', ['rs1']), change, weightless, ...good])).toContain('No live director held the VIP')
    expect(said([holds(0, 'd1'), change, weightless, ...good])).toContain('rs1 was not in the table of d1 before')
    expect(said([holds(0, 'd1'), table(0, 'd1', ['rs2']), change, weightless, ...good])).toContain(
      'was not in the table',
    )
    expect(said([...start, change, table(11_000, 'd1', ['rs1', 'rs2']), ...good])).toContain('rs1 kept its weight')
    expect(said([...start, change, ...good])).toContain('rs1 kept its weight in the table of d1')
    expect(said([...start, change, fault(10_500, 'netem', 'c1'), weightless, ...good])).toContain('kept its weight')
    expect(said([...start, change, table(11_000, 'd2', ['rs2']), ...good])).toContain('kept its weight')
    expect(said(all, { server: { ...params.server, port: 81 } })).toContain('rs1 was not in the table of d1')
    expect(said(all, { server: { ...params.server, address: '10.0.0.19' } })).toContain('rs1 was not in the table')
    const { probe: _, ...nothing } = { ...params, probe: 'p' }
    expect(checkDrain(historyInTime(all), nothing)).toMatchObject({ reason: 'Nothing was judged.' })
  })

  it('is seen in the table of who attends to the VIP, whatever a dead director still holds', () => {
    const there = [...staleOnD1(), table(0, 'd1', ['rs1', 'rs2']), table(3000, 'd2', ['rs1', 'rs2'])]
    const events = [...there, fault(10_000, 'config-change', 'd2'), table(11_000, 'd2', ['rs2']), ...good]
    expect(checkDrain(historyInTime(events), { ...params, node: 'd2', probe: 'p' }).outcome).toBe('PASS')
  })

  it('judges requests and connections together', () => {
    const verdict = judge([...good, ...connection(0, 'rs1', 1000, { t: 30_000 })], { probe: 'p', connections: 'held' })
    expect(verdict).toMatchObject({ outcome: 'PASS', reason: expect.stringMatching(/requests.*connections/) })
  })
})

it('begins with the first table after the change, and ends with the next thing after it', () => {
  const early = [table(5000, 'd1', ['rs2']), table(6000, 'd1', ['rs1', 'rs2'])]
  const all = { ...params, probe: 'p', connections: 'held' }
  expect(checkDrain(historyInTime([...start, ...early, change, ...good]), all)).toMatchObject({
    outcome: 'INCONCLUSIVE',
    proof: [change],
  })
  const same = fault(10_200, 'netem', 'c1')
  expect(judge([...good, same, ...failing(15_100, 15_200)]).outcome).toBe('FAIL')
  const nobody = checkDrain(historyInTime([table(0, 'd1', ['rs1']), change]), all)
  expect(nobody.proof).toEqual([change])
  const absent = checkDrain(historyInTime([holds(0, 'd1'), table(0, 'd1', ['rs2']), change]), all)
  expect(absent.proof.map(event => event.t)).toEqual([0, 10_000])
  const without = { ...table(0, 'd1', []), services: [] }
  expect(checkDrain(historyInTime([holds(0, 'd1'), without, change]), all).outcome).toBe('INCONCLUSIVE')
  const names = judge(good, { probe: 'p', connections: 'held' }).measurements.map(({ name }) => name)
  expect(names).toEqual(['failed in the drain', 'reached the drained server'])
})
