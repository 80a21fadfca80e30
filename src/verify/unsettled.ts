import type { History } from '../history/history.ts'
import { checkTracked, type TrackedScript } from '../judge/tracked.ts'
import type { VrrpInstance } from '../model/types.ts'
import type { Plan } from './plan.ts'
import type { Scenario } from './scenario.ts'
import { configured, movingTogether } from './vips.ts'

/** What instances track by scripts, each once. */
export const scriptsOf = (instances: Pick<VrrpInstance, 'trackScripts'>[]): TrackedScript[] => [
  ...new Map(
    instances.flatMap(({ trackScripts }) =>
      trackScripts.map(({ script: { name }, reverse }) => [name, { name, reverse }] as const),
    ),
  ).values(),
]

/**
 * The VIPs whose directors have other priorities than the planned ones, as a script is not as it is while nothing is wrong; by their
 * addresses, with what keepalived says of it.
 */
export const unsettled = (plan: Plan, history: History): Map<string, string> => {
  const found = new Map<string, string>()
  for (const vip of plan.vips)
    for (const member of movingTogether(plan, vip).flatMap(one => one.members)) {
      const scripts = scriptsOf([configured(plan, member)])
      const { outcome, reason } = checkTracked(history, { director: member.node, scripts })
      if (outcome !== 'PASS' && !found.has(vip.address)) found.set(vip.address, reason)
    }
  return found
}

/** Why the bounds of a scenario do not hold; undefined where they do. */
export const unsettledBy = ({ checks }: Scenario, vips: Map<string, string>): string | undefined =>
  checks
    .flatMap(({ rule, params }) => (rule === 'failover' || rule === 'undisturbed' ? [vips.get(params.vip)] : []))
    .find(why => why !== undefined)
