import { mergeOutcomes } from '../judge/guard.ts'
import { kindOf } from '../judge/kind.ts'
import type { CheckResult, Outcome } from '../judge/verdict.ts'
import { type Counts, countOutcomes, type RunReport } from './run.ts'
import { visibleLine } from './visible.ts'

/** Columns of the terminal that everybody has; what is longer is cut. */
const COLUMNS = 80

/** Most lines of each part: with the heads, the last line and what a shell prints, all of it stays within 24 lines. */
const MOST = { kinds: 8, failures: 4, reasons: 4 }

const WORST_FIRST: Outcome[] = ['FAIL', 'INCONCLUSIVE', 'PASS']

interface ScreenOptions {
  /** Where all of it can be read: a file, a command. */
  file?: string | undefined
  /** Colours an outcome. */
  paint: (outcome: Outcome, text: string) => string
}

/**
 * A run of any size on one screen: a verdict for each kind of promise, the worst first; what did not pass; what is untested,
 * counted by reason; where all of it is. No line feed at its end.
 */
export const formatScreen = (report: Pick<RunReport, 'results' | 'untested'>, options: ScreenOptions): string => {
  const { results, untested } = report
  const failures = worstFirst(results.filter(({ outcome }) => outcome !== 'PASS')).map(({ title }) =>
    visibleLine(title),
  )
  const lines = [
    ...kindsOf(results).map(({ outcome, text }) => `${options.paint(outcome, outcome.padEnd(12))}  ${cut(text, 14)}`),
    ...listed('Not passed:', failures, MOST.failures, rest => `and ${rest.length} more`),
    ...listed(
      'Untested (not a pass), by reason:',
      countedByReason(untested),
      MOST.reasons,
      rest => `and ${rest.length} other reasons`,
    ),
  ]
  if (options.file !== undefined) lines.push(`All of it: ${visibleLine(options.file)}`)
  return lines.join('\n')
}

/** One line for each kind of promise, and one for all that there is no room for. */
const kindsOf = (results: CheckResult[]): { outcome: Outcome; text: string }[] => {
  const kinds = worstFirst(
    [...Map.groupBy(results, ({ check }) => kindOf(check))].map(([name, all]) => ({
      ...{ name, all, outcome: mergeOutcomes(all.map(result => result.outcome)) },
    })),
  )
  const shown = kinds.length > MOST.kinds ? kinds.slice(0, MOST.kinds - 1) : kinds
  const rest = kinds.slice(shown.length)
  const width = Math.max(0, ...shown.map(({ name }) => name.length))
  const lines = shown.map(({ name, all, outcome }) => ({
    ...{ outcome, text: `${visibleLine(name).padEnd(width)}  ${counted(countOutcomes(all))}` },
  }))
  const others = rest.flatMap(({ all }) => all)
  if (rest.length > 0)
    lines.push({
      outcome: mergeOutcomes(others.map(({ outcome }) => outcome)),
      text: `${rest.length} kinds more: ${counted(countOutcomes(others))}`,
    })
  return lines
}

/** `1 failed, 199 passed`: what there is none of is not said. */
const counted = ({ failed, inconclusive, passed }: Counts): string =>
  Object.entries({ failed, inconclusive, passed })
    .flatMap(([how, n]) => (n > 0 ? [`${n} ${how}`] : []))
    .join(', ')

const countedByReason = (untested: RunReport['untested']): string[] => {
  const reasons = [...Map.groupBy(untested, ({ why }) => why)].map(([why, all]) => ({ why, count: all.length }))
  const width = String(Math.max(0, ...reasons.map(({ count }) => count))).length
  return reasons
    .sort((a, b) => b.count - a.count)
    .map(({ why, count }) => `${String(count).padStart(width)}  ${visibleLine(why)}`)
}

const worstFirst = <T extends { outcome: Outcome }>(all: T[]): T[] =>
  all.toSorted((a, b) => WORST_FIRST.indexOf(a.outcome) - WORST_FIRST.indexOf(b.outcome))

/** A head, and as many lines beneath it as there is room for; nothing where there are none. */
const listed = (head: string, all: string[], most: number, andMore: (rest: string[]) => string): string[] => {
  if (all.length === 0) return []
  const shown = all.length > most ? all.slice(0, most - 1) : all
  const rest = all.slice(shown.length)
  return [head, ...shown, ...(rest.length > 0 ? [andMore(rest)] : [])].map((line, n) =>
    n === 0 ? line : `  ${cut(line, 2)}`,
  )
}

/** A line that is visible already. @param before columns that are taken */
const cut = (text: string, before: number): string => {
  const line = [...text]
  return line.length + before <= COLUMNS ? line.join('') : `${line.slice(0, COLUMNS - before - 1).join('')}…`
}
