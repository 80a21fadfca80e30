import type { History } from '../history/history.ts'
import { endOf, eventsOf, holdingsOf, lastFault, ownersAt } from '../history/queries.ts'
import type { Bound } from '../model/types.ts'
import { judgeGap, type ProbeWatch } from './client-gap.ts'
import { inconclusive, mergeVerdicts } from './guard.ts'
import type { Verdict } from './verdict.ts'
import { judgeMove } from './vip-move.ts'

export interface FailoverParams {
  vip: string
  /** Every director that could hold the VIP. */
  directors: string[]
  /** The director that the fault is injected into; it must hold the VIP then. */
  from: string
  /** The director that must take over. */
  to: string
  /** Name in the fault registry; the last time that it was injected into `from` is judged. */
  fault: string
  bound: Bound
  /** Scheduling of the lab's machine, ms; default 0. */
  slackMs?: number
  /** Judges the gap that clients see as well, against `gapBound`, or `bound` where that is left out. */
  watch?: ProbeWatch
  /** What clients may miss, where that is less than until the VIP has moved: they are served until then. */
  gapBound?: Bound
}

/**
 * After a fault on the director that holds the VIP, the other one holds it in time, and clients do not notice it for
 * longer.
 */
export const checkFailover = (history: History, params: FailoverParams): Verdict => {
  const { vip, from, to, bound, directors, slackMs = 0, watch, gapBound = bound } = params
  const cause = lastFault(history, 'inject', params.fault, from)
  if (!cause) return inconclusive(`${params.fault} was never injected into ${from}, so no failover could be seen.`)
  if (!ownersAt(holdingsOf(history, vip, directors), cause.t).includes(from))
    return inconclusive(`${from} did not hold the VIP ${vip} when ${params.fault} was injected into it.`, [cause])

  // Whatever is done to the lab next may move the VIP again.
  const next = eventsOf(history, 'fault').find(event => event.t > cause.done)
  const until = next?.t ?? endOf(history)
  const move = judgeMove(history, { vip, directors, to, cause, bound, slackMs, until })
  return watch ? mergeVerdicts([move, judgeGap(history, watch, cause, gapBound, slackMs, until)]) : move
}
