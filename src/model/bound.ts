import type { Bound } from './types.ts'

/** `3690` -> `3.69 s`: two decimals, three digits below one second. */
export const seconds = (ms: number): string => {
  const s = ms / 1000
  return `${Math.abs(s) >= 1 ? Number(s.toFixed(2)) : Number(s.toPrecision(3))} s`
}

/**
 * A bound with a named term added to its upper end: what the measurement itself may add, a probe's step or the
 * scheduling of a loaded machine. The lower end stays, as nothing that only delays can make the event earlier.
 *
 * @param what names the term in the formula: `probe step`
 * @param ms the term, ms
 */
export const withSlack = (bound: Bound, what: string, ms: number): Bound => ({
  ...bound,
  formula: `${bound.formula}, + ${seconds(ms)} ${what}`,
  maxMs: bound.maxMs + ms,
})

/**
 * Two bounds one after the other: what has to be found first, and what follows from it. A lower end that one of them does
 * not set is 0.
 */
export const inSequence = (first: Bound, second: Bound): Bound => ({
  name: second.name,
  formula: `${first.formula}, then ${second.formula}`,
  minMs: (first.minMs ?? 0) + (second.minMs ?? 0),
  maxMs: first.maxMs + second.maxMs,
  source: `${first.source}; ${second.source}`,
})

/** `at most 3.69 s`, or `2.69 s to 3.69 s`: how a bound is said in a sentence. */
export const describeBound = (bound: Bound): string =>
  bound.minMs === undefined ? `at most ${seconds(bound.maxMs)}` : `${seconds(bound.minMs)} to ${seconds(bound.maxMs)}`
