import { describe, expect, it } from 'vitest'
import type { LabEvent } from '../history/event.ts'
import {
  addressOf,
  bound,
  DIRECTORS,
  failing,
  fault,
  holds,
  historyInTime,
  mark,
  request,
  requests,
  SERVICE,
  staleOnD1,
  table,
  VIP,
} from './examples.ts'
import { checkSorry, type SorryParams } from './sorry.ts'

const params: SorryParams = {
  vip: VIP,
  directors: DIRECTORS,
  service: SERVICE,
  servers: ['rs1', 'rs2'].map(node => ({ node, address: addressOf(node) })),
  fault: 'web-stop',
  probe: 'p',
  bound: bound(4000),
}
const pages = (from: number, until: number) => requests(from, until, () => ({ server: 'd1' }))
const stops = [fault(10_000, 'web-stop', 'rs1'), fault(11_000, 'web-stop', 'rs2')]
const tables = [table(0, 'd1', ['rs1', 'rs2']), table(12_000, 'd1', ['rs2']), table(13_000, 'd1', ['d1'])]
const start = [holds(0, 'd1'), ...tables, ...stops, ...requests(9000, 10_000), ...failing(11_000, 13_000)]
const judge = (events: LabEvent[], changes: Partial<SorryParams> = {}) =>
  checkSorry(historyInTime([...start, ...events]), { ...params, ...changes })

describe('the sorry page', () => {
  it('passes when a director answers in time after the last server died', () => {
    const verdict = judge(pages(13_000, 16_000))
    expect(verdict).toMatchObject({ outcome: 'PASS', measurements: [{ name: 'sorry page', value: 2002 }] })
    expect(verdict.reason).toContain('The sorry page answered 2 s after web-stop on rs2')
  })

  it('may be that of another host', () => {
    const others = requests(13_000, 16_000, () => ({ server: 's1' }))
    expect(judge(others, { pages: ['s1'] }).outcome).toBe('PASS')
    expect(judge(others).outcome).toBe('FAIL')
    expect(judge(pages(13_000, 16_000), { pages: ['s1'] }).outcome).toBe('FAIL')
  })

  it('fails when it comes late or never, and when requests fail after it came', () => {
    expect(judge([...failing(13_000, 16_000), ...pages(16_000, 18_000)]).outcome).toBe('FAIL')
    expect(judge(failing(13_000, 18_000))).toMatchObject({
      outcome: 'FAIL',
      reason: expect.stringContaining('The sorry page never answered'),
    })
    expect(judge([...pages(13_000, 14_000), ...failing(14_000, 14_500)]).reason).toMatch(/^5 requests failed after/)
  })

  it('fails when it answers while a real server is in the table', () => {
    const early = requests(9500, 9600, () => ({ server: 'd1' }))
    const between = table(9900, 'd1', ['rs1', 'rs2'])
    expect(judge([...early, between, ...pages(13_000, 16_000)])).toMatchObject({
      outcome: 'FAIL',
      reason: expect.stringContaining('was the sorry page although 10.0.0.11 was in the table of d1'),
    })
  })

  it('says nothing while a server was left alone, or from too short a recording', () => {
    const one = historyInTime([holds(0, 'd1'), ...tables, fault(10_000, 'web-stop', 'rs1'), mark(30_000)])
    expect(checkSorry(one, params)).toMatchObject({
      outcome: 'INCONCLUSIVE',
      reason: expect.stringContaining('never injected into rs2'),
    })
    expect(judge([mark(14_000)]).outcome).toBe('INCONCLUSIVE')
  })
})

describe('the way back', () => {
  const heals = [fault(20_000, 'web-stop', 'rs1', 'heal'), fault(20_100, 'web-stop', 'rs2', 'heal')]
  const down = [...pages(13_000, 22_000), ...heals]

  it('passes when a real server answers in time, and fails when none does', () => {
    const verdict = judge([...down, ...requests(22_000, 23_000)], { endsBound: bound(2500) })
    expect(verdict).toMatchObject({ outcome: 'PASS', measurements: [{}, { name: 'real servers back', value: 1902 }] })
    expect(judge([...down, ...pages(22_000, 24_000)], { endsBound: bound(2500) }).outcome).toBe('FAIL')
  })
})

