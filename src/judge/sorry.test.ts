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
  requests,
  SERVICE,
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
