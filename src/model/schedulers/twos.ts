import { overhead } from './load.ts'
import type { Destination, SchedulerDefinition } from './types.ts'

/** Chances of one draw: by weight, but a draw has sum of weights + 1 outcomes, and the one too many is the first's. */
const drawChances = (candidates: readonly Destination[]): number[] => {
  const total = candidates.reduce((sum, { weight }) => sum + weight, 0)
  return candidates.map(({ weight }, n) => (weight + (n === 0 ? 1 : 0)) / (total + 1))
}

/** The second draw wins only where its load / weight is truly lower. */
const winner = (one: Destination, other: Destination): Destination =>
  other.weight * overhead(one) > one.weight * overhead(other) ? other : one

/**
 * The chance of each destination to get the next connection, by its index: two draws, the lower load / weight wins, the first
 * draw wins a tie.
 */
export const twosChances = (destinations: readonly Destination[]): Map<number, number> => {
  const candidates = destinations.filter(({ weight }) => weight > 0)
  const draw = drawChances(candidates)
  const chances = new Map(candidates.map(({ index }) => [index, 0]))
  candidates.forEach((one, i) =>
    candidates.forEach((other, j) => {
      const { index } = winner(one, other)
      chances.set(index, (chances.get(index) ?? 0) + (draw[i] ?? 0) * (draw[j] ?? 0))
    }),
  )
  return chances
}

/** Power of two choices: of two destinations drawn by weight, the one with the lower (active x 257 + inactive) / weight. */
export const twos: SchedulerDefinition = {
  exact: false,
  source: 'Linux net/netfilter/ipvs/ip_vs_twos.c',
  create: ({ destinations, random }) => ({
    schedule() {
      const candidates = destinations.filter(({ weight }) => weight > 0)
      const chances = drawChances(candidates)
      const draw = (): Destination | undefined => {
        let left = random()
        return candidates.find((_, n) => (left -= chances[n] ?? 0) < 0) ?? candidates.at(-1)
      }
      const [one, other] = [draw(), draw()]
      return one && other && winner(one, other)
    },
  }),
}
