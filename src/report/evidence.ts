import type { Verdict } from '../judge/verdict.ts'
import { describeEvent } from './describe.ts'
import { formatMeasurement } from './measurement.ts'
import { visibleLine } from './visible.ts'

const moment = (t: number): string => `${(t / 1000).toFixed(3)} s`.padStart(11)

/**
 * All that a verdict says, for whoever has no report before him: what was promised and how it came out, the reason, each
 * measurement beside its bound with formula and source, and the events that prove it, a line each.
 */
export const formatEvidence = (title: string, { outcome, reason, measurements, proof }: Verdict): string => {
  const lines = [
    reason,
    ...measurements.map(one => {
      const source = one.bound ? ` (${one.bound.source})` : ''
      return `${one.name}: ${formatMeasurement(one)}${source}`
    }),
    ...(proof.length > 0 ? ['Proved by:'] : []),
  ]
  return [
    `${outcome}  ${visibleLine(title)}`,
    ...lines.map(line => `  ${visibleLine(line)}`),
    ...proof.map(event => `  ${moment(event.t)}  ${visibleLine(describeEvent(event))}`),
  ].join('\n')
}
