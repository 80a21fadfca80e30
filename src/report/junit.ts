import type { CheckResult } from '../judge/verdict.ts'
import { formatBound, formatLimit, formatMeasured, formatMeasurement } from './measurement.ts'
import type { Untested } from '../judge/verdict.ts'
import type { RunReport } from './run.ts'
import { element, escapeText } from './xml.ts'

const seconds = (ms: number): string => (ms / 1000).toFixed(3)

const property = (name: string, value: string): string => element('property', { name, value })

const properties = (list: string[]): string[] => (list.length > 0 ? [element('properties', {}, list)] : [])

const measurementProperties = (result: CheckResult): string[] =>
  result.measurements.flatMap(measurement => {
    const bound = formatBound(measurement)
    return [
      property(measurement.name, formatMeasured(measurement)),
      ...(bound === undefined ? [] : [property(`${measurement.name} (bound)`, bound)]),
      ...(measurement.bound ? [property(`${measurement.name} (source)`, measurement.bound.source)] : []),
      ...(measurement.limit ? [property(`${measurement.name} (limit)`, formatLimit(measurement.limit))] : []),
    ]
  })

const explanation = (result: CheckResult): string =>
  escapeText(
    [
      result.reason,
      ...result.measurements.map(one => `${one.name}: ${formatMeasurement(one)}`),
      `lab: ${result.lab}`,
    ].join('\n'),
  )

const outcome = (result: CheckResult): string[] => {
  if (result.outcome === 'PASS') return []
  return result.outcome === 'FAIL'
    ? [element('failure', { type: 'fail', message: result.reason }, explanation(result))]
    : [element('error', { type: 'inconclusive', message: result.reason }, explanation(result))]
}

const testcase = (report: RunReport, result: CheckResult): string =>
  element(
    'testcase',
    { classname: `${report.topology.name}.${result.check}`, name: result.title, time: seconds(result.tookMs) },
    [...properties(measurementProperties(result)), ...outcome(result)],
  )

const skipped = (report: RunReport, { what, why }: Untested): string =>
  element('testcase', { classname: `${report.topology.name}.untested`, name: what, time: '0.000' }, [
    element('skipped', { message: why }),
  ])

/**
 * `junit.xml` for CI. A check is a test case: FAIL is a `<failure>`, INCONCLUSIVE an `<error type="inconclusive">` (so
 * that it never counts as a pass), what was not exercised is `<skipped>`. Measurements and facts of the engine are
 * properties.
 */
export const formatJunit = (report: RunReport): string => {
  const totals = {
    tests: report.results.length + report.untested.length,
    failures: report.counts.failed,
    errors: report.counts.inconclusive,
    skipped: report.untested.length,
    time: seconds(report.tookMs),
  }
  const name = `lvslab ${report.verb} ${report.topology.name}`
  const facts = [
    property('lvslab', report.lvslab),
    property('command', report.command),
    ...Object.entries(report.engine).map(([key, value]) => property(`engine.${key}`, value)),
  ]
  const suite = element('testsuite', { name, timestamp: report.started, ...totals }, [
    ...properties(facts),
    ...report.results.map(result => testcase(report, result)),
    ...report.untested.map(one => skipped(report, one)),
  ])
  return `<?xml version="1.0" encoding="UTF-8"?>\n${element('testsuites', { name: 'lvslab', ...totals }, [suite])}\n`
}
