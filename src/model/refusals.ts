import type { DirectorConfig, HealthCheck, RealServer } from './types.ts'

/** Checks that a closed port answers with an ICMP port unreachable. */
const asksByUdp = (check: HealthCheck): boolean => check.type === 'UDP_CHECK' || check.type === 'DNS_CHECK'

/** What a kernel sends to one address at once, and each second beyond it. */
const [AT_ONCE, EACH_SECOND] = [6, 1]

/** Attempts of a check in so many seconds, at most: `retry` more than one, then one in each `delay_loop`, none sooner than its pauses allow. */
const attempts = ({ retry, delayLoop, delayBeforeRetry }: HealthCheck, time: number): number =>
  Math.min(
    retry + 1 + (time * 1000) / delayLoop,
    1 + (time * 1000) / Math.max(1, Math.min(delayLoop, delayBeforeRetry)),
  )

/** Whether a kernel sends a refusal for each attempt of these checks, however long they go on. */
const allAnswered = (checks: HealthCheck[]): boolean => {
  // attempts rise ever slower: where retries end, and in the long run, they are nearest to the limit
  const ends = checks.map(
    ({ retry, delayLoop, delayBeforeRetry }) => retry / (1000 / delayBeforeRetry - 1000 / delayLoop),
  )
  return [0, ...ends.filter(end => end > 0), FOREVER].every(
    time => checks.reduce((sum, check) => sum + attempts(check, time), 0) <= AT_ONCE + EACH_SECOND * time,
  )
}

/** Seconds after which no burst counts. */
const FOREVER = 1e6

/** The sysctl of a kernel that says how often it refuses at an address. */
export const rateLimitOf = (address: string): string =>
  address.includes(':') ? 'net.ipv6.icmp.ratelimit' : 'net.ipv4.icmp_ratelimit'

/** What answers at an address. */
export interface Kernel {
  /** Its node; the address itself, where nobody has it. */
  node: string
  /** It has no limit: `net.ipv4.icmp_ratelimit`, `net.ipv6.icmp.ratelimit` 0. */
  answersAll: boolean
}

/**
 * Marks the checks of a director whose refusals may not arrive. To one address, the director's, a kernel sends 1 ICMP port unreachable a second
 * after 6 at once (net/ipv4/icmp.c icmpv4_xrlim_allow, inetpeer.c inet_peer_xrlim_allow). Where the checks of one machine over UDP
 * and DNS ask faster than that, should all its ports be closed, some are held back, and a UDP_CHECK without `require_reply` takes
 * silence for health.
 *
 * @param kernelOf who has an address, and whether that answers without the limit
 */
export const withHeldBack = (config: DirectorConfig, kernelOf: (address: string) => Kernel): DirectorConfig => {
  const asked = ({ address }: RealServer, check: HealthCheck): string => check.target?.address ?? address
  const asking = Map.groupBy(
    config.services.flatMap(({ realServers }) =>
      realServers.flatMap(server =>
        server.checks.filter(asksByUdp).map(check => ({ check, node: kernelOf(asked(server, check)).node })),
      ),
    ),
    ({ node }) => node,
  )
  const isHeldBack = (address: string): boolean => {
    const { node, answersAll } = kernelOf(address)
    return !answersAll && !allAnswered((asking.get(node) ?? []).map(({ check }) => check))
  }
  const mark = (server: RealServer, check: HealthCheck): HealthCheck =>
    check.udp && !check.udp.requireReply && isHeldBack(asked(server, check))
      ? { ...check, udp: { ...check.udp, refusalsHeldBack: true } }
      : check
  return {
    ...config,
    services: config.services.map(service => ({
      ...service,
      realServers: service.realServers.map(server => ({
        ...server,
        checks: server.checks.map(check => mark(server, check)),
      })),
    })),
  }
}
