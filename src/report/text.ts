import { styleText } from 'node:util'
import type { CheckResult, Outcome } from '../judge/verdict.ts'
import { exceedsBound, exceedsLimit, formatLimit, formatMeasurement } from './measurement.ts'
import { type RunReport, summaryLine } from './run.ts'
import { formatScreen } from './screen.ts'
import { visibleLine } from './visible.ts'

/** How the terminal's text looks. */
export interface TextOptions {
  /** ANSI colours; only when asked, the caller knows what stdout is. */
  colour?: boolean
}

type Style = Parameters<typeof styleText>[0]

const STYLES: Record<Outcome, Style> = { PASS: 'green', FAIL: ['red', 'bold'], INCONCLUSIVE: ['yellow', 'bold'] }

const painter =
  ({ colour = false }: TextOptions) =>
  (style: Style, text: string): string =>
    colour ? styleText(style, text, { validateStream: false }) : text

/** One check: its verdict and title, a line per measurement, and the reason unless the numbers say it. No line feed at its end. */
export const formatCheck = (result: CheckResult, options: TextOptions = {}): string => {
  const paint = painter(options)
  const lines = [`${paint(STYLES[result.outcome], result.outcome)}  ${visibleLine(result.title)}`]
  for (const measurement of result.measurements) {
    const line = visibleLine(`${measurement.name}: ${formatMeasurement(measurement)}`)
    lines.push(`      ${exceedsBound(measurement) ? paint('red', line) : line}`)
    if (!measurement.limit) continue
    const limit = visibleLine(`${measurement.name}: ${formatLimit(measurement.limit)}`)
    lines.push(`      ${exceedsLimit(measurement) ? paint('red', limit) : limit}`)
  }
  const said = result.outcome === 'PASS' && result.measurements.some(measurement => measurement.bound)
  if (!said) lines.push(`      ${visibleLine(result.reason)}`)
  return lines.join('\n')
}

/** The list of what was not exercised; empty where everything was. */
export const formatUntested = (report: Pick<RunReport, 'untested'>, options: TextOptions = {}): string => {
  if (report.untested.length === 0) return ''
  const paint = painter(options)
  const lines = report.untested.map(({ what, why }) => `      ${visibleLine(what)}: ${visibleLine(why)}`)
  return [paint('bold', 'Untested (not a pass):'), ...lines].join('\n')
}

/** A run with more checks, or with more that is untested, is summed up on a screen; whoever wants it all reads the report. */
const MOST = { checks: 40, untested: 12 }

/**
 * What the terminal shows of a finished run: a block per check, what is untested, and one line of summary. Of a large one, a block
 * for each check that did not pass, and all of it on one screen.
 */
export const formatText = (report: RunReport, options: TextOptions & { file?: string } = {}): string => {
  const paint = painter(options)
  const { results, untested } = report
  const isLarge = results.length > MOST.checks || untested.length > MOST.untested
  const shown = results.length > MOST.checks ? results.filter(({ outcome }) => outcome !== 'PASS') : results
  const blocks = [
    ...shown.map(result => formatCheck(result, options)),
    isLarge
      ? formatScreen(report, { file: options.file, paint: (outcome, text) => paint(STYLES[outcome], text) })
      : formatUntested(report, options),
    `${paint(STYLES[report.outcome], report.outcome)}  ${summaryLine(report)}`,
  ]
  return `${blocks.filter(block => block !== '').join('\n\n')}\n`
}
