import type { Plan, PlannedServer, PlannedService } from '../plan.ts'
import { type Scenario, SLACK_MS } from '../scenario.ts'
import { crashAndReturn, crashOf, poolWithout, PROBE, receiversOf } from './common.ts'
import { removalOf } from './removable.ts'

/** What serves one real server crashes: its port refuses, and its health check sees that at the next look. */
export const serverLost = (plan: Plan, planned: PlannedService, one: PlannedServer): Scenario[] => {
  const { node, server } = one
  const { vip, table, servers } = planned
  const { program, fault } = crashOf(planned)
  const what = `removal and return of ${node} (${planned.name})`
  const alike = servers.filter(other => other.node === node && other.server.port === server.port)
  const name = `server-${planned.name}-${node}:${server.port}${alike.length > 1 ? ` (${server.address})` : ''}`
  const bounds = removalOf(plan, planned, one)
  if ('why' in bounds) {
    plan.untested.push({ what, why: bounds.why })
    return []
  }
  const { downBound, upBound } = bounds
  const pool = (without: string[]): string[] => receiversOf(planned.service, poolWithout(planned, without))
  return [
    {
      name,
      drive: crashAndReturn(plan, planned, node, { without: pool([node]), whole: pool([]) }, bounds),
      checks: [
        {
          check: name,
          title: `${node} leaves ${planned.name} when its ${program} crashes, and comes back when it returns`,
          rule: 'pool',
          params: {
            ...{ vip: vip.address, directors: plan.directors, service: table, downBound, upBound, slackMs: SLACK_MS },
            server: { node, address: server.address, port: server.port },
            ...{ fault, probe: PROBE },
          },
        },
      ],
    },
  ]
}
