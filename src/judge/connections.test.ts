import { describe, expect, it } from 'vitest'
import type { LabEvent, ProbeEvent } from '../history/event.ts'
import { checkConnections, type ConnectionsParams } from './connections.ts'
import { connection, fault, historyInTime, mark } from './examples.ts'

const params: ConnectionsParams = { probe: 'held', fault: 'keepalived-crash', node: 'd1' }
const crash = fault(10_000, 'keepalived-crash', 'd1', 'inject', 100)
const judge = (events: LabEvent[], changes: Partial<ConnectionsParams> = {}) =>
  checkConnections(historyInTime([crash, ...events]), { ...params, ...changes })
const broken = (t: number, lastAnswer = 10_000) => ({
  t,
  change: 'broken' as const,
  outcome: 'reset' as const,
  lastAnswer,
})

describe('established connections', () => {
  it('pass when all were answered after the fault', () => {
    const verdict = judge([...connection(0, 'rs1', 1000, { t: 30_000 }), ...connection(1, 'rs2', 1000, { t: 30_000 })])
    expect(verdict).toMatchObject({
      outcome: 'PASS',
      reason: 'All 2 connections survived keepalived-crash on d1.',
      measurements: [{ value: 2, unit: 'connections' }, { value: 0 }, { value: 0 }],
    })
    expect(verdict.proof.map(event => event.t)).toEqual([1000, 10_000, 30_000])
  })

  it('fail when one breaks, and say which and when', () => {
    const verdict = judge([...connection(0, 'rs1', 1000, broken(15_000)), ...connection(1, 'rs2', 1000, { t: 30_000 })])
    expect(verdict).toMatchObject({
      outcome: 'FAIL',
      reason:
        '1 of 2 connections that had to survive keepalived-crash on d1 broke: ' +
        'connection 0 to rs1 broke 5 s after (reset, last answer 0 s after).',
      measurements: [{ value: 2 }, { value: 1 }, { value: 1 }],
    })
    expect(verdict.proof.map(event => event.t)).toEqual([1000, 10_000, 15_000])
  })

  it('may break to the servers named, and to no others', () => {
    const one = [...connection(0, 'rs1', 1000, broken(15_000)), ...connection(1, 'rs2', 1000, { t: 30_000 })]
    expect(judge(one, { mayBreak: ['rs1'] })).toMatchObject({
      outcome: 'PASS',
      reason: 'All 1 connections survived keepalived-crash on d1; 1 to rs1 were free to break.',
      measurements: [{ value: 2 }, { value: 1 }, { value: 0 }],
    })
    expect(judge(one, { mayBreak: ['rs2'] }).outcome).toBe('FAIL')
    expect(judge(connection(0, 'rs1', 1000, { t: 30_000 }), { mayBreak: ['rs1'] })).toMatchObject({
      outcome: 'INCONCLUSIVE',
      reason: expect.stringContaining('all of them to rs1, which may break'),
    })
  })

  it('are those that were open when the fault began', () => {
    const survivor = connection(0, 'rs1', 10_000, { t: 30_000 })
    expect(judge([...survivor, ...connection(1, 'rs1', 10_001, broken(15_000))]).outcome).toBe('PASS')
    expect(judge([...survivor, ...connection(1, 'rs1', 1000, broken(10_000))]).outcome).toBe('PASS')
    expect(judge([...survivor, ...connection(1, 'rs1', 1000, broken(10_001))]).outcome).toBe('FAIL')
    expect(judge(connection(0, 'rs1', 10_001, { t: 30_000 }))).toMatchObject({
      outcome: 'INCONCLUSIVE',
      reason: expect.stringContaining('held no connection when keepalived-crash on d1 began'),
      proof: [{ kind: 'fault' }],
    })
  })
})

describe('up to the next thing that is done to the lab', () => {
  const heal = fault(20_000, 'keepalived-crash', 'd1', 'heal')

  it('a break counts, a later one does not', () => {
    expect(judge([heal, ...connection(0, 'rs1', 1000, broken(20_000))]).outcome).toBe('FAIL')
    expect(judge([heal, ...connection(0, 'rs1', 1000, broken(25_000, 20_000))]).outcome).toBe('PASS')
    expect(judge([heal, ...connection(0, 'rs1', 1000, broken(25_000, 19_900))]).outcome).toBe('INCONCLUSIVE')
    // reset soon after the next thing was done: by which of the two?
    expect(judge([heal, ...connection(0, 'rs1', 1000, broken(20_500, 19_900))]).outcome).toBe('INCONCLUSIVE')
  })

  it('what was done while the fault took effect does not end it', () => {
    const same = fault(10_050, 'mark', 'c1')
    expect(judge([same, ...connection(0, 'rs1', 1000, broken(15_000))]).outcome).toBe('FAIL')
  })
})

