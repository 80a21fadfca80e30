import { seconds } from '../model/bound.ts'
import type { Measurement } from '../judge/verdict.ts'

/** Decimals of a number without trailing zeros, but at least `least`. */
const trim = (value: number, most: number, least = 0): string => {
  let text = value.toFixed(most)
  while (text.includes('.') && text.endsWith('0') && text.length - text.indexOf('.') - 1 > least)
    text = text.slice(0, -1)
  return text.endsWith('.') ? text.slice(0, -1) : text
}

/** A duration for people, from ms: `3.41 s`, `0.25 s`, `12.5 ms`. */
export const formatDuration = (ms: number, decimals = 2): string => {
  if (!Number.isFinite(ms)) return ms > 0 ? 'for ever' : String(ms)
  if (Math.abs(ms) >= 100 || ms === 0) return `${(ms / 1000).toFixed(decimals)} s`
  return `${trim(ms, decimals - 1)} ms`
}

/** What was measured, with its unit: `3.41 s`, `120 requests`. */
export const formatMeasured = ({ value, unit, bound, limit: own }: Measurement): string => {
  if (unit === 'ms') {
    // never `measured 3.69 s, bound 3.69 s` beside a FAIL
    const tooClose = [bound?.minMs, bound?.maxMs, own?.maxMs].some(
      limit => limit !== undefined && limit !== value && formatDuration(limit) === formatDuration(value),
    )
    return formatDuration(value, tooClose ? 3 : 2)
  }
  return unit === '' ? trim(value, 3) : `${trim(value, 2)} ${unit}`
}

/** The bound and its formula: `at most 3.74 s: 3 x 1 s + (256-100)/256 s = 3.61 s, + 0.1 s scheduling`. */
export const formatBound = ({ bound, unit }: Pick<Measurement, 'bound' | 'unit'>): string | undefined => {
  if (!bound) return undefined
  const limit = (value: number): string => (unit === 'ms' ? formatDuration(value) : trim(value, 2))
  const range = bound.minMs ? `${limit(bound.minMs)} to ${limit(bound.maxMs)}` : `at most ${limit(bound.maxMs)}`
  return `${range}: ${bound.formula}`
}

/** The operator's own limit: `limit 3 s of topology.yaml:12`. */
export const formatLimit = ({ maxMs, at }: NonNullable<Measurement['limit']>): string =>
  `limit ${seconds(maxMs)} of ${at}`

/** What a value must keep: the bound with its formula, and the operator's own limit; undefined where there is neither. */
export const formatLimits = (measurement: Measurement): string | undefined => {
  const { limit } = measurement
  const all = [formatBound(measurement), limit && formatLimit(limit)].filter(line => line !== undefined)
  return all.length === 0 ? undefined : all.join('; ')
}

/** Whether the value is above the operator's own limit; false where there is none. */
export const exceedsLimit = ({ value, limit }: Measurement): boolean => limit !== undefined && value > limit.maxMs

/** Whether the value is outside its bound; false where there is none. */
export const exceedsBound = ({ value, bound }: Measurement): boolean =>
  bound !== undefined && (value > bound.maxMs || value < (bound.minMs ?? Number.NEGATIVE_INFINITY))

/** `measured 3.41 s, bound at most 3.69 s: 3 x 1 s + (256-80)/256 s = 3.69 s` */
export const formatMeasurement = (measurement: Measurement): string => {
  const bound = formatBound(measurement)
  const measured = `measured ${formatMeasured(measurement)}`
  return bound === undefined ? measured : `${measured}, bound ${bound}`
}
