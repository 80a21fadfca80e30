import type { FaultEvent } from '../history/event.ts'
import type { History } from '../history/history.ts'
import { endOf, longestGap, requestsOf } from '../history/queries.ts'
import { seconds, withSlack } from '../model/bound.ts'
import type { Bound } from '../model/types.ts'
import { inconclusive, inOrder, starved } from './guard.ts'
import { allowed, duration, fromFault } from './limit.ts'
import type { Verdict } from './verdict.ts'
import { describeFault, describeRequest } from './words.ts'

/** A probe that watches what clients see. */
export interface ProbeWatch {
  probe: string
  /** Time from one request to the next, ms. */
  stepMs: number
}

/**
 * The longest silence that a client saw after a fault, see `longestGap` for what exactly is measured. It may be as long
 * as the VIP takes to move, and one probe step at each end. The lower end of the bound does not apply: clients may be
 * luckier.
 */
export const judgeGap = (
  history: History,
  watch: ProbeWatch,
  cause: FaultEvent,
  moveBound: Bound,
  slackMs: number,
  until: number,
): Verdict => {
  const { minMs: _, ...upper } = withSlack(
    fromFault(history, moveBound, cause, slackMs),
    'for two probe steps',
    2 * watch.stepMs,
  )
  const bound: Bound = { ...upper, name: 'client gap' }
  const end = Math.min(until, endOf(history))
  const requests = requestsOf(history, watch.probe).filter(request => request.t <= end)
  const after = requests.filter(request => request.t >= cause.t)
  if (after.length === 0)
    return inconclusive(`The probe ${watch.probe} sent nothing after ${describeFault(cause)}.`, [cause])
  const answers = requests.filter(request => request.outcome === 'answered')
  const lastAnswer = answers.byDone().at(-1)
  if (!lastAnswer || answers.every(answer => answer.t > cause.t))
    return inconclusive(`The probe ${watch.probe} had no answer before ${describeFault(cause)}.`, [cause])

  const gap = longestGap(requests, cause.t)
  const lastSent = after.at(-1)
  // Nobody answers any more: that silence counts too, up to the last request that was sent into it.
  const silence = lastSent ? lastSent.done - lastAnswer.done : 0
  // Requests that were sent late can only lengthen a silence between answers: one within the bound stands, another does not.
  const hungry = starved(history, watch.probe, { from: cause.t, until: end })
  if (hungry && Math.max(silence, gap?.length ?? 0) > bound.maxMs) return inconclusive(hungry, [cause])
  if (silence > bound.maxMs)
    return {
      outcome: 'FAIL',
      reason:
        `Nobody answered the probe ${watch.probe} in the ${seconds(silence)} before its end, ` +
        `after ${describeFault(cause)} ${allowed(bound)}.`,
      measurements: [duration('client gap', silence, bound)],
      proof: inOrder([cause, lastAnswer, lastSent]),
    }
  if (!gap || silence > gap.length)
    return inconclusive(`The probe ${watch.probe} ended before anybody answered again after ${describeFault(cause)}.`, [
      cause,
    ])

  // The answer that ended the silence was due before it was asked for: that wait was the probe's own.
  const ownWait = gap.after.t - gap.after.scheduled
  if (gap.length > bound.maxMs && gap.length - ownWait <= bound.maxMs)
    return inconclusive(
      `The probe ${watch.probe} sent ${describeRequest(gap.after)} ${seconds(ownWait)} late: of the ` +
        `${seconds(gap.length)} without an answer after ${describeFault(cause)} that much may be its own ${allowed(bound)}.`,
      [cause, gap.before, gap.after],
    )

  const failed = after.filter(request => request.outcome !== 'answered').length
  const late = gap.length > bound.maxMs
  return {
    outcome: late ? 'FAIL' : 'PASS',
    reason: `Clients had no answer for ${seconds(gap.length)}${late ? ', which is too long' : ''} ${allowed(bound)}.`,
    measurements: [
      duration('client gap', gap.length, bound),
      { name: 'failed requests', value: failed, unit: 'requests' },
    ],
    proof: inOrder([cause, gap.before, gap.after]),
  }
}
