import { describeBound } from '../model/bound.ts'
import type { Limit } from '../model/limits.ts'
import { SCHEDULERS } from '../model/schedulers/registry.ts'
import type { Bound } from '../model/types.ts'
import { type CheckLimit, limitedBy } from './operator-limit.ts'
import type { PlannedCheck } from './rules.ts'
import type { Untested } from './verdict.ts'

/** One promise of a configuration, before anything has been built. */
export interface Promised {
  check: string
  /** What is done to a lab to judge it, with other checks perhaps. */
  scenario: string
  title: string
  /** What each of its times may be, with the formula. */
  bounds: Bound[]
  /** Connections of one cycle by real server, where the scheduler shares exactly. */
  shares?: Record<string, number>
  /** Where the kernel has the algorithm that chooses, where each connection is judged by that. */
  algorithm?: string
  /** The operator's own limits for what it measures. */
  limits?: PromisedLimit[]
}

/** An operator's limit beside what is predicted. */
export interface PromisedLimit extends CheckLimit {
  /** Why it may be exceeded, on paper. */
  warning?: string
}

/** Everything that would be judged, as the configuration alone says it. */
export interface Promises {
  /** `10.0.0.100: d1 (priority 100), then d2 (80)` */
  vips: string[]
  promises: Promised[]
  untested: Untested[]
}

/** What a check of a scenario holds a configuration to. */
export const promised = (planned: PlannedCheck, scenario: string, limits: readonly Limit[] = []): Promised => {
  const { check, title, params } = planned
  const own = limits.flatMap(limit => promisedLimit(limit, planned) ?? [])
  return {
    ...{ check, scenario, title, bounds: boundsIn(params) },
    ...('expected' in params && 'shares' in params.expected && { shares: params.expected.shares }),
    ...('scheduler' in params && { algorithm: SCHEDULERS[params.scheduler].source }),
    ...(own.length > 0 && { limits: own }),
  }
}

const promisedLimit = (limit: Limit, check: PlannedCheck): PromisedLimit | undefined => {
  const found = limitedBy(limit, check)
  if (!found) return undefined
  const { bound } = found
  if (bound.maxMs <= limit.maxMs) return found.limit
  const how = (bound.minMs ?? 0) > limit.maxMs ? 'exceeds it even at best' : 'may exceed it'
  return { ...found.limit, warning: `${how}, on paper it is ${describeBound(bound)}` }
}

/** Bounds are the parameters that are called so: {@link judge} refuses any other value under such a name. */
const boundsIn = (params: object): Bound[] =>
  Object.entries(params).flatMap(([name, value]) => (/bound$/i.test(name) && value ? [value as Bound] : []))
