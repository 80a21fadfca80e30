import { describe, expect, it } from 'vitest'
import type { LabEvent } from '../history/event.ts'
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
import { checkQuorum, type QuorumParams } from './quorum.ts'

const [RS1, RS2] = ['10.0.0.11:80', '10.0.0.12:80']
const log = (t: number, word: string, node = 'd1', name = `[${VIP}]:tcp:80`): LabEvent => ({
  ...{ kind: 'keepalived', t, node, line: `${word} quorum 2-0=2 > 1 for VS ${name}` },
})
/** Of two servers both are needed: one dies, the sorry server on d1 stands in, and both are back when it returns. */
const params: QuorumParams = {
  ...{ vip: VIP, directors: DIRECTORS, service: SERVICE, fault: 'httpd-crash', probe: 'p' },
  ...{ downBound: bound(3000), upBound: bound(4000) },
  steps: [
    { phase: 'inject', nodes: ['rs1'], destinations: ['10.0.0.2:80'], answers: ['d1'], quorum: 'Lost' },
    { phase: 'heal', nodes: ['rs1'], destinations: [RS2, RS1], answers: ['rs1', 'rs2'], quorum: 'Gained' },
  ],
}
const faults = [fault(10_000, 'httpd-crash', 'rs1'), fault(20_000, 'httpd-crash', 'rs1', 'heal', 100)]
const tables = [table(0, 'd1', ['rs1', 'rs2']), table(12_000, 'd1', ['d1']), table(23_000, 'd1', ['rs1', 'rs2'])]
const logs = [log(12_000, 'Lost'), log(23_000, 'Gained')]
const asked = requests(9_000, 30_000, n => ({ server: n >= 30 && n < 140 ? 'd1' : 'rs2' }))
const whole: LabEvent[] = [holds(0, 'd1'), ...faults, ...tables, ...logs, ...asked, mark(30_000)]
const judge = (events: LabEvent[], changes: Partial<QuorumParams> = {}) =>
  checkQuorum(historyInTime(events), { ...params, ...changes })
const less = (...gone: LabEvent[]): LabEvent[] => whole.filter(event => !gone.includes(event))

it('passes when the pool and the log are what the quorum says, and measures each change', () => {
  expect(judge(whole)).toMatchObject({
    outcome: 'PASS',
    measurements: [
      { name: 'pool after rs1 died', value: 2000, bound: { maxMs: 3000 } },
      { name: 'pool after rs1 returned', value: 3000, bound: { maxMs: 4100 } },
    ],
  })
  expect(judge(whole).reason).toContain('Lost quorum 2 s after httpd-crash on rs1. All 80 requests after that')
})

it('is that of who attends to the VIP, whatever a dead director still holds', () => {
  const onD2 = [...tables, ...logs].map(event => ({ ...event, node: 'd2' }) as LabEvent)
  const events = [...staleOnD1(), table(0, 'd1', ['rs1', 'rs2']), ...faults, ...onD2, ...asked, mark(30_000)]
  expect(judge(events).outcome).toBe('PASS')
})

