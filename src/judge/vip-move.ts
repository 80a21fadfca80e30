import type { FaultEvent } from '../history/event.ts'
import type { History } from '../history/history.ts'
import { endOf, eventsOf, holdingsOf, ownersAt } from '../history/queries.ts'
import { seconds } from '../model/bound.ts'
import type { Bound } from '../model/types.ts'
import { inconclusive, inOrder } from './guard.ts'
import { allowed, breach, duration, fromFault } from './limit.ts'
import type { Verdict } from './verdict.ts'
import { describeFault } from './words.ts'

/** A VIP that should come to a director after something was done to the lab. */
export interface Move {
  vip: string
  /** Every director that could hold the VIP. */
  directors: string[]
  /** The director that the VIP should come to. */
  to: string
  /** What was done: a fault that was injected, or healed. */
  cause: FaultEvent
  bound: Bound
  /** Scheduling of the lab's machine, ms. */
  slackMs: number
  /** End of the stretch to look at, ms on the lab's clock; the next thing that is done to the lab. */
  until: number
}

/** Whether and when the VIP came: from the beginning of the cause to the address event on the director. */
export const judgeMove = (history: History, move: Move): Verdict => {
  const { vip, to, cause, until } = move
  const bound = fromFault(history, move.bound, cause, move.slackMs)
  const what = describeFault(cause)
  const holdings = holdingsOf(history, vip, move.directors)
  // what a snapshot states again is no arrival
  const taken = holdings.find(({ node, from }) => node === to && from >= cause.t && from <= until)
  const arrival = eventsOf(history, 'address').find(
    event => event.change === 'add' && event.address === vip && event.node === to && event.t === taken?.from,
  )
  const adverts = eventsOf(history, 'advert').filter(advert => advert.t <= until)
  const lastBefore = adverts.findLast(
    advert => advert.node !== to && advert.t <= (arrival?.t ?? until) && advert.addresses.includes(vip),
  )
  if (!arrival) {
    // A stale VIP of a crashed keepalived goes when it starts again, and comes back with an event of its own.
    if (ownersAt(holdings, until).includes(to) && ownersAt(holdings, cause.t).includes(to))
      return inconclusive(`${to} held the VIP ${vip} before ${what}, so nothing could move to it.`, [cause])
    const watched = Math.min(endOf(history), until) - cause.t
    if (watched < bound.maxMs)
      return inconclusive(
        `The recording ends ${seconds(watched)} after ${what}, ` +
          `before ${to} had to hold the VIP ${vip} ${allowed(bound)}.`,
        [cause],
      )
    const other = holdings.find(holding => holding.from >= cause.t && holding.from <= until)
    const instead = other ? `; ${other.node} took it ${seconds(other.from - cause.t)} after ${what}` : ''
    return {
      outcome: 'FAIL',
      reason: `${to} did not get the VIP ${vip} within ${seconds(watched)} after ${what}${instead} ${allowed(bound)}.`,
      measurements: [duration('VIP move', watched, bound)],
      proof: inOrder([cause, lastBefore]),
    }
  }

  const value = arrival.t - cause.t
  const wrong = breach(value, bound)
  const goodbye = adverts.find(advert => advert.priority === 0 && advert.t >= cause.t && advert.t <= arrival.t)
  const firstOwn = adverts.find(advert => advert.node === to && advert.t >= arrival.t)
  const judged = wrong === 'late' ? ', which is too late' : wrong === 'early' ? ', which is too early' : ''
  return {
    outcome: wrong ? 'FAIL' : 'PASS',
    reason: `${to} held the VIP ${vip} ${seconds(value)} after ${what}${judged} ${allowed(bound)}.`,
    measurements: [duration('VIP move', value, bound)],
    proof: inOrder([cause, lastBefore, goodbye, arrival, firstOwn]),
  }
}
