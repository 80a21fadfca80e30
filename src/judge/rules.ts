import type { LabEvent } from '../history/event.ts'
import type { History } from '../history/history.ts'
import type { Bound } from '../model/types.ts'
import { checkConfiguration } from './configuration.ts'
import { checkConnections } from './connections.ts'
import { checkDrain } from './drain.ts'
import { checkFailover } from './failover.ts'
import { checkGarp } from './garp.ts'
import { guard, inconclusive } from './guard.ts'
import { checkSingleOwner } from './owner.ts'
import { type CheckLimit, judgeLimits } from './operator-limit.ts'
import { checkPlacement } from './placement.ts'
import { checkPool } from './pool.ts'
import { checkPreemption } from './preemption.ts'
import { checkQuorum } from './quorum.ts'
import { checkShares } from './shares.ts'
import { checkSilentBackup } from './silent-backup.ts'
import { checkSorry } from './sorry.ts'
import { checkSpread } from './spread.ts'
import { checkRelease, checkStickiness } from './stickiness.ts'
import { checkTable } from './table.ts'
import { checkTracked } from './tracked.ts'
import { checkUndisturbed } from './undisturbed.ts'
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
  placement: checkPlacement,
  pool: checkPool,
  preemption: checkPreemption,
  quorum: checkQuorum,
  release: checkRelease,
  shares: checkShares,
  'silent-backup': checkSilentBackup,
  'single-owner': checkSingleOwner,
  sorry: checkSorry,
  spread: checkSpread,
  stickiness: checkStickiness,
  table: checkTable,
  tracked: checkTracked,
  undisturbed: checkUndisturbed,
} satisfies Record<string, (history: History, params: never) => Verdict>

export type Rule = keyof typeof RULES

/** Rules that no lack of processor time makes fail: what keepalived says of its configuration, and of the scripts in it. */
const TIMELESS: Rule[] = ['configuration', 'tracked']

export type ParamsOf<R extends Rule> = Parameters<(typeof RULES)[R]>[1]

interface RuleCheck<R extends Rule> {
  /** Stable, kebab-case: `failover-crash`. */
  check: string
  /** What the configuration promises, as a sentence. */
  title: string
  rule: R
  params: ParamsOf<R>
  /** The operator's own limits for what it measures. */
  limits?: CheckLimit[]
  /** FAIL where something is wrong on purpose: a promise that holds all the same is then a failure. */
  expected?: 'FAIL'
}

/** One promise, to be judged on what a lab recorded. Plain data. */
export type PlannedCheck = { [R in Rule]: RuleCheck<R> }[Rule]

/**
 * Says which bound among the parameters is none. They come from files and from suites that nobody has type-checked, and a
 * comparison with what is no number would let everything pass.
 */
const wrongBound = (value: unknown, at: string): string | undefined => {
  if (typeof value !== 'object' || value === null) return undefined
  for (const [key, inner] of Object.entries(value)) {
    const place = `${at}.${key}`
    const wrong = /bound$/i.test(key) && inner !== undefined ? notABound(inner, place) : wrongBound(inner, place)
    if (wrong !== undefined) return wrong
  }
  return undefined
}

const notABound = (value: unknown, at: string): string | undefined => {
  const { minMs = 0, maxMs, formula } = (typeof value === 'object' && value !== null ? value : {}) as Partial<Bound>
  if (Number.isFinite(minMs) && Number.isFinite(maxMs) && minMs <= (maxMs ?? 0) && typeof formula === 'string')
    return undefined
  return `${at} is no bound but ${JSON.stringify(value)}; one has formula, maxMs and perhaps minMs, as crashBound() gives it`
}

/** A table as proof has the services that a check names: a hundred checks would each show a thousand real servers. */
const proofAbout = (verdict: Verdict, params: { service?: unknown; services?: unknown }): Verdict => {
  const named = [params.service, params.services].flat().filter(one => typeof one === 'string')
  if (named.length === 0) return verdict
  const cut = (event: LabEvent): LabEvent =>
    event.kind === 'ipvs' ? { ...event, services: event.services.filter(one => named.includes(one.service)) } : event
  return { ...verdict, proof: verdict.proof.map(cut) }
}

/** Judges a promise, with everything that {@link guard} adds. */
export const judge = (history: History, { rule, params, limits, expected }: PlannedCheck): Verdict => {
  // each name stands with its own parameters in a PlannedCheck; the compiler cannot follow that through the table
  const check = RULES[rule] as (history: History, params: unknown) => Verdict
  const verdict = guard(
    history,
    all => {
      const wrong = wrongBound(params, 'params')
      if (wrong !== undefined) return inconclusive(`It cannot be judged: ${wrong}.`)
      const verdict = proofAbout(check(all, params), params as object)
      return limits ? judgeLimits(verdict, limits) : verdict
    },
    TIMELESS.includes(rule),
  )
  if (expected !== 'FAIL' || verdict.outcome === 'INCONCLUSIVE') return verdict
  const failed = verdict.outcome === 'FAIL'
  return {
    ...verdict,
    outcome: failed ? 'PASS' : 'FAIL',
    reason: `This ${failed ? 'was to fail, and did' : 'was to fail, and did not'}: ${verdict.reason}`,
  }
}