describe('the pool', () => {
  it('fails when it is late, or never so', () => {
    expect(judge(whole, { downBound: bound(1999) })).toMatchObject({
      outcome: 'FAIL',
      reason: `${SERVICE} on d1 had 10.0.0.2:80 only 2 s after httpd-crash on rs1 (at most 2 s allowed: 1999 ms).`,
    })
    expect(judge(whole, { downBound: bound(2000) }).outcome).toBe('PASS')
    expect(judge(whole, { downBound: bound(1900), slackMs: 100 }).outcome).toBe('PASS')
    expect(judge(less(tables[2] as LabEvent)).reason).toContain(
      `${SERVICE} on d1 never had ${RS1}, ${RS2} in the 10 s after the heal of httpd-crash on rs1`,
    )
    const slow = [...less(tables[1] as LabEvent), table(21_000, 'd1', ['d1'])]
    expect(judge(slow).reason).toContain(`never had 10.0.0.2:80 in the 10 s after httpd-crash on rs1`)
    expect(judge(slow).proof.map(({ kind, t }) => `${kind} ${t}`)).toEqual(expect.arrayContaining(['fault 10000']))
    // the other director has a table of its own
    expect(judge([...less(tables[1] as LabEvent), table(12_000, 'd2', ['d1'])]).outcome).toBe('FAIL')
  })

  it('fails when it does not stay what it became', () => {
    expect(judge([...whole, table(15_000, 'd1', ['rs2'])])).toMatchObject({
      outcome: 'FAIL',
      reason: `${SERVICE} on d1 had 10.0.0.2:80 after httpd-crash on rs1, and then ${RS2}, 5 s after it.`,
    })
    expect(judge([...whole, table(15_000, 'd1', ['rs2'])]).proof.map(({ t }) => t)).toContain(15_000)
    // what comes before it is complete is the way there
    const way = judge([...whole, table(11_900, 'd1', ['rs2'])])
    expect(way).toMatchObject({ outcome: 'PASS', measurements: [{ value: 2000 }, { value: 3000 }] })
    // it may be looked at again
    expect(judge([...whole, table(13_000, 'd1', ['d1']), table(25_000, 'd1', ['rs2', 'rs1'])]).outcome).toBe('PASS')
  })

  it('that must not change is watched for as long as a change may take', () => {
    const kept = { ...params, steps: [{ phase: 'inject' as const, nodes: ['rs1'], destinations: [RS1, RS2] }] }
    const quiet = [holds(0, 'd1'), fault(10_000, 'httpd-crash', 'rs1'), tables[0] as LabEvent]
    const from = (events: LabEvent[]) => checkQuorum(historyInTime(events), { ...kept, probe: undefined as never })
    expect(from([...quiet, mark(13_000)])).toMatchObject({ outcome: 'PASS', measurements: [] })
    expect(from([...quiet, mark(12_999)]).outcome).toBe('INCONCLUSIVE')
    expect(from([...quiet, table(12_000, 'd1', ['rs2']), mark(13_000)])).toMatchObject({
      outcome: 'FAIL',
      reason: expect.stringContaining(`and then ${RS2}, 2 s after it`),
    })
    expect(from([...quiet, log(12_000, 'Lost'), mark(13_000)]).reason).toContain('"Lost quorum"')
  })

  it('need not be recorded for longer once it is so', () => {
    const until = (t: number, ...gone: LabEvent[]) =>
      less(...gone)
        .filter(event => event.t < t)
        .concat(mark(t))
    expect(judge(until(23_500)).outcome).toBe('PASS')
    expect(judge(until(24_100, tables[2] as LabEvent)).outcome).toBe('FAIL')
    expect(judge(until(24_099, tables[2] as LabEvent)).outcome).toBe('INCONCLUSIVE')
  })

  it('is measured from the last of several that die together', () => {
    const [step] = params.steps
    const both = { ...params, steps: [{ ...step, nodes: ['rs2', 'rs1'] } as QuorumParams['steps'][number]] }
    const events = [...whole.filter(({ kind }) => kind !== 'fault'), fault(9_500, 'httpd-crash', 'rs2')]
    const died = [...events.filter(({ t }) => t < 20_000), fault(10_000, 'httpd-crash', 'rs1'), mark(20_000)]
    expect(checkQuorum(historyInTime(died), both)).toMatchObject({
      outcome: 'PASS',
      reason: expect.stringContaining('2 s after httpd-crash on rs1, the last of rs2, rs1'),
      measurements: [{ name: 'pool after rs2, rs1 died', value: 2000 }],
    })
    expect(checkQuorum(historyInTime(events), both).reason).toBe('httpd-crash on rs1 did not happen.')
  })

  it('may be complete in the moment of the fault, or of the next one, and is looked at until then', () => {
    expect(judge([...less(tables[1] as LabEvent), table(20_000, 'd1', ['d1'])]).reason).toContain(
      'had 10.0.0.2:80 only 10 s after',
    )
    expect(judge([...whole, table(20_000, 'd1', ['rs2'])]).reason).toContain(`and then ${RS2}, 10 s after it`)
    const kept = [{ phase: 'inject' as const, nodes: ['rs1'], destinations: [RS1, RS2] }]
    const other = [holds(0, 'd1'), faults[0] as LabEvent, table(0, 'd1', ['rs2']), table(10_000, 'd1', ['rs1', 'rs2'])]
    const quiet = { ...params, steps: kept, probe: undefined as never }
    expect(checkQuorum(historyInTime([...other, mark(14_000)]), quiet)).toMatchObject({
      outcome: 'PASS',
      reason: expect.stringContaining(`${SERVICE} on d1 kept ${RS1}, ${RS2} after httpd-crash on rs1`),
      measurements: [],
    })
  })

  it('is proved by its faults, the table that shows it, the line of the log and an answer', () => {
    const proofOf = (events: LabEvent[], changes: Partial<QuorumParams> = {}) =>
      judge(events, changes).proof.map(({ kind, t }) => `${kind} ${t}`)
    const [step] = params.steps as [QuorumParams['steps'][number]]
    const first = { steps: [step] }
    const until = whole.filter(({ t }) => t < 20_000)
    expect(proofOf(until, first)).toEqual(['fault 10000', 'ipvs 12000', 'keepalived 12000', 'request 12100'])
    const late = [...until, table(9_000, 'd1', ['rs1']), table(13_000, 'd1', ['rs2'])]
    const bad = proofOf(late.filter(event => event !== tables[1]).concat(mark(19_999)), first)
    expect(bad).toEqual(['fault 10000', 'ipvs 13000'])
    const never = proofOf(
      [...until.filter(event => event !== logs[0]), log(13_000, 'Gained'), log(14_000, 'Lost')],
      first,
    )
    expect(never).toEqual(expect.arrayContaining(['fault 10000', 'keepalived 13000', 'keepalived 14000']))
    const many = [...until, ...[13_000, 14_000, 15_000].map(t => log(t, 'Gained'))]
    expect(proofOf(many, first)).not.toContain('keepalived 14000')
    const short = judge([...until.filter(({ t }) => t < 12_000)], first)
    expect([short.outcome, ...short.proof.map(({ t }) => t)]).toEqual(['INCONCLUSIVE', 10_000])
  })

  it('is not judged where the recording is too short, or somebody else held the VIP', () => {
    const short = whole.filter(({ t }) => t < 22_000)
    expect(judge(short)).toMatchObject({
      outcome: 'INCONCLUSIVE',
      reason: expect.stringContaining(`the table of d1 need not have ${RS1}, ${RS2} by then (at most 4.1 s allowed`),
    })
    expect(judge(whole.filter(({ kind }) => kind !== 'address')).reason).toContain('No live director held the VIP')
    expect(judge(less(faults[1] as LabEvent)).reason).toBe('the heal of httpd-crash on rs1 did not happen.')
    expect(judge(whole, { steps: [] }).outcome).toBe('INCONCLUSIVE')
  })
})

