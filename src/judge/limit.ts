import { describeBound, withSlack } from '../model/bound.ts'
import type { Bound } from '../model/types.ts'
import type { FaultEvent } from '../history/event.ts'
import type { Measurement } from './verdict.ts'

/**
 * A bound as it applies to a time measured from the beginning of a fault: the fault takes effect somewhere between `t`
 * and `done`, so the upper end moves by what lies between, and both ends by the lab's scheduling.
 *
 * @param slackMs scheduling of the lab's machine, ms
 */
export const fromFault = (bound: Bound, fault: FaultEvent, slackMs: number): Bound => {
  let result = bound
  if (fault.done > fault.t)
    result = withSlack(result, `that the ${fault.phase === 'heal' ? 'heal' : 'fault'} took`, fault.done - fault.t)
  if (slackMs > 0) result = withSlack(result, 'scheduling', slackMs)
  return result.minMs === undefined ? result : { ...result, minMs: Math.max(0, result.minMs - slackMs) }
}

/** `late`, `early`, or undefined where the bound is kept. */
export const breach = (value: number, bound: Bound): 'late' | 'early' | undefined => {
  if (value > bound.maxMs) return 'late'
  return bound.minMs !== undefined && value < bound.minMs ? 'early' : undefined
}

/** `(2.69 s to 3.74 s allowed: 3 x 1 s + ...)`, to end a sentence with. */
export const allowed = (bound: Bound): string => `(${describeBound(bound)} allowed: ${bound.formula})`

/** A duration beside its bound. */
export const duration = (name: string, value: number, bound?: Bound): Measurement => ({
  name,
  value,
  unit: 'ms',
  ...(bound === undefined ? {} : { bound }),
})
