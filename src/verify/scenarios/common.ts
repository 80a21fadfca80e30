import type { Condition } from '../../agent/protocol.ts'
import type { Lab } from '../../lab/lab.ts'
import type { Probe } from '../../lab/probes.ts'
import type { Plan, PlannedServer, PlannedService } from '../plan.ts'

/** What scenarios share. */

/** What every probe is called; a fork has one. */
export const PROBE = 'clients'

/** Requests before a fault: clients are served, and the gap has a beginning. ms */
export const BEFORE_MS = 1_000

/** Requests after the last change: whoever answers now goes on doing so. ms */
export const AFTER_MS = 1_000

export const startProbe = (lab: Lab, plan: Plan, service: PlannedService, rate: number): Promise<Probe> =>
  lab.http({ probe: PROBE, client: plan.client, url: service.url, rate })

/** The table of the expected MASTER sends new connections to exactly these, `10.0.0.10:80`. */
export const poolOf = ({ vip, table }: PlannedService, destinations: string[]): Condition => ({
  kind: 'pool',
  node: vip.members[0]?.node ?? '',
  service: table,
  destinations,
})

/** Why a server that refuses may not be found down; undefined where its refusals arrive. */
export const refusalsHeldBack = (servers: PlannedServer[]): string | undefined => {
  const found = servers.find(({ server }) => server.checks.some(check => check.udp?.refusalsHeldBack))
  if (!found) return undefined
  const limit = `the kernel of ${found.node} may hold back the refusals that UDP_CHECK waits for (net.ipv4.icmp_ratelimit)`
  return `${limit}, as more than one check asks it over UDP`
}
