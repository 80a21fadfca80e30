import type { FaultEvent } from '../history/event.ts'
import type { History } from '../history/history.ts'
import { holdingsOf, ownersAt } from '../history/queries.ts'
import { inconclusive } from './guard.ts'
import { STALE_FAULTS, timesOf } from './liveness.ts'
import type { Verdict } from './verdict.ts'
import { describeFault } from './words.ts'

/**
 * The directors that hold a VIP at a moment and attend to it: what a crashed or frozen one still holds does not count, from the
 * moment after it was made so.
 */
export const liveOwnersAt = (history: History, vip: string, directors: string[]): ((t: number) => string[]) => {
  const holdings = holdingsOf(history, vip, directors)
  const stale = new Map(directors.map(node => [node, timesOf(history, node, STALE_FAULTS, Infinity)]))
  return t => ownersAt(holdings, t).filter(node => !stale.get(node)?.some(({ from, until }) => from < t && t < until))
}

/** The one live director that holds a VIP when something is done to the lab; a verdict where there is none, or another as well. */
export const ownerAt = (
  history: History,
  { vip, directors }: { vip: string; directors: string[] },
  cause: FaultEvent,
): string | Verdict => {
  const owners = liveOwnersAt(history, vip, directors)(cause.t)
  const [owner] = owners
  if (owner !== undefined && owners.length === 1) return owner
  return inconclusive(
    owner === undefined
      ? `No live director held the VIP ${vip} at ${describeFault(cause)}.`
      : `${owners.join(' and ')} both held the VIP ${vip} at ${describeFault(cause)}, so no table tells who is served.`,
    [cause],
  )
}
