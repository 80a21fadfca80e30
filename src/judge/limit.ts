import { describeBound, withSlack } from '../model/bound.ts'
import type { Bound } from '../model/types.ts'
import type { FaultEvent } from '../history/event.ts'
import type { History } from '../history/history.ts'
import { eventsOf } from '../history/queries.ts'
import type { Measurement } from './verdict.ts'

/**
 * A bound as it applies to a time measured from the beginning of a fault: the fault takes effect somewhere between `t`
 * and `done`, so the upper end moves by what lies between, and both ends by the lab's scheduling.
 *
 * @param slackMs see {@link schedulingOf}
 */
export const fromFault = (history: History, bound: Bound, fault: FaultEvent, slackMs: number): Bound => {
  let result = bound
  if (fault.done > fault.t)
    result = withSlack(result, `that the ${fault.phase === 'heal' ? 'heal' : 'fault'} took`, fault.done - fault.t)
  result = withScheduling(history, result, slackMs)
  const { minMs } = result
  return minMs === undefined ? result : { ...result, minMs: Math.max(0, minMs - schedulingOf(history, slackMs)) }
}

/**
 * So much longer an emulated processor takes on the real clock, where all of its work is the lab's time: `true` in a node, 53 ms there
 * and 14 ms on the virtual clock (medians of 20, on 2 cores).
 */
const EMULATED_TIMES = 4

/**
 * What the lab's machine may add to a time, by what the history says of it.
 *
 * @param slackMs on a processor that is not emulated, or has a clock of its own; ms
 */
export const schedulingOf = (history: History, slackMs: number): number =>
  eventsOf(history, 'machine').some(({ processor, clock }) => processor === 'emulated' && clock === 'real')
    ? slackMs * EMULATED_TIMES
    : slackMs

/** A bound that leaves the lab's machine its time, see {@link schedulingOf}. */
export const withScheduling = (history: History, bound: Bound, slackMs: number): Bound => {
  const ms = schedulingOf(history, slackMs)
  if (ms === 0) return bound
  return withSlack(bound, ms > slackMs ? 'scheduling of an emulated processor in real time' : 'scheduling', ms)
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