describe('to the letter', () => {
  it('keeps its bound to the millisecond', () => {
    const first = (t: number) => judge([request(t, { server: 'd1', done: t }), mark(t + 1)]).outcome
    expect([15_000, 15_001].map(first)).toEqual(['PASS', 'FAIL'])
    const never = (t: number) => judge([mark(t)])
    expect([14_999, 15_000].map(t => never(t).outcome)).toEqual(['INCONCLUSIVE', 'FAIL'])
    expect(never(14_999).proof).toMatchObject([{ kind: 'fault', t: 11_000 }])
    expect(judge(pages(13_000, 16_000)).proof.map(event => event.t)).toEqual([11_000, 13_000])
  })

  it('is an answer, of a director, after the last fault and before the first heal', () => {
    const failed = requests(13_000, 16_000, () => ({ server: 'd1', outcome: 'reset' }))
    expect(judge(failed).outcome).toBe('FAIL')
    const { server: _, ...nameless } = request(13_000)
    expect(judge([nameless, mark(16_000)]).outcome).toBe('FAIL')
    const heal = fault(14_000, 'web-stop', 'rs1', 'heal')
    expect(judge([heal, ...pages(14_100, 16_000)]).outcome).toBe('INCONCLUSIVE')
    expect(judge([heal, ...pages(14_000, 14_001)]).outcome).toBe('PASS')
    const old = fault(5000, 'web-stop', 'rs1', 'heal')
    expect(judge([old, ...pages(13_000, 16_000)]).outcome).toBe('PASS')
    const swapped = [holds(0, 'd1'), ...tables, fault(11_000, 'web-stop', 'rs1'), fault(10_000, 'web-stop', 'rs2')]
    const verdict = checkSorry(historyInTime([...swapped, ...pages(13_000, 16_000)]), params)
    expect(verdict).toMatchObject({ measurements: [{ value: 2002 }] })
  })

  it('stays, once it came, until the first heal', () => {
    const verdict = judge([...pages(13_000, 14_000), ...failing(14_000, 14_500)])
    expect(verdict.measurements[1]).toEqual({ name: 'failed after the sorry page', value: 5, unit: 'requests' })
    expect(verdict.proof.map(event => event.t)).toContain(14_000)
    const heal = fault(14_000, 'web-stop', 'rs1', 'heal')
    expect(judge([...pages(13_000, 14_000), heal, ...failing(14_000, 14_500)]).outcome).toBe('PASS')
    // a page before the last fault is not the first
    const early = [table(11_950, 'd1', ['d1']), request(10_950, { server: 'd1' })]
    expect(judge([...early, ...pages(13_000, 16_000)]).outcome).toBe('PASS')
  })

  it('comes too soon only where every table around it has a real server', () => {
    const early = (...around: LabEvent[]) => {
      const page = request(9500, { server: 'd1' })
      const all = [holds(0, 'd1'), ...around, table(12_000, 'd1', ['d1']), ...stops, page, ...pages(13_000, 16_000)]
      return checkSorry(historyInTime(all), params)
    }
    const [full, empty] = [(t: number) => table(t, 'd1', ['rs1', 'rs2']), (t: number) => table(t, 'd1', ['d1'])]
    expect(early(full(0), full(9900))).toMatchObject({ outcome: 'FAIL', measurements: [{ name: 'sorry page' }] })
    expect(early(full(0), full(9900)).proof.map(event => event.t)).toEqual([0, 9500, 9900, 11_000, 13_000])
    expect(early(full(0), empty(9900)).outcome).toBe('PASS')
    expect(early(empty(0), full(9900)).outcome).toBe('PASS')
    expect(early(full(9900)).outcome).toBe('PASS')
    expect(early(full(0), full(9500), full(9502)).outcome).toBe('FAIL')
    expect(early(full(0), empty(9501), full(9502)).outcome).toBe('PASS')
    expect(early(full(0), full(9501), empty(9502), full(9503)).outcome).toBe('PASS')
    expect(early({ ...full(0), services: [] }, full(9900)).outcome).toBe('PASS')
    const lastOne = [holds(0, 'd1'), full(0), ...stops, ...pages(13_000, 16_000)]
    expect(checkSorry(historyInTime(lastOne), params).outcome).toBe('PASS')
    // a dead director has its table still, and nobody is served by it; of two that live, nobody knows whose counts
    const dead = [...staleOnD1(), full(0), full(9900), table(3000, 'd2', ['d1']), table(9900, 'd2', ['d1'])]
    expect(early(...dead).outcome).toBe('PASS')
    expect(early(...dead, table(9000, 'd2', ['rs1']), table(9800, 'd2', ['rs1'])).outcome).toBe('FAIL')
    expect(early(holds(3000, 'd2'), full(0), full(9900)).outcome).toBe('PASS')
    const nobody = [full(0), full(9900), ...stops, request(9500, { server: 'd1' }), ...pages(13_000, 16_000)]
    expect(checkSorry(historyInTime(nobody), params).outcome).toBe('PASS')
  })

  it('may answer for as long as is said beside a real server that has come, and no longer', () => {
    const back = [fault(15_000, 'web-stop', 'rs1', 'heal'), fault(15_000, 'web-stop', 'rs2', 'heal')]
    const both = [table(16_000, 'd1', ['rs1', 'd1']), table(16_100, 'd1', ['rs1'])]
    const beside = (at: number) => [
      ...pages(13_000, 16_000),
      ...back,
      ...both,
      ...requests(at, at + 10, () => ({ server: 'd1' })),
    ]
    const after = [...requests(16_200, 18_000), table(18_000, 'd1', ['rs1'])]
    expect(judge([...beside(16_050), ...after]).outcome).toBe('FAIL')
    expect(judge([...beside(16_050), ...after], { overlapMs: 100 }).outcome).toBe('PASS')
    expect(judge([...beside(16_150), ...after], { overlapMs: 100 }).outcome).toBe('FAIL')
  })

  it('is not asked to end where that has no bound', () => {
    const heals = [fault(20_000, 'web-stop', 'rs1', 'heal'), fault(20_100, 'web-stop', 'rs2', 'heal')]
    const stays = [...pages(13_000, 40_000), ...heals]
    expect(judge(stays).measurements).toHaveLength(1)
    expect(judge(stays, { endsBound: bound(2500) }).reason).toContain('A real server never answered')
    expect(judge(pages(13_000, 40_000), { endsBound: bound(2500) }).measurements).toHaveLength(1)
  })
})

it('measures to an answer, not to a request that failed', () => {
  const failed = request(12_000, { server: 'd1', outcome: 'reset' })
  expect(judge([failed, ...pages(14_000, 16_000)]).measurements).toMatchObject([{ name: 'sorry page', value: 3002 }])
})
