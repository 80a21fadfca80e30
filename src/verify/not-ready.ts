import type { KeepalivedEvent } from '../history/event.ts'
import type { History } from '../history/history.ts'
import { eventsOf } from '../history/queries.ts'
import { inconclusive } from '../judge/guard.ts'
import type { CheckResult } from '../judge/verdict.ts'
import type { NotConverged } from '../lab/readiness.ts'
import { CONVERGENCE } from './agenda.ts'
import type { Plan } from './plan.ts'

/** What health checks that failed said in a lab that did not converge, each once. */
const failedChecks = (history: History): KeepalivedEvent[] => {
  const lines = eventsOf(history, 'keepalived').filter(({ checker }) => checker?.result === 'down')
  return lines.filter(({ line }, n) => lines.findIndex(other => other.line === line) === n).slice(0, MOST_LINES)
}

const MOST_LINES = 4

/** A lab that never became testable is inconclusive by itself; what its journal proves is judged beside it. */
export const notReady = (plan: Pick<Plan, 'topology'>, failure: NotConverged, tookMs: number): CheckResult => {
  const failed = failedChecks(failure.history)
  const reasons = [
    `Within the time that the configuration needs, it was not so that ${failure.unmet.join('; nor that ')}.`,
    ...failed.map(({ node, line }) => `keepalived on ${node}: ${line.replace(/\.$/, '')}.`),
  ]
  return {
    ...inconclusive(reasons.join(' '), failed),
    check: 'convergence',
    title: `${plan.topology.name} becomes what its configuration says`,
    lab: CONVERGENCE,
    tookMs,
  }
}
