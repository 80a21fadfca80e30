import type { Condition } from '../../agent/protocol.ts'
import type { Heal } from '../../lab/faults/inject.ts'
import type { Lab } from '../../lab/lab.ts'
import type { Probe } from '../../lab/probes.ts'
import { changePool, type Pool, poolTable, serverKey, startPool } from '../../model/pool.ts'
import type { Bound } from '../../model/types.ts'
import type { Plan, PlannedService } from '../plan.ts'
import { asksByUdp } from '../reach.ts'
import { arrivesAt } from '../spoken.ts'
import { paced, PATIENCE_MS, PROBE_RATE, type Scenario } from '../scenario.ts'

/** What scenarios share. */

/** What every probe is called; a fork has one. */
export const PROBE = 'clients'

/** Requests before a fault: clients are served, and the gap has a beginning. ms */
export const BEFORE_MS = 1_000

/** Requests after the last change: whoever answers now goes on doing so. ms */
export const AFTER_MS = 1_000

/** Clients of a service, each request on a connection of its own, each datagram from a port that none had before. */
export const startClients = (
  lab: Lab,
  { client }: Plan,
  planned: PlannedService,
  options: { probe: string; rate: number; count?: number; sources?: string[] },
): Promise<Probe> =>
  asksByUdp(planned)
    ? lab.udp({ ...options, client, target: planned.url.replace('udp://', ''), newPorts: true })
    : lab.http({ ...options, client, url: planned.url })

export const startProbe = (lab: Lab, plan: Plan, service: PlannedService): Promise<Probe> =>
  startClients(lab, plan, service, { probe: PROBE, rate: paced(service, PROBE_RATE) })

/** Further addresses of the client. */
export const addClients = async (
  lab: Lab,
  { client }: Plan,
  { vip }: PlannedService,
  count: number,
): Promise<{ sources: string[] }> => ({ sources: await lab.addSources(client, { count, to: vip.address }) })

/** The same, or as many as its network has; its own alone where that has none. */
export const addSomeClients = async (
  lab: Lab,
  { client }: Plan,
  { vip }: PlannedService,
  count: number,
): Promise<{ sources?: string[] }> => {
  const sources = await lab.addSources(client, { count, atMost: true, to: vip.address })
  return sources.length > 0 ? { sources } : {}
}

/** Schedulers that choose by the client's address. */
export const BY_SOURCE: ReadonlySet<string> = new Set(['sh', 'mh'])

/**
 * The probe of a scenario in which servers are lost. Where the client's address decides who serves it, there are as many as ask in a
 * second: one alone may never have been served by the server that is lost.
 */
export const startThroughLoss = async (lab: Lab, plan: Plan, planned: PlannedService): Promise<Probe> => {
  const { scheduler, persistence } = planned.service
  const rate = paced(planned, PROBE_RATE)
  const isTied = persistence !== undefined || BY_SOURCE.has(scheduler)
  const from = isTied ? await addSomeClients(lab, plan, planned, rate) : {}
  return startClients(lab, plan, planned, { probe: PROBE, rate, ...from })
}

/** What serves a service on its real servers, and how that is broken. */
export const crashOf = (planned: PlannedService) => {
  if (!asksByUdp(planned))
    return {
      ...{ program: 'httpd', how: 'TCP', fault: 'httpd-crash' as const },
      inject: (lab: Lab, node: string): Promise<Heal> => lab.inject('httpd-crash', node),
    }
  const portsAt = (node: string): number[] => [
    ...new Set(planned.servers.filter(one => one.node === node).map(({ server }) => arrivesAt(server, planned.port))),
  ]
  return {
    ...{ program: 'UDP server', how: 'UDP', fault: 'listener-crash' as const },
    inject: (lab: Lab, node: string): Promise<Heal> =>
      lab.inject('listener-crash', node, { protocol: 'udp', ports: portsAt(node) }),
  }
}

/** The table of the expected MASTER sends new connections to exactly these, `10.0.0.10:80`. */
export const poolOf = ({ vip, table }: PlannedService, destinations: string[]): Condition => ({
  kind: 'pool',
  node: vip.members[0]?.node ?? '',
  service: table,
  destinations,
})

/** The pool of a healthy lab without the real servers of some nodes; those that no node plays are dead. */
export const poolWithout = ({ service, servers }: PlannedService, nodes: string[]): Pool =>
  service.realServers.reduce(
    (pool, server) =>
      changePool(service, pool, {
        server: serverKey(server),
        alive: servers.some(one => one.server === server && !nodes.includes(one.node)),
      }),
    startPool(service),
  )

/** `10.0.0.10:80` of those that get new connections: the sorry server, where the quorum is lost. */
export const receiversOf = (service: PlannedService['service'], pool: Pool): string[] =>
  Object.entries(poolTable(service, pool))
    .flatMap(([key, weight]) => (weight > 0 ? [key] : []))
    .toSorted()

/** What serves a node crashes, and returns when the pool is without it; clients ask all the while. */
export const crashAndReturn =
  (
    plan: Plan,
    planned: PlannedService,
    node: string,
    pools: { without: string[]; whole: string[] },
    { downBound, upBound }: { downBound: Bound; upBound: Bound },
  ): Scenario['drive'] =>
  async lab => {
    const probe = await startThroughLoss(lab, plan, planned)
    await lab.sleep(BEFORE_MS)
    const heal = await crashOf(planned).inject(lab, node)
    await lab.until(poolOf(planned, pools.without), downBound.maxMs + PATIENCE_MS)
    await lab.sleep(AFTER_MS)
    await heal()
    await lab.until(poolOf(planned, pools.whole), upBound.maxMs + PATIENCE_MS)
    await lab.sleep(AFTER_MS)
    await probe.stop()
  }

/** The table of the expected MASTER as it is in a healthy lab. */
export const wholePool = (planned: PlannedService): Condition =>
  poolOf(planned, receiversOf(planned.service, poolWithout(planned, [])))
