import type { Plan } from '../plan.ts'
import type { Scenario } from '../scenario.ts'

/** The exact test that keepalived offers for its own configuration. */
const CONFIG_TEST = ['keepalived', '--config-test']

export const configuration = (plan: Plan): Scenario => ({
  name: 'configuration',
  drive: async lab => {
    for (const { node: director } of plan.configs) await lab.exec(director, CONFIG_TEST, { record: true })
  },
  checks: plan.configs.map(({ node: director }) => ({
    check: `configuration-${director}`,
    title: `keepalived on ${director} accepts every line of its configuration`,
    rule: 'configuration',
    params: { director, command: CONFIG_TEST.join(' ') },
  })),
})
