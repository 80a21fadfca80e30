import type { History } from '../history/history.ts'
import { checkConfiguration } from './configuration.ts'
import { checkConnections } from './connections.ts'
import { checkDrain } from './drain.ts'
import { checkFailover } from './failover.ts'
import { checkGarp } from './garp.ts'
import { guard } from './guard.ts'
import { checkSingleOwner } from './owner.ts'
import { checkPool } from './pool.ts'
import { checkPreemption } from './preemption.ts'
import { checkShares } from './shares.ts'
import { checkSilentBackup } from './silent-backup.ts'
import { checkSorry } from './sorry.ts'
import { checkSpread } from './spread.ts'
import { checkRelease, checkStickiness } from './stickiness.ts'
import type { Verdict } from './verdict.ts'

/**
 * Every check by its name. A run saves names and parameters, never code, so that it can be judged again: a name stays what it is,
 * and parameters are plain JSON (no Infinity, no undefined that means something).
 */
export const RULES = {
  configuration: checkConfiguration,
  connections: checkConnections,
  drain: checkDrain,
  failover: checkFailover,
  garp: checkGarp,
  pool: checkPool,
  preemption: checkPreemption,
  release: checkRelease,
  shares: checkShares,
  'silent-backup': checkSilentBackup,
  'single-owner': checkSingleOwner,
  sorry: checkSorry,
  spread: checkSpread,
  stickiness: checkStickiness,
} satisfies Record<string, (history: History, params: never) => Verdict>

export type Rule = keyof typeof RULES
export type ParamsOf<R extends Rule> = Parameters<(typeof RULES)[R]>[1]

interface RuleCheck<R extends Rule> {
  /** Stable, kebab-case: `failover-crash`. */
  check: string
  /** What the configuration promises, as a sentence. */
  title: string
  rule: R
  params: ParamsOf<R>
  /** FAIL where something is wrong on purpose: a promise that holds all the same is then a failure. */
  expected?: 'FAIL'
}

/** One promise, to be judged on what a lab recorded. Plain data. */
export type PlannedCheck = { [R in Rule]: RuleCheck<R> }[Rule]

/** Judges a promise, with everything that {@link guard} adds. */
export const judge = (history: History, { rule, params, expected }: PlannedCheck): Verdict => {
  // each name stands with its own parameters in a PlannedCheck; the compiler cannot follow that through the table
  const check = RULES[rule] as (history: History, params: unknown) => Verdict
  const verdict = guard(history, all => check(all, params))
  if (expected !== 'FAIL' || verdict.outcome === 'INCONCLUSIVE') return verdict
  const failed = verdict.outcome === 'FAIL'
  return {
    ...verdict,
    outcome: failed ? 'PASS' : 'FAIL',
    reason: `This ${failed ? 'was to fail, and did' : 'was to fail, and did not'}: ${verdict.reason}`,
  }
}
