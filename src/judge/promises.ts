import type { Bound } from '../model/types.ts'
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
}

/** Everything that would be judged, as the configuration alone says it. */
export interface Promises {
  /** `10.0.0.100: d1 (priority 100), then d2 (80)` */
  vips: string[]
  promises: Promised[]
  untested: Untested[]
}

/** What a check of a scenario holds a configuration to. */
export const promised = ({ check, title, params }: PlannedCheck, scenario: string): Promised => ({
  ...{ check, scenario, title, bounds: boundsIn(params) },
  ...('expected' in params && 'shares' in params.expected && { shares: params.expected.shares }),
})

/** Bounds are the parameters that are called so: {@link judge} refuses any other value under such a name. */
const boundsIn = (params: object): Bound[] =>
  Object.entries(params).flatMap(([name, value]) => (/bound$/i.test(name) && value ? [value as Bound] : []))
