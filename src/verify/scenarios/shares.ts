import { cycleShares, type CycleShares } from '../../model/shares.ts'
import type { RealServer } from '../../model/types.ts'
import type { Plan, PlannedService } from '../plan.ts'
import { paced, PROBE_RATE, type Scenario } from '../scenario.ts'
import { PROBE, startClients } from './common.ts'
import { isDynamic } from './expected-service.ts'

/** The exact shares of connections that no template decides; else why there is none that could be seen. */
export const exactShares = ({ service, servers, vip }: PlannedService): CycleShares | string => {
  const unplayed = service.realServers.find(server => !servers.some(one => one.server === server))
  if (unplayed) return `no node of the topology plays ${unplayed.address}`
  const again = servers.find(
    ({ node, server }) => server.forwarding !== 'NAT' && vip.members.some(member => member.node === node),
  )
  if (again)
    return `${again.node} is a director of ${vip.address} as well: its own table schedules what comes by ${again.server.forwarding} once more`
  if (service.realServers.some(({ upperThreshold }) => upperThreshold !== undefined))
    return 'uthreshold leaves a real server out while it has so many connections, closed ones among them'
  if (service.realServers.some(isDynamic)) return 'a MISC_CHECK sets the weight (misc_dynamic)'
  const { scheduler, realServers } = service
  const nameOf = (server: RealServer): string => servers.find(one => one.server === server)?.name ?? server.address
  const expected = cycleShares({ scheduler, realServers }, nameOf)
  return expected && expected.cycle > 0 ? expected : `${service.scheduler} has no exact share`
}

export const sharesScenario = (plan: Plan, planned: PlannedService): Scenario[] => {
  const { service } = planned
  if (service.persistence !== undefined) return [] // shared out are its clients: see persistence.ts
  const expected = exactShares(planned)
  if (typeof expected === 'string') {
    plan.untested.push({ what: `shares of ${planned.name}`, why: expected })
    return []
  }
  const requests = expected.cycle * Math.ceil(100 / expected.cycle)
  return [
    {
      name: `shares-${planned.name}`,
      drive: async lab => {
        const options = { probe: PROBE, rate: paced(planned, PROBE_RATE), count: requests }
        const probe = await startClients(lab, plan, planned, options)
        await probe.ended()
      },
      checks: [
        {
          check: `shares-${planned.name}`,
          title: `${service.scheduler} shares the connections to ${planned.name} out to ${Object.keys(expected.shares).join(', ')}`,
          rule: 'shares',
          params: { probe: PROBE, expected },
        },
      ],
    },
  ]
}
