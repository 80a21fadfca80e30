import type { Condition } from '../../agent/protocol.ts'
import { serverDownBound, serverUpBound } from '../../model/health-check.ts'
import { serverKey } from '../../model/pool.ts'
import type { Plan, PlannedServer, PlannedService } from '../plan.ts'
import { PATIENCE_MS, type Scenario, SLACK_MS, SLOW_PROBE_RATE } from '../scenario.ts'
import { AFTER_MS, BEFORE_MS, poolOf, PROBE, refusalsHeldBack, startProbe } from './common.ts'

/** The web server of one real server crashes: its port refuses, and its health check sees that at the next look. */
export const serverLost = (plan: Plan, planned: PlannedService, { node, server }: PlannedServer): Scenario[] => {
  const { vip, table, servers } = planned
  const [downBound, upBound] = [serverDownBound(server, 'refused'), serverUpBound(server, 'refused')]
  const what = `removal and return of ${node} (${planned.name})`
  const alike = servers.filter(other => other.node === node && other.server.port === server.port)
  const name = `server-${planned.name}-${node}:${server.port}${alike.length > 1 ? ` (${server.address})` : ''}`
  if (!downBound || !upBound) {
    const why = server.checks.length
      ? `no bound is known for ${server.checks.map(c => c.keyword).join(', ')}`
      : 'it has no health check'
    plan.untested.push({ what, why: refusalsHeldBack([{ node, server }]) ?? why })
    return []
  }
  if (server.weight === 0) {
    plan.untested.push({ what, why: 'its weight is 0' })
    return []
  }
  if (servers.length < 2) {
    plan.untested.push({ what, why: 'it is the only real server' })
    return []
  }
  const pool = (without: string[]): Condition =>
    poolOf(
      planned,
      servers.filter(s => s.server.weight > 0 && !without.includes(s.node)).map(s => serverKey(s.server)),
    )
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
