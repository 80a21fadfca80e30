import { describe, expect, it } from 'vitest'
import { formatDuration, formatMeasurement } from './measurement.ts'
import { sampleRun } from './sample-run.ts'
import { formatCheck, formatText } from './text.ts'

const bound = { name: 'failover', formula: '3 x 1 s + (256-80)/256 s = 3.69 s', maxMs: 3687.5, source: 'RFC 3768' }

describe('formatMeasurement', () => {
  it('shows what was measured beside the formula of its bound', () => {
    expect(formatMeasurement({ name: 'outage', value: 3412, unit: 'ms', bound })).toBe(
      'measured 3.41 s, bound at most 3.69 s: 3 x 1 s + (256-80)/256 s = 3.69 s',
    )
    expect(formatMeasurement({ name: 'lost', value: 3, unit: 'requests' })).toBe('measured 3 requests')
    expect(formatMeasurement({ name: 'outage', value: 10, unit: 'ms', bound: { ...bound, minMs: 50 } })).toContain(
      'measured 10 ms, bound 50 ms to 3.69 s: 3 x 1 s + (256-80)/256 s = 3.69 s',
    )
  })

  it('never rounds a value onto the bound that it misses', () => {
    expect(formatMeasurement({ name: 'outage', value: 3690.2, unit: 'ms', bound })).toContain('measured 3.690 s')
  })

  it('nor onto the limit that it exceeds', () => {
    const limit = { maxMs: 3690, at: 'topology.yaml:12' }
    expect(formatMeasurement({ name: 'outage', value: 3690.2, unit: 'ms', limit })).toContain('measured 3.690 s')
  })

  it.each([
    [0, '0.00 s'],
    [3.25, '3.3 ms'],
    [99, '99 ms'],
    [250, '0.25 s'],
    [61_000, '61.00 s'],
    [Number.POSITIVE_INFINITY, 'for ever'],
  ])('writes %d ms as %s', (ms, text) => expect(formatDuration(ms)).toBe(text))
})

describe('formatText', () => {
  const { report } = sampleRun()

  it('shows a block per check, what is untested, and one line of summary', () => {
    const blocks = formatText(report).split('\n\n')
    expect(blocks).toHaveLength(5)
    expect(blocks[0]).toMatch(/^FAIL {2}d2 takes over.*\n {6}outage: measured 4.20 s, bound .*\n/)
    expect(blocks[3]).toContain('auth_type AH on VI_1: AH needs')
    expect(blocks[4]).toBe('FAIL  1 passed, 1 failed, 1 inconclusive, 1 untested\n')
  })

  it("has a line for the operator's own limit, red where it is exceeded", () => {
    const limit = { maxMs: 3000, at: 'topology.yaml:12' }
    const check = (value: number) => ({
      ...report.results[0]!,
      measurements: [{ name: 'outage', value, unit: 'ms' as const, bound, limit }],
    })
    const [, measured, own] = formatCheck(check(3500), { colour: true }).split('\n')
    expect(measured).not.toContain('\u001b')
    expect(own).toBe('      \u001b[31moutage: limit 3 s of topology.yaml:12\u001b[39m')
    expect(formatCheck(check(2900), { colour: true }).split('\n')[2]).toBe(
      '      outage: limit 3 s of topology.yaml:12',
    )
  })

  it('has colours only when asked, and never those of the lab', () => {
    const hostile = sampleRun(text => `\u001b[2J${text}\r\n`).report
    expect(formatText(hostile)).not.toMatch(/(?!\n)\p{Cc}/u)
    const [result] = report.results
    expect(formatCheck(result!, { colour: true })).toContain('\u001b[31m')
  })
})
