import { kindOf } from '../judge/kind.ts'

/** Says which scenarios still begin, and learns from those that have ended what one takes. Times are the host's. */
export interface Budget {
  /** Whether a scenario is expected to end in time. */
  allows: (scenario: string) => boolean
  /** A scenario has ended. @param tookMs host time */
  ended: (scenario: string, tookMs: number) => void
}

/**
 * A scenario is expected to take as long as the longest of its kind in this run; as the longest of any kind where it is the
 * first of its own; and no time before any has ended.
 *
 * @param limitMs host time from `startedMs` on; all that was done before the first scenario counts
 * @param now ms on the clock of `startedMs`
 */
export const createBudget = (limitMs: number, startedMs: number, now = () => performance.now()): Budget => {
  const longest = new Map<string, number>()
  return {
    allows: scenario => {
      const expected = longest.get(kindOf(scenario)) ?? Math.max(0, ...longest.values())
      const left = limitMs - (now() - startedMs)
      return left > 0 && expected <= left
    },
    ended: (scenario, tookMs) => {
      const kind = kindOf(scenario)
      longest.set(kind, Math.max(tookMs, longest.get(kind) ?? 0))
    },
  }
}