describe('the log', () => {
  it('calls a service of a group by the group, whatever port it writes behind that', () => {
    const [lost, gained] = [log(12_000, 'Lost', 'd1', '[WEB]:0'), log(23_000, 'Gained', 'd1', '[WEB]:0')]
    const events = [...less(...logs), lost, gained]
    expect(judge(events, { group: 'WEB' })).toMatchObject({ outcome: 'PASS' })
    expect(judge(events).outcome).toBe('FAIL')
    expect(judge([...less(...logs), log(12_000, 'Lost', 'd1', '[WEB]:8080'), gained], { group: 'WEB' }).outcome).toBe(
      'PASS',
    )
    // lines of services that belong to no group
    expect(judge([...events, log(12_500, 'Gained')], { group: 'WEB' }).outcome).toBe('PASS')
    expect(judge([...events, log(12_500, 'Gained', 'd1', 'FWM 50')], { group: 'WEB' }).outcome).toBe('PASS')
    const other = [...less(...logs), log(12_000, 'Lost', 'd1', '[WEB2]:0'), gained]
    expect(judge(other, { group: 'WEB' }).reason).toContain('said nothing of the quorum')
  })

  it('fails it when keepalived says nothing of the quorum, or the other thing', () => {
    expect(judge(less(logs[0] as LabEvent)).reason).toBe(
      `keepalived on d1 said nothing of the quorum of ${SERVICE} after httpd-crash on rs1; it was lost.`,
    )
    expect(judge([...whole, log(13_000, 'Gained')]).reason).toContain('said "Lost quorum", then "Gained quorum"')
    expect(judge([...less(logs[1] as LabEvent), log(23_000, 'Lost')]).outcome).toBe('FAIL')
  })

  it('of another service, another director or another time does not count', () => {
    const others = [log(12_500, 'Gained', 'd2'), log(12_500, 'Gained', 'd1', '[10.0.0.101]:tcp:80'), log(5000, 'Lost')]
    expect(judge([...whole, ...others]).outcome).toBe('PASS')
    const said = log(12_500, 'Gained') as Extract<LabEvent, { kind: 'keepalived' }>
    expect(judge([...whole, { ...said, line: `a script said: ${said.line}` }]).outcome).toBe('PASS')
    // in the moment of the fault it is the fault's, in that of the next one both steps have it
    expect(judge([...less(logs[0] as LabEvent), log(10_000, 'Lost')]).outcome).toBe('PASS')
    expect(judge([...whole, log(20_000, 'Gained')]).reason).toContain('said "Lost quorum", then "Gained quorum"')
  })

  it('has a firewall mark and IPv6 as the table calls them', () => {
    const called = (service: string, name: string) => {
      const events = [holds(0, 'd1'), ...faults, log(12_000, 'Lost', 'd1', name), log(23_000, 'Gained', 'd1', name)]
      const named = tables.map(one => ({ ...one, services: one.services.map(it => ({ ...it, service })) }))
      return judge([...events, ...named, ...asked, mark(30_000)], { service }).outcome
    }
    expect(called('FWM 50', 'FWM 50')).toBe('PASS')
    expect(called('TCP [fd00::100]:80', '[fd00::100]:tcp:80')).toBe('PASS')
    expect(called('FWM 50', 'FWM 51')).toBe('FAIL')
  })
})

