import { seconds } from '../model/bound.ts'
import type { Limit } from '../model/limits.ts'
import type { Bound } from '../model/types.ts'
import { inconclusive, mergeVerdicts } from './guard.ts'
import type { PlannedCheck } from './rules.ts'
import type { Measurement, Verdict } from './verdict.ts'

/** An operator's limit for something that a check measures. Plain data, saved with the check. */
export interface CheckLimit {
  /** Name of the measurement: `client gap`. */
  measurement: string
  /** ms; what was measured must not exceed it, and nothing is added for what the measurement itself takes. */
  maxMs: number
  /** Where it was set: `topology.yaml:12`, `--max-gap`. */
  at: string
}

/** A limit for what a check measures, and what is predicted of that. */
interface Limited {
  limit: CheckLimit
  bound: Bound
}

/** What a check measures of what a limit is for; undefined where it measures nothing of that. */
export const limitedBy = ({ name, maxMs, at }: Limit, { rule, params }: PlannedCheck): Limited | undefined => {
  const of = (measurement: string, bound: Bound): Limited => ({ limit: { measurement, maxMs, at }, bound })
  // what a preemption costs clients has a bound of its own, and is not measured without it
  if (name === 'gap' && rule === 'preemption')
    return params.watch && params.gapBound && of('client gap', upperEnd(params.gapBound))
  if (name === 'gap' && rule === 'failover')
    return params.watch && of('client gap', upperEnd(params.gapBound ?? params.bound))
  if (name === 'gap') return 'watch' in params && params.watch ? of('client gap', upperEnd(params.bound)) : undefined
  if (name === 'failover') return rule === 'failover' ? of('VIP move', params.bound) : undefined
  if (name === 'sorry') return rule === 'sorry' ? of('sorry page', params.bound) : undefined
  if (rule !== 'pool') return undefined
  return name === 'removal' ? of('removal', params.downBound) : params.upBound && of('return', params.upBound)
}

/** Clients may be luckier than the VIP is slow. */
const upperEnd = ({ name, formula, maxMs, source }: Bound): Bound => ({ name, formula, maxMs, source })

/** A check with the limits that are for what it measures. */
export const withLimits = (check: PlannedCheck, limits: readonly Limit[]): PlannedCheck => {
  const own = limits.flatMap(limit => limitedBy(limit, check)?.limit ?? [])
  return own.length === 0 ? check : { ...check, limits: own }
}

/** A verdict with an operator's limits: what exceeds one fails, whatever the configuration itself promises. */
export const judgeLimits = (verdict: Verdict, limits: readonly CheckLimit[]): Verdict => {
  const { measurements, ...merged } = mergeVerdicts([verdict, ...limits.flatMap(limit => judgeLimit(verdict, limit))])
  const limitOf = ({ name }: Measurement) => limits.find(({ measurement }) => measurement === name)
  return {
    ...merged,
    measurements: measurements.map(one => {
      const found = limitOf(one)
      return found ? { ...one, limit: { maxMs: found.maxMs, at: found.at } } : one
    }),
  }
}

const judgeLimit = ({ outcome, measurements }: Verdict, limit: CheckLimit): Verdict[] => {
  const { measurement, maxMs, at } = limit
  const values = measurements.filter(({ name }) => name === measurement).map(({ value }) => value)
  const said = `the limit ${seconds(maxMs)} of ${at}`
  // what was not to be judged at all says so by itself
  if (values.length === 0)
    return outcome === 'PASS' ? [inconclusive(`Nothing was measured for ${said}: ${measurement}.`)] : []
  const worst = Math.max(...values)
  const kept = worst <= maxMs
  const how = kept ? `within ${said}` : `${seconds(worst - maxMs)} above ${said}`
  return [
    {
      outcome: kept ? 'PASS' : 'FAIL',
      reason: `${measurement}: ${seconds(worst)}, ${how}.`,
      ...{ measurements: [], proof: [] },
    },
  ]
}
