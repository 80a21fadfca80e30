import type { DirectorConfig, HealthCheck, RealServer } from './types.ts'

/** Checks that a closed port answers with an ICMP port unreachable. */
const asksByUdp = (check: HealthCheck): boolean => check.type === 'UDP_CHECK' || check.type === 'DNS_CHECK'

/**
 * Marks the checks of a director whose refusals may not arrive. To one address a kernel sends 1 ICMP port unreachable a second
 * after 6 at once (net/ipv4/icmp.c icmpv4_xrlim_allow, inetpeer.c inet_peer_xrlim_allow). One check asks no faster than that by
 * keepalived's defaults; with a second one of the same address, over UDP or DNS, it is presumed that some are held back, and a
 * UDP_CHECK without `require_reply` takes silence for health.
 *
 * @param answersAll whether who has an address answers without that limit: `net.ipv4.icmp_ratelimit` 0
 */
export const withHeldBack = (config: DirectorConfig, answersAll: (address: string) => boolean): DirectorConfig => {
  const asked = ({ address }: RealServer, check: HealthCheck): string => check.target?.address ?? address
  const asking = new Map<string, number>()
  for (const server of config.services.flatMap(service => service.realServers))
    for (const check of server.checks.filter(asksByUdp))
      asking.set(asked(server, check), (asking.get(asked(server, check)) ?? 0) + 1)
  const mark = (server: RealServer, check: HealthCheck): HealthCheck => {
    const address = asked(server, check)
    if (!check.udp || check.udp.requireReply || (asking.get(address) ?? 0) < 2 || answersAll(address)) return check
    return { ...check, udp: { ...check.udp, refusalsHeldBack: true } }
  }
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
