import { describe, expect, it } from 'vitest'
import type { LabEvent, RequestEvent } from '../history/event.ts'
import { historyInTime, request } from './examples.ts'
import { checkSpread, type SpreadParams } from './spread.ts'

const params: SpreadParams = {
  probe: 'p',
  window: { from: 0, until: 100_000 },
  expected: { scheduler: 'twos', shares: { rs1: 2, rs2: 1, rs3: 1 }, source: 'test' },
}
const judge = (events: LabEvent[], changes: Partial<SpreadParams> = {}) =>
  checkSpread(historyInTime(events), { ...params, ...changes })
const answered = (counts: Record<string, number>, change: (n: number) => Partial<RequestEvent> = () => ({})) =>
  Object.entries(counts)
    .flatMap(([server, count]) => Array.from({ length: count }, () => server))
    .map((server, n) => request(n * 10, { n, server, ...change(n) }))
const value = (verdict: ReturnType<typeof judge>, name: string) =>
  verdict.measurements.find(measurement => measurement.name === name)?.value

describe('requests', () => {
  it('passes where chance explains what is off, and says p', () => {
    const verdict = judge(answered({ rs1: 46, rs2: 31, rs3: 23 }))
    expect(verdict.outcome).toBe('PASS')
    expect(verdict.reason).toBe(
      'twos over 100 requests: rs1 46 (50 expected), rs2 31 (25 expected), rs3 23 (25 expected) (chi-square 1.92, ' +
        'at most 13.8 allowed: the 0.999 quantile with 2 degrees of freedom; p = 0.383).',
    )
    expect(verdict.measurements.map(({ name, unit }) => [name, unit])).toEqual([
      ['answered by rs1', 'requests'],
      ['answered by rs2', 'requests'],
      ['answered by rs3', 'requests'],
      ['chi-square', ''],
      ['degrees of freedom', ''],
      ['p-value', ''],
    ])
    expect([value(verdict, 'answered by rs2'), value(verdict, 'degrees of freedom')]).toEqual([31, 2])
    expect(value(verdict, 'chi-square')).toBeCloseTo(1.92, 6)
    expect(verdict.proof.map(event => event.t)).toEqual([0, 990])
  })

  it('fails where chance does not explain it, at the significance asked for', () => {
    const off = answered({ rs1: 40, rs2: 40, rs3: 20 }) // chi-square 12
    expect(judge(off).outcome).toBe('PASS')
    expect(judge(off, { significance: 0.01 })).toMatchObject({
      outcome: 'FAIL',
      reason: expect.stringContaining('which chance does not explain'),
    })
    const never = judge(answered({ rs1: 60, rs2: 40 }))
    expect(never).toMatchObject({ outcome: 'FAIL', reason: expect.stringContaining('rs3 0 (25 expected)') })
    expect(value(never, 'p-value')).toBeLessThan(0.001)
  })

  it('leaves out a server that gets nothing, and fails where it does', () => {
    const expected = { ...params.expected, shares: { rs1: 1, rs2: 1, rs3: 0 } }
    expect(judge(answered({ rs1: 10, rs2: 12 }), { expected }).outcome).toBe('PASS')
    expect(judge(answered({ rs1: 10, rs2: 12, rs3: 1 }), { expected })).toMatchObject({
      outcome: 'FAIL',
      reason: expect.stringMatching(
        /answered by rs3\) came from none of the servers that twos spreads to: rs1, rs2\.$/,
      ),
      proof: [{ server: 'rs3' }],
    })
    const { server: _, ...nameless } = request(500)
    expect(judge([...answered({ rs1: 10, rs2: 12 }), nameless], { expected }).outcome).toBe('FAIL')
  })

  it('fails on a failed request, and names it', () => {
    const verdict = judge(answered({ rs1: 50, rs2: 25, rs3: 25 }, n => (n === 4 ? { outcome: 'reset' } : {})))
    expect(verdict).toMatchObject({ outcome: 'FAIL', proof: [{ n: 4 }] })
    expect(verdict.reason).toBe('1 of 100 requests failed, the first was request 4 at 0.040 s (reset).')
  })

  it('says nothing of too few, of none, outside of its window, and nothing bad from a starved probe', () => {
    expect(judge(answered({ rs1: 10, rs2: 5, rs3: 5 })).outcome).toBe('PASS')
    expect(judge(answered({ rs1: 9, rs2: 5, rs3: 5 }))).toMatchObject({
      outcome: 'INCONCLUSIVE',
      reason:
        '19 requests are too few to judge the spread of twos: a server expects only 4.75 of them (at least 5 needed).',
    })
    expect(judge([])).toMatchObject({ outcome: 'INCONCLUSIVE', reason: expect.stringContaining('0 requests') })
    const far = answered({ rs1: 100 })
    expect(judge(far, { window: { from: 5000, until: 9000 } }).outcome).toBe('INCONCLUSIVE')
    expect(judge(answered({ rs1: 100 }, n => ({ scheduled: n * 10 - 100 })))).toMatchObject({
      outcome: 'INCONCLUSIVE',
      reason: expect.stringContaining('starved'),
    })
    const late = answered({ rs1: 10, rs2: 5, rs3: 5 }, n => ({ scheduled: n * 10 - 100 }))
    expect(judge(late).outcome).toBe('PASS')
  })

  it('has nothing to vary with a single server', () => {
    const expected = { scheduler: 'dh', shares: { rs1: 1 }, source: 'test' }
    expect(judge(answered({ rs1: 8 }), { expected }).outcome).toBe('PASS')
  })
})

describe('sources', () => {
  const per = 'source' as const
  const hash = { scheduler: 'sh', shares: { rs1: 1, rs2: 1 }, source: 'test' }
  const source = (n: number) => ({ source: `10.0.1.${n}` })

  it('counts each source once, however often it asks', () => {
    const often = answered({ rs1: 10, rs2: 10 }, source).concat(
      Array.from({ length: 500 }, (_, n) => request(5000 + n, { n: 100 + n, server: 'rs1', ...source(0) })),
    )
    const verdict = judge(often, { per, expected: hash })
    expect(verdict).toMatchObject({
      outcome: 'PASS',
      reason: expect.stringMatching(/^sh over 20 sources: rs1 10 \(10 expected\)/),
      measurements: [{ name: 'sources at rs1', value: 10, unit: '' }, {}, {}, {}, {}],
    })
    expect(judge(often, { expected: hash }).outcome).toBe('FAIL')
    expect(judge(answered({ rs1: 5, rs2: 4 }, source), { per, expected: hash })).toMatchObject({
      outcome: 'INCONCLUSIVE',
      reason: expect.stringContaining('9 sources'),
    })
  })

  it('fails where a source goes to two servers: it is no unit then', () => {
    const moved = [...answered({ rs1: 10, rs2: 10 }, source), request(3000, { server: 'rs2', ...source(0) })]
    expect(judge(moved, { per, expected: hash })).toMatchObject({
      outcome: 'FAIL',
      reason: expect.stringContaining('sh must keep 10.0.1.0 at one server, but after request 0 at 0.000 s'),
      proof: [{ t: 0 }, { t: 3000 }],
    })
  })
})

it('shows where a number is large', () => {
  const expected = { scheduler: 'lblc', shares: { rs1: 1, rs2: 1 }, source: 'test' }
  const many = answered({ rs1: 1000, rs2: 1001 })
  expect(judge(many, { expected }).reason).toContain('rs1 1000 (1001 expected)')
  expect(judge(answered({ rs1: 1, rs2: 1 }), { expected }).proof).toHaveLength(1)
})
