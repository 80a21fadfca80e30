import type { PlannedCheck } from '../../judge/rules.ts'
import type { Plan, PlannedService } from '../plan.ts'
import type { Scenario } from '../scenario.ts'
import { expectedService } from './expected-service.ts'

/** The exact test that keepalived offers for its own configuration. */
const CONFIG_TEST = ['keepalived', '--config-test']

export const configuration = (plan: Plan): Scenario => ({
  name: 'configuration',
  drive: async lab => {
    for (const { node: director } of plan.configs) await lab.exec(director, CONFIG_TEST, { record: true })
    await lab.snapshot()
  },
  checks: [
    ...plan.configs.map(
      ({ node: director }): PlannedCheck => ({
        check: `configuration-${director}`,
        title: `keepalived on ${director} accepts every line of its configuration`,
        rule: 'configuration',
        params: { director, command: CONFIG_TEST.join(' ') },
      }),
    ),
    ...plan.configs.flatMap(({ node }) => asOfMaster(plan, node)),
  ],
})

/** Who takes a VIP over has to have its services as well: its kernel has them whether it is MASTER or not. */
const asOfMaster = ({ services }: Plan, backup: string): PlannedCheck[] => {
  const masters = new Map<string, PlannedService[]>()
  for (const planned of services) {
    const [master, ...others] = planned.vip.members.map(({ node }) => node)
    if (master === undefined || !others.includes(backup)) continue
    masters.set(master, [...(masters.get(master) ?? []), planned])
  }
  return [...masters].map(([master, its]) => ({
    check: masters.size > 1 ? `table-${backup}-${master}` : `table-${backup}`,
    title: `${backup} has the services that it takes over from ${master}, and their real servers`,
    rule: 'table',
    params: {
      ...{ director: backup, of: master },
      services: its.map(({ service, servers }) =>
        expectedService(
          service,
          servers.map(({ server }) => server),
        ),
      ),
    },
  }))
}