describe('says nothing', () => {
  it('without the fault', () => {
    expect(judge([], { node: 'd2' })).toMatchObject({
      outcome: 'INCONCLUSIVE',
      reason: expect.stringContaining('keepalived-crash was never injected into d2'),
    })
  })

  it('of connections that were not answered after it, or not late enough after it', () => {
    const quiet = judge(connection(0, 'rs1', 1000, { t: 30_000, lastAnswer: 10_100 }))
    expect(quiet).toMatchObject({
      outcome: 'INCONCLUSIVE',
      reason: expect.stringMatching(
        /1 of 1 connections cannot be told .*: connection 0 to rs1 was closed \(last answer 0.1 s/,
      ),
      measurements: [{ value: 1 }, {}, {}],
      proof: [{}, {}, {}],
    })
    const closed = (lastAnswer: number, changes: Partial<ConnectionsParams> = {}, t = 11_101) =>
      judge([...connection(0, 'rs1', 1000, { t, lastAnswer }), mark(40_000)], changes).outcome
    expect([10_100, 10_101].map(t => closed(t))).toEqual(['INCONCLUSIVE', 'PASS'])
    expect([closed(11_000, { afterMs: 900 }), closed(11_000, { afterMs: 899 })]).toEqual(['INCONCLUSIVE', 'PASS'])
    // silent at its end: nobody had noticed yet that it was broken
    expect([closed(29_000, {}, 30_001), closed(29_001, {}, 30_001)]).toEqual(['INCONCLUSIVE', 'PASS'])
    expect(closed(29_000, { quietMs: 1001 }, 30_001)).toBe('PASS')
    const next = fault(20_000, 'netem', 'c1')
    expect(judge([next, ...connection(0, 'rs1', 1000, { t: 30_000, lastAnswer: 20_000 })]).outcome).toBe('PASS')
    const [open, last] = connection(0, 'rs1', 1000, { t: 30_000 })
    const { lastAnswer: _, ...never } = last as Extract<LabEvent, { kind: 'connection' }>
    expect(judge([open as LabEvent, never]).reason).toContain('never answered')
  })

  it('of connections without an end', () => {
    expect(judge([...connection(0, 'rs1', 1000), mark(90_000)])).toMatchObject({
      outcome: 'INCONCLUSIVE',
      reason: expect.stringContaining('connection 0 to rs1 had no end in the recording'),
    })
  })

  it('of a broken one to nobody knows whom, where some may break', () => {
    const nameless = connection(0, undefined, 1000, broken(15_000))
    expect(judge(nameless)).toMatchObject({ outcome: 'FAIL', reason: expect.stringContaining('an unknown server') })
    expect(judge(nameless, { mayBreak: ['rs2'] }).outcome).toBe('INCONCLUSIVE')
  })

  it('of what broke in a probe that was starved', () => {
    const stop: ProbeEvent = {
      kind: 'probe',
      t: 30_000,
      phase: 'stop',
      probe: 'held',
      type: 'tcp',
      client: 'c1',
      target: '',
      rate: 10,
      sent: 100,
      late: 2,
    }
    const bad = connection(0, 'rs1', 1000, broken(15_000))
    expect(judge([...bad, stop])).toMatchObject({ outcome: 'INCONCLUSIVE', reason: expect.stringContaining('2%') })
    expect(judge([...bad, { ...stop, late: 1 }]).outcome).toBe('FAIL')
  })
})

it('counts the broken up to the next thing that is done, which may not be the fault itself', () => {
  const next = fault(20_000, 'netem', 'c1')
  const both = [...connection(0, 'rs1', 1000, broken(20_000)), ...connection(1, 'rs2', 1000, broken(20_001))]
  const verdict = judge([next, ...both, mark(30_000)], { mayBreak: ['rs1', 'rs2'] })
  expect(verdict.outcome).toBe('INCONCLUSIVE')
  expect(judge([next, ...both, mark(30_000)], { mayBreak: ['rs2'] }).measurements).toEqual([
    { name: 'connections held', value: 2, unit: 'connections' },
    { name: 'broken', value: 1, unit: 'connections' },
    { name: 'broken that must survive', value: 1, unit: 'connections' },
  ])
  const done = fault(10_100, 'netem', 'c1')
  expect(judge([done, ...connection(0, 'rs1', 1000, broken(15_000))]).outcome).toBe('FAIL')
  const many = [0, 1, 2, 3].flatMap(n => connection(n, 'rs1', 1000 + n, broken(15_000 + n)))
  expect(judge(many).proof).toHaveLength(7)
})
