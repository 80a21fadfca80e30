import type { PlacementParams } from '../../judge/placement.ts'
import { endpoint } from '../../model/endpoint.ts'
import { SCHEDULER_NAMES, SCHEDULERS } from '../../model/schedulers/registry.ts'
import type { SchedulerFlag } from '../../model/schedulers/types.ts'
import { cycleShares, type CycleShares } from '../../model/shares.ts'
import type { RealServer } from '../../model/types.ts'
import type { Plan, PlannedService } from '../plan.ts'
import { paced, PROBE_RATE, type Scenario } from '../scenario.ts'
import { addSomeClients, BY_SOURCE, PROBE, startClients } from './common.ts'
import { isDynamic } from './expected-service.ts'

/** Why who gets which connection cannot be told; undefined where it can. */
const unsure = ({ service, servers, vip }: PlannedService): string | undefined => {
  const unplayed = service.realServers.find(server => !servers.some(one => one.server === server))
  if (unplayed) return `no node of the topology plays ${unplayed.address}`
  const again = servers.find(
    ({ node, server }) => server.forwarding !== 'NAT' && vip.members.some(member => member.node === node),
  )
  if (again)
    return `${again.node} is a director of ${vip.address} as well: its own table schedules what comes by ${again.server.forwarding} once more`
  if (service.realServers.some(({ upperThreshold }) => upperThreshold !== undefined))
    return 'uthreshold leaves a real server out while it has so many connections, closed ones among them'
  return service.realServers.some(isDynamic) ? 'a MISC_CHECK sets the weight (misc_dynamic)' : undefined
}

/** The exact shares of connections that no template decides; else why there is none that could be seen. */
export const exactShares = (planned: PlannedService): CycleShares | string => {
  const { service, servers } = planned
  const why = unsure(planned)
  if (why !== undefined) return why
  const { scheduler, realServers } = service
  const nameOf = (server: RealServer): string => servers.find(one => one.server === server)?.name ?? server.address
  const expected = cycleShares({ scheduler, realServers }, nameOf)
  return expected && expected.cycle > 0 ? expected : `${service.scheduler} has no exact share`
}

/** Flags of a scheduler by their numbers, as keepalived takes them too (include/uapi/linux/ip_vs.h). */
const NUMBERED: Record<string, string> = { 'flag-1': 'fallback', 'flag-2': 'port' }

/**
 * What each connection of a probe goes by, where the scheduler has a state that is told by the table, which that of `rr` and `wrr` is not; else
 * why it cannot be told.
 */
export const placementOf = (planned: PlannedService, probe: string): PlacementParams | string => {
  const { service, servers, vip, table } = planned
  const why = unsure(planned)
  if (why !== undefined) return why
  const { schedulerFlags = [], realServers } = service
  const scheduler = SCHEDULER_NAMES.find(name => name === service.scheduler)
  const isTold = scheduler !== undefined && scheduler !== 'rr' && scheduler !== 'wrr' && SCHEDULERS[scheduler].exact
  if (!isTold || realServers.every(({ weight }) => weight === 0)) return `${service.scheduler} has no exact share`
  const flags = schedulerFlags.map(flag => (NUMBERED[flag] ? `${scheduler}-${NUMBERED[flag]}` : flag))
  return {
    ...{ probe, director: vip.members[0]?.node ?? '', service: table, destination: vip.address, scheduler },
    ...(flags.length > 0 && { flags: flags as SchedulerFlag[] }),
    ...(service.onePacket && { onePacket: true as const }),
    names: Object.fromEntries(servers.map(({ name, server }) => [endpoint(server.address, server.port), name])),
  }
}

/** Connections whose placement is judged, and, where the client's address decides, the clients that they come from. */
const PLACED = 100
const PLACED_CLIENTS = 25

const placementScenario = (plan: Plan, planned: PlannedService, params: PlacementParams): Scenario => {
  const { name, service } = planned
  const bySource = BY_SOURCE.has(service.scheduler)
  const byPort = params.flags?.some(flag => flag.endsWith('-port'))
  return {
    name: `shares-${name}`,
    drive: async lab => {
      const from = bySource ? await addSomeClients(lab, plan, planned, PLACED_CLIENTS) : {}
      const options = { probe: PROBE, rate: paced(planned, PROBE_RATE), count: PLACED, ...from }
      const probe = await startClients(lab, plan, planned, options)
      await probe.ended()
    },
    checks: [
      {
        check: `shares-${name}`,
        title: `${service.scheduler} sends ${bySource && !byPort ? 'each client of' : 'each connection to'} ${name} to the real server that its algorithm chooses`,
        rule: 'placement',
        params,
      },
    ],
  }
}

export const sharesScenario = (plan: Plan, planned: PlannedService): Scenario[] => {
  const { service } = planned
  if (service.persistence !== undefined) return [] // shared out are its clients: see persistence.ts
  const expected = exactShares(planned)
  if (typeof expected === 'string') {
    const placement = placementOf(planned, PROBE)
    if (typeof placement !== 'string') return [placementScenario(plan, planned, placement)]
    plan.untested.push({ what: `shares of ${planned.name}`, why: placement })
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
