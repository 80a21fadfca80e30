import { serverDownBound, serverUpBound } from '../../model/health-check.ts'
import { rateLimitOf } from '../../model/refusals.ts'
import type { Bound, HealthCheck, RealServer, VirtualService } from '../../model/types.ts'
import type { Plan, PlannedServer, PlannedService } from '../plan.ts'
import { asksByUdp } from '../reach.ts'
import { arrivesAt } from '../spoken.ts'
import { crashOf } from './common.ts'

/** Which health checks see that what serves a service crashes, and when. */

/** A lab is saved when its pool is whole, which waits for no check but one in alpha mode: another may begin long after a fault. */
const beginsLate = ({ alpha, warmup, delayLoop }: HealthCheck): boolean => !alpha && warmup > delayLoop

/** What asks by UDP. */
const BY_UDP: ReadonlySet<HealthCheck['type']> = new Set(['UDP_CHECK', 'DNS_CHECK'])

/** What is not known to ask by either. */
const BY_ANY: ReadonlySet<HealthCheck['type']> = new Set(['MISC_CHECK', 'OTHER'])

const asksItsPort = (planned: PlannedService, server: RealServer, { target }: HealthCheck): boolean =>
  (target?.port ?? server.port) === arrivesAt(server, planned.port)

/** Whether a check asks what serves the service, by the protocol of the service. */
const looksThere = (planned: PlannedService, server: RealServer, check: HealthCheck): boolean => {
  if (BY_ANY.has(check.type)) return true
  if (!asksByUdp(planned)) return !BY_UDP.has(check.type)
  const isItsAddress = (check.target?.address ?? server.address) === server.address
  return BY_UDP.has(check.type) && isItsAddress && asksItsPort(planned, server, check)
}

/** Whether a check asks the port of the service by the other protocol: where one program has both, it sees that too. */
const looksBeside = (planned: PlannedService, server: RealServer, check: HealthCheck): boolean =>
  asksByUdp(planned) && check.type !== 'PING_CHECK' && asksItsPort(planned, server, check)

/** With those checks alone that may see a crash of what serves the service: they must pass before a server is back. */
export const withItsChecks = (planned: PlannedService, server: RealServer): RealServer => ({
  ...server,
  checks: server.checks.filter(check => looksThere(planned, server, check) || looksBeside(planned, server, check)),
})

/** With those checks alone of which it is known what they look at, and when: what makes a script fail is not. */
export const withKnownChecks = (planned: PlannedService, server: RealServer): RealServer => ({
  ...server,
  checks: server.checks.filter(
    check => looksThere(planned, server, check) && check.type !== 'MISC_CHECK' && !beginsLate(check),
  ),
})

/** A service whose real servers have some of their checks alone. */
export const withServers = (planned: PlannedService, change: typeof withItsChecks): VirtualService => ({
  ...planned.service,
  realServers: planned.service.realServers.map(server => change(planned, server)),
})

/** When a real server of a service is out of the table after a crash of what serves it, and in it again; undefined where nobody knows. */
export const crashBounds = (
  { keepalived }: Pick<Plan, 'keepalived'>,
  planned: PlannedService,
  server: RealServer,
): { downBound: Bound | undefined; upBound: Bound | undefined } => ({
  downBound: serverDownBound(withKnownChecks(planned, server), 'refused'),
  upBound: serverUpBound(withItsChecks(planned, server), 'refused', keepalived),
})

/** Why it is not known that the checks of some server see that what serves it crashes; undefined where those of each may. */
export const unseen = (planned: PlannedService, servers: PlannedServer[]): string | undefined =>
  refusalsHeldBack(servers) ?? unasked(planned, servers)

/** Why a server that refuses may not be found down; undefined where its refusals arrive. */
const refusalsHeldBack = (servers: PlannedServer[]): string | undefined => {
  const found = servers.find(({ server }) => server.checks.some(check => check.udp?.refusalsHeldBack))
  if (!found) return undefined
  const sysctl = rateLimitOf(found.server.address)
  const limit = `the kernel of ${found.node} may hold back the refusals that UDP_CHECK waits for (${sysctl})`
  return `${limit}, as its checks over UDP ask for more than 6 at once and then 1 a second: sysctls: { ${sysctl}: 0 } of the node in topology.yaml lifts that`
}

const unasked = (planned: PlannedService, servers: PlannedServer[]): string | undefined => {
  const late = servers.map(({ server }) => server.checks).find(checks => checks.length > 0 && checks.every(beginsLate))
  if (late) return `${late[0]?.keyword} may begin after the fault: its warmup is longer than its delay_loop`
  const { program, how } = crashOf(planned)
  const beside = servers.find(
    ({ server: { checks }, server }) =>
      checks.some(({ type }) => type !== 'PING_CHECK') && !checks.some(check => looksThere(planned, server, check)),
  )
  if (beside) {
    const keywords = [...new Set(beside.server.checks.map(({ keyword }) => keyword))].join(' and ')
    const port = arrivesAt(beside.server, planned.port)
    return `${keywords} of ${beside.node} does not ask port ${port} by ${how}: whether it sees that its ${program} crashes is not known; a ${how}_CHECK of that port would see it`
  }
  const blind = servers
    .map(({ server }) => server.checks.map(({ type }) => type))
    .find(types => types.length > 0 && types.every(type => type === 'MISC_CHECK' || type === 'PING_CHECK'))
  if (!blind) return undefined
  return blind.includes('MISC_CHECK')
    ? 'what makes the script of MISC_CHECK fail is not known here: a suite has to break it'
    : `a ping does not see that its ${program} crashes: the machine still answers`
}
