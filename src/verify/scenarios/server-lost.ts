import type { Condition } from '../../agent/protocol.ts'
import type { Plan, PlannedServer, PlannedService } from '../plan.ts'
import { PATIENCE_MS, type Scenario, SLACK_MS, SLOW_PROBE_RATE } from '../scenario.ts'
import { AFTER_MS, BEFORE_MS, poolOf, poolWithout, PROBE, receiversOf, startProbe } from './common.ts'
import { removalOf } from './removable.ts'

/** The web server of one real server crashes: its port refuses, and its health check sees that at the next look. */
export const serverLost = (plan: Plan, planned: PlannedService, one: PlannedServer): Scenario[] => {
  const { node, server } = one
  const { vip, table, servers } = planned
  const what = `removal and return of ${node} (${planned.name})`
  const alike = servers.filter(other => other.node === node && other.server.port === server.port)
  const name = `server-${planned.name}-${node}:${server.port}${alike.length > 1 ? ` (${server.address})` : ''}`
  const bounds = removalOf(planned, one)
  if ('why' in bounds) {
    plan.untested.push({ what, why: bounds.why })
    return []
  }
  const { downBound, upBound } = bounds
  const pool = (without: string[]): Condition =>
    poolOf(planned, receiversOf(planned.service, poolWithout(planned, without)))
  return [
    {
      name,
      drive: async lab => {
        const probe = await startProbe(lab, plan, planned, SLOW_PROBE_RATE)
        await lab.sleep(BEFORE_MS)
        const heal = await lab.inject('httpd-crash', node)
        await lab.until(pool([node]), downBound.maxMs + PATIENCE_MS)
        await lab.sleep(AFTER_MS)
        await heal()
        await lab.until(pool([]), upBound.maxMs + PATIENCE_MS)
        await lab.sleep(AFTER_MS)
        await probe.stop()
      },
      checks: [
        {
          check: name,
          title: `${node} leaves ${planned.name} when its httpd crashes, and comes back when it returns`,
          rule: 'pool',
          params: {
            ...{ vip: vip.address, directors: plan.directors, service: table, downBound, upBound, slackMs: SLACK_MS },
            server: { node, address: server.address, port: server.port },
            ...{ fault: 'httpd-crash', probe: PROBE },
          },
        },
      ],
    },
  ]
}
