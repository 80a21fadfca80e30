import { LvslabError } from '../errors.ts'
import type { PlannedCheck } from '../judge/rules.ts'
import type { GroupMember } from '../model/pair.ts'
import { handoverBound } from '../model/vrrp.ts'
import type { Plan, PlannedVip } from './plan.ts'
import { type Scenario, SLACK_MS } from './scenario.ts'
import { configuration } from './scenarios/configuration.ts'
import { failovers } from './scenarios/failovers.ts'
import { fixedScenarios } from './scenarios/fixed.ts'
import { isLarge, sampleOf, serversLostTogether, sharesOfAll } from './scenarios/large.ts'
import { persistence, release } from './scenarios/persistence.ts'
import { quorum } from './scenarios/quorum.ts'
import { serverLost } from './scenarios/server-lost.ts'
import { sharesScenario } from './scenarios/shares.ts'
import { sorryPage } from './scenarios/sorry.ts'
import { backupLost, reload } from './scenarios/undisturbed.ts'
import { scriptsOf } from './unsettled.ts'
import { unsureToHear } from './vips.ts'

/** Every scenario that follows from a plan, the most valuable first; what cannot be judged goes to `plan.untested`. */
export const planScenarios = (plan: Plan): Scenario[] => {
  const large = isLarge(plan)
  const sample = sampleOf(plan)
  return namedApart([
    ...(plan.configs.length > 0 ? [configuration(plan)] : []),
    ...(large ? serversLostTogether(plan) : []),
    ...(large ? sharesOfAll(plan) : plan.services.flatMap(service => sharesScenario(plan, service))),
    ...plan.fixed.flatMap(service => sharesScenario(plan, service)),
    ...[...sample.persistent, ...plan.fixed].flatMap(service => persistence(plan, service)),
    ...sample.vips.flatMap(vip => failovers(plan, vip)),
    ...reload(plan),
    ...(large
      ? []
      : plan.services.flatMap(service => service.servers.flatMap(server => serverLost(plan, service, server)))),
    ...sample.sorry.flatMap(service => sorryPage(plan, service)),
    ...sample.quorum.flatMap(service => quorum(plan, service)),
    ...backupLost(plan),
    ...fixedScenarios(plan),
    // its time is spent in waiting
    ...[...sample.persistent, ...plan.fixed].flatMap(service => release(plan, service)),
  ])
}

/** The journal knows labs by their names. @throws LvslabError PLAN_SCENARIO_TWICE where two would have the same one */
const namedApart = (scenarios: Scenario[]): Scenario[] => {
  const names = new Set<string>()
  for (const { name } of scenarios) {
    if (names.has(name))
      throw new LvslabError('PLAN_SCENARIO_TWICE', `two scenarios are called ${name}, and so would be their labs`, {
        remedy:
          'look for a virtual server, a real server or a VIP that the configuration has twice, or a VIP whose directors do not hear each other on two networks',
        exitCode: 2,
      })
    names.add(name)
  }
  return scenarios
}

/** Where directors may not hear each other, there may be two MASTERs. */
const heard =
  (plan: Plan) =>
  (vip: PlannedVip): boolean => {
    const why = unsureToHear(vip)
    if (why !== undefined) plan.untested.push({ what: `one director at a time holds the VIP ${vip.address}`, why })
    return why === undefined
  }

/** What is judged on the journal of the convergence itself, before any fork. */
export const convergenceChecks = (plan: Plan): PlannedCheck[] => [
  ...trackedScripts(plan),
  ...plan.vips.filter(heard(plan)).map(
    ({ address, members }): PlannedCheck => ({
      check: `single-owner-${address}`,
      title: `one director at a time holds the VIP ${address}`,
      rule: 'single-owner',
      params: {
        vip: address,
        directors: members.map(({ node, address: own }) => ({ node, address: own })),
        bound: handoverBound((members[0] as GroupMember).instance),
        slackMs: SLACK_MS,
        causes: plan.dualMaster,
      },
    }),
  ),
]

const trackedScripts = ({ configs }: Plan): PlannedCheck[] =>
  configs.flatMap(({ node, instances }): PlannedCheck[] => {
    const scripts = scriptsOf(instances)
    if (scripts.length === 0) return []
    const names = scripts.map(({ name, reverse }) => (reverse ? `${name} fails` : `${name} succeeds`))
    return [
      {
        check: `tracked-${node}`,
        title: `on ${node}, while nothing is broken, ${names.join(', ')}`,
        rule: 'tracked',
        params: { director: node, scripts },
      },
    ]
  })