describe('the answers', () => {
  it('fail it when requests fail once the pool is complete', () => {
    const lossy = requests(9_000, 30_000, n => ({
      ...{ server: n >= 30 && n < 140 ? 'd1' : 'rs2' },
      ...(n === 50 ? { outcome: 'timeout' as const } : {}),
    }))
    const bad = [...whole.filter(({ kind }) => kind !== 'request'), ...lossy]
    expect(judge(bad)).toMatchObject({
      outcome: 'FAIL',
      reason: expect.stringContaining('1 of 80 requests failed after httpd-crash on rs1, the first was request 140'),
    })
    expect(judge(bad).proof.map(({ kind, t }) => `${kind} ${t}`)).toContain('request 14000')
    expect(judge(bad, { inFlightMs: 2001 }).outcome).toBe('PASS')
  })

  it('fail it when others answer than who may', () => {
    const strange = requests(9_000, 30_000, n => ({ server: n >= 30 && n < 141 ? 'd1' : 'rs2' }))
    expect(judge([...whole.filter(({ kind }) => kind !== 'request'), ...strange]).outcome).toBe('PASS')
    const steps = params.steps.map(step => ({ ...step, answers: ['rs2'] }))
    expect(judge(whole, { steps }).reason).toContain('80 of 80 requests were answered by others than rs2')
    const anybody = params.steps.map(({ phase, nodes, destinations, quorum }) => {
      const step = { phase, nodes, destinations }
      return quorum ? { ...step, quorum } : step
    })
    expect(judge(whole, { steps: anybody }).outcome).toBe('PASS')
  })

  it('cannot be had from an empty pool, and say nothing where nobody asked', () => {
    const empty = { ...params.steps[0], destinations: [], answers: [] } as QuorumParams['steps'][number]
    const events = [holds(0, 'd1'), ...faults, tables[0] as LabEvent, table(12_000, 'd1', []), logs[0] as LabEvent]
    const none = requests(9_000, 20_000, () => ({ outcome: 'refused' }))
    expect(judge([...events, ...none], { steps: [empty] }).outcome).toBe('PASS')
    expect(judge(whole.filter(({ kind }) => kind !== 'request')).outcome).toBe('INCONCLUSIVE')
  })
})
