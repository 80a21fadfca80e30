import type { History } from '../history/history.ts'
import { endOf, eventsOf, lastFault } from '../history/queries.ts'
import type { Bound } from '../model/types.ts'
import { judgeGap, type ProbeWatch } from './client-gap.ts'
import { inconclusive, mergeVerdicts } from './guard.ts'
import type { Verdict } from './verdict.ts'
import { judgeMove } from './vip-move.ts'

export interface PreemptionParams {
  vip: string
  /** Every director that could hold the VIP. */
  directors: string[]
  /** The director with the higher priority, which comes back. */
  to: string
  /** The fault whose heal starts keepalived there again; the last heal is judged. */
  fault: string
  bound: Bound
  /** Scheduling of the lab's machine, ms; default 0. */
  slackMs?: number
  /** Judges the gap that clients see as well, against `gapBound`. */
  watch?: ProbeWatch
  /** What clients may miss at the handover; required with `watch`. */
  gapBound?: Bound
}

/** The director with the higher priority takes the VIP back in time after keepalived was started there. */
export const checkPreemption = (history: History, params: PreemptionParams): Verdict => {
  const { vip, directors, to, bound, slackMs = 0, watch, gapBound } = params
  const cause = lastFault(history, 'heal', params.fault, to)
  if (!cause) return inconclusive(`${params.fault} was never healed on ${to}, so it could not take the VIP back.`)
  const next = eventsOf(history, 'fault').find(event => event.t > cause.done)
  const until = next?.t ?? endOf(history)
  const move = judgeMove(history, { vip, directors, to, cause, bound, slackMs, until })
  if (!watch || !gapBound) return move
  return mergeVerdicts([move, judgeGap(history, watch, cause, gapBound, slackMs, until)])
}
