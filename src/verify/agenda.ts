import type { PlannedCheck } from '../judge/rules.ts'
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
}

/**
 * What is tried of a plan; what is left out goes to `plan.untested` with the reason.
 *
 * @throws LvslabError USAGE where the operator names what is not there, PLAN_SCENARIO_TWICE
 */
export const agendaOf = (plan: Plan, selection: Selection = {}): Agenda => {
  const convergence = { name: CONVERGENCE, checks: convergenceChecks(plan) }
  const { kept, untested } = select<{ name: string; checks: PlannedCheck[] }>(
    [convergence, ...planScenarios(plan)],
    selection,
  )
  plan.untested.push(...untested)
  return {
    convergence: kept.find(({ name }) => name === CONVERGENCE)?.checks ?? [],
    scenarios: kept.filter((one): one is Scenario => one.name !== CONVERGENCE),
  }
}
