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

/**
 * The most valuable first: one of each kind, in the order in which the kinds come, then the second of each. A hundred services
 * of one form tell less than one of them, a failover and a lost server.
 */
export const oneOfEachKindFirst = <T extends { name: string }>(scenarios: readonly T[]): T[] => {
  const seen = new Map<string, number>()
  const rounds = scenarios.map(scenario => {
    const kind = kindOf(scenario.name)
    const round = seen.get(kind) ?? 0
    seen.set(kind, round + 1)
    return { scenario, round }
  })
  return rounds.sort((a, b) => a.round - b.round).map(({ scenario }) => scenario)
}

/** Kinds of what takes long in a large lab, the longest first: release waits, the others lose many real servers, or ask all services. */
const LONG_KINDS = ['release', 'servers-of', 'shares-of', 'failover-link']

/** Where two run at a time, a long one that begins last runs alone. The others keep their order. */
export const longestFirst = <T extends { name: string }>(scenarios: readonly T[]): T[] => {
  const rank = ({ name }: T): number => {
    const found = LONG_KINDS.findIndex(kind => name.startsWith(`${kind}-`))
    return found < 0 ? LONG_KINDS.length : found
  }
  return scenarios.toSorted((a, b) => rank(a) - rank(b))
}
