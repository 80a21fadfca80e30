import { limitedBy, withLimits } from '../judge/operator-limit.ts'
import type { PlannedCheck } from '../judge/rules.ts'
import { seconds } from '../model/bound.ts'
import type { Limit } from '../model/limits.ts'
import type { Plan } from './plan.ts'
import type { Scenario } from './scenario.ts'
import { convergenceChecks, planScenarios } from './scenarios.ts'
import { type Selection, select } from './select.ts'

/** Name of the lab that all others are forked from, in the journal and in what an operator selects. */
export const CONVERGENCE = 'convergence'

/** All that is tried of a plan, in its order. */
export interface Agenda {
  /** Judged on the journal of the convergence itself. */
  convergence: PlannedCheck[]
  scenarios: Scenario[]
  /** The operator's own, those of topology.yaml and of the command line. */
  limits: Limit[]
}

/** What an operator wants tried, and how fast it must be. */
export interface Choice extends Selection {
  /** Limits in place of those of the same names in topology.yaml. */
  limits?: Limit[] | undefined
}

/**
 * What is tried of a plan, each check with the operator's limits for what it measures. What is left out, and a limit that no
 * check measures, goes to `plan.untested` with the reason.
 *
 * @throws LvslabError USAGE where the operator names what is not there, PLAN_SCENARIO_TWICE
 */
export const agendaOf = (plan: Plan, choice: Choice = {}): Agenda => {
  const all: { name: string; checks: PlannedCheck[] }[] = [
    { name: CONVERGENCE, checks: convergenceChecks(plan) },
    ...planScenarios(plan),
  ]
  const limits = limitsOf(plan.topology.expect, choice.limits)
  const { kept, untested } = select(all, choice)
  for (const limit of limits) {
    const measures = ({ checks }: { checks: PlannedCheck[] }): boolean => checks.some(check => limitedBy(limit, check))
    if (kept.some(measures)) continue
    const { name, maxMs, at } = limit
    plan.untested.push({
      what: `limit ${name} ${seconds(maxMs)} of ${at}`,
      why: `no check ${all.some(measures) ? 'that was chosen' : 'of this configuration'} measures it`,
    })
  }
  plan.untested.push(...untested)
  const limited = kept.map(one => ({ ...one, checks: one.checks.map(check => withLimits(check, limits)) }))
  return {
    convergence: limited.find(({ name }) => name === CONVERGENCE)?.checks ?? [],
    scenarios: limited.filter((one): one is Scenario => one.name !== CONVERGENCE),
    limits,
  }
}

const limitsOf = (expected: Limit[] = [], given: Limit[] = []): Limit[] => [
  ...expected.filter(({ name }) => given.every(other => other.name !== name)),
  ...given,
]
