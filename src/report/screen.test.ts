import { describe, expect, it } from 'vitest'
import type { CheckResult, Outcome, Untested } from '../judge/verdict.ts'
import { createRunReport, type RunReport } from './run.ts'
import { sampleRun } from './sample-run.ts'
import { formatText } from './text.ts'

const result = (check: string, outcome: Outcome = 'PASS'): CheckResult => ({
  ...{ check, outcome, title: `${check} is as the configuration says, whatever it takes`, reason: `of ${check}` },
  ...{ lab: check, tookMs: 1, measurements: [], proof: [] },
})
const run = (results: CheckResult[], untested: Untested[] = []): RunReport =>
  createRunReport({ ...sampleRun().report, results, untested })

const addresses = Array.from({ length: 100 }, (_, n) => `10.0.1.${n}:80/TCP`)
const kinds = [
  'configuration',
  'failover-stop',
  'failover-crash',
  'shares',
  'server',
  'sorry',
  'garp',
  'quorum',
  'reload',
]

/** What stands after the blocks of single checks. */
const screenOf = (report: RunReport): string[] => {
  const blocks = formatText(report, { file: 'reports/x/report.html' }).trimEnd().split('\n\n')
  return blocks.slice(-2).join('\n\n').split('\n')
}

describe('a run of 900 checks', () => {
  const results = kinds.flatMap(kind => addresses.map(address => result(`${kind}-${address}`)))
  const failing = results.map((one, n) => {
    if (one.check === 'server-10.0.1.7:80/TCP') return { ...one, outcome: 'INCONCLUSIVE' as const }
    return n >= 600 && n % 100 < 5 ? { ...one, outcome: 'FAIL' as const } : one
  })
  const untested = addresses.flatMap((what, n) => [
    { what, why: 'did not fit into --budget 2m' },
    { what, why: n < 3 ? `own reason ${n}` : 'the service is persistent' },
  ])
  const screen = screenOf(run(failing, untested))

  it('fits a screen of 24 lines and 80 columns, with what the shell prints', () => {
    expect(screen.length).toBeLessThanOrEqual(22)
    expect(Math.max(...screen.map(line => line.length))).toBeLessThanOrEqual(80)
  })

  it('has a verdict for each kind of promise, the worst first, and all others in one line', () => {
    expect(screen.slice(0, 8)).toEqual([
      'FAIL          garp            5 failed, 95 passed',
      'FAIL          quorum          5 failed, 95 passed',
      'FAIL          reload          5 failed, 95 passed',
      'INCONCLUSIVE  server          1 inconclusive, 99 passed',
      'PASS          configuration   100 passed',
      'PASS          failover-stop   100 passed',
      'PASS          failover-crash  100 passed',
      'PASS          2 kinds more: 200 passed',
    ])
  })

  it('says what failed first, what is untested by reason, and where all of it is', () => {
    expect(screen.slice(8)).toEqual([
      'Not passed:',
      '  garp-10.0.1.0:80/TCP is as the configuration says, whatever it takes',
      '  garp-10.0.1.1:80/TCP is as the configuration says, whatever it takes',
      '  garp-10.0.1.2:80/TCP is as the configuration says, whatever it takes',
      '  and 13 more',
      'Untested (not a pass), by reason:',
      '  100  did not fit into --budget 2m',
      '   97  the service is persistent',
      '    1  own reason 0',
      '  and 2 other reasons',
      'All of it: reports/x/report.html',
      '',
      'FAIL  884 passed, 15 failed, 1 inconclusive, 200 untested',
    ])
  })

  it('leaves the blocks of what passed to the report', () => {
    const text = formatText(run(failing, untested))
    expect(text).toContain('FAIL  garp-10.0.1.4:80/TCP')
    expect(text).toContain('INCONCLUSIVE  server-10.0.1.7:80/TCP')
    expect(text).not.toContain('PASS  shares-')
  })
})

it('merges what there is no room for to the worst of it', () => {
  const all = kinds.map((kind, n) => result(kind, n < 8 ? 'FAIL' : 'INCONCLUSIVE'))
  const screen = screenOf(run([...all, ...addresses.map(address => result(`failover-stop-${address}`))]))
  expect(screen[7]).toBe('FAIL          2 kinds more: 1 failed, 1 inconclusive')
})

it('cuts what is longer than a line, and lets nothing steer the terminal', () => {
  const long = addresses.map(address => ({
    ...result(`shares-${address}`, 'FAIL'),
    title: `\u001b[2J${'x'.repeat(100)}`,
  }))
  const [, , title] = screenOf(run(long))
  expect(title).toBe(`  \u241b[2J${'x'.repeat(73)}…`)
})

it('is for large runs alone', () => {
  const few = kinds.map(kind => result(kind))
  const untested = addresses.slice(0, 12).map(what => ({ what, why: 'no' }))
  expect(formatText(run(few, untested))).toContain('PASS  shares is as')
  expect(formatText(run(few, untested))).not.toContain('by reason')
  const more = formatText(run(few, [...untested, ...untested]))
  expect(more).toContain('PASS  shares is as')
  expect(more).toContain('Untested (not a pass), by reason:\n  24  no\n')
})
