import { kindOf } from '../judge/kind.ts'

/**
 * The most valuable first: one of each kind, in the order in which the kinds come, then the second of each. A hundred services
 * of one form tell less than one of them, a failover and a lost server.
 */
const oneOfEachKindFirst = <T extends { name: string }>(scenarios: readonly T[]): T[] => {
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
const longestFirst = <T extends { name: string }>(scenarios: readonly T[]): T[] => {
  const rank = ({ name }: T): number => {
    const found = LONG_KINDS.findIndex(kind => name.startsWith(`${kind}-`))
    return found < 0 ? LONG_KINDS.length : found
  }
  return scenarios.toSorted((a, b) => rank(a) - rank(b))
}

/**
 * The order in which scenarios begin.
 *
 * @param budgeted what comes last may be left out
 * @param large whether some of them take much longer than others
 */
export const startOrder = <T extends { name: string }>(
  scenarios: readonly T[],
  { budgeted, large }: { budgeted: boolean; large: boolean },
): readonly T[] => {
  if (budgeted) return oneOfEachKindFirst(scenarios)
  return large ? longestFirst(scenarios) : scenarios
}
