import type { Condition } from '../../agent/protocol.ts'
import type { Heal } from '../../lab/faults/inject.ts'
import type { Lab } from '../../lab/lab.ts'
import type { Probe } from '../../lab/probes.ts'
import { changePool, type Pool, poolTable, serverKey, startPool } from '../../model/pool.ts'
import type { Bound, HealthCheck, RealServer } from '../../model/types.ts'
import type { Plan, PlannedServer, PlannedService } from '../plan.ts'
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

/** Why a server that refuses may not be found down; undefined where its refusals arrive. */
export const refusalsHeldBack = (servers: PlannedServer[]): string | undefined => {
  const found = servers.find(({ server }) => server.checks.some(check => check.udp?.refusalsHeldBack))
  if (!found) return undefined
  const limit = `the kernel of ${found.node} may hold back the refusals that UDP_CHECK waits for (net.ipv4.icmp_ratelimit)`
  return `${limit}, as more than one check asks it over UDP`
}

/** A lab is saved when its pool is whole, which waits for no check but one in alpha mode: another may begin long after a fault. */
const beginsLate = ({ alpha, warmup, delayLoop }: HealthCheck): boolean => !alpha && warmup > delayLoop

/** What asks by UDP. */
const BY_UDP: ReadonlySet<HealthCheck['type']> = new Set(['UDP_CHECK', 'DNS_CHECK'])

/** What is not known to ask by either. */
const BY_ANY: ReadonlySet<HealthCheck['type']> = new Set(['MISC_CHECK', 'OTHER'])

/** Whether a check asks what serves the service, by the protocol of the service. */
const looksThere = (planned: PlannedService, server: RealServer, { type, target }: HealthCheck): boolean => {
  if (BY_ANY.has(type)) return true
  if (!asksByUdp(planned)) return !BY_UDP.has(type)
  const port = arrivesAt(server, planned.port)
  const isThere = (target?.port ?? server.port) === port && (target?.address ?? server.address) === server.address
  return BY_UDP.has(type) && isThere
}

/** Whether a check asks the port of the service by the other protocol: where one program has both, it sees that too. */
const looksBeside = (planned: PlannedService, server: RealServer, { type, target }: HealthCheck): boolean =>
  asksByUdp(planned) && type !== 'PING_CHECK' && (target?.port ?? server.port) === arrivesAt(server, planned.port)

/** A real server with those of its checks alone that may see a crash of what serves the service: they must pass before it is back. */
export const withItsChecks = (planned: PlannedService, server: RealServer): RealServer => ({
  ...server,
  checks: server.checks.filter(check => looksThere(planned, server, check) || looksBeside(planned, server, check)),
})

/** Its removal is promised by those checks alone of which it is known what they look at, and when: what makes a script fail is not. */
export const withKnownChecks = (planned: PlannedService, server: RealServer): RealServer => ({
  ...server,
  checks: server.checks.filter(
    check => looksThere(planned, server, check) && check.type !== 'MISC_CHECK' && !beginsLate(check),
  ),
})

/** Why no check of some server sees that what serves it crashes; undefined where one of each may. */
export const unseen = (planned: PlannedService, servers: PlannedServer[]): string | undefined => {
  const late = servers.map(({ server }) => server.checks).find(checks => checks.length > 0 && checks.every(beginsLate))
  if (late) return `${late[0]?.keyword} may begin after the fault: its warmup is longer than its delay_loop`
  const beside = servers.find(
    ({ server }) => server.checks.length > 0 && !server.checks.some(check => looksThere(planned, server, check)),
  )
  const { program, how } = crashOf(planned)
  if (beside && beside.server.checks.some(({ type }) => type !== 'PING_CHECK')) {
    const keywords = [...new Set(beside.server.checks.map(({ keyword }) => keyword))].join(' and ')
    return `${keywords} of ${beside.node} does not ask port ${arrivesAt(beside.server, planned.port)} by ${how}: whether it sees that its ${program} crashes is not known`
  }
  const blind = servers
    .map(({ server }) => server.checks.map(({ type }) => type))
    .find(types => types.length > 0 && types.every(type => type === 'MISC_CHECK' || type === 'PING_CHECK'))
  if (!blind) return undefined
  return blind.includes('MISC_CHECK')
    ? 'what makes the script of MISC_CHECK fail is not known here: a suite has to break it'
    : `a ping does not see that its ${program} crashes: the machine still answers`
}

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
    const probe = await startProbe(lab, plan, planned)
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
