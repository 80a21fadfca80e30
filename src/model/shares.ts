import type { VirtualService } from './types.ts'

/** What a scheduler promises for each full cycle of connections. */
export interface CycleShares {
  scheduler: string
  /** Connections in one cycle. */
  cycle: number
  /** Connections of one cycle by server, under the names that the caller gave them. */
  shares: Record<string, number>
  source: string
}

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b))

/**
 * The exact shares of `rr` and `wrr`: one connection each, and weight / gcd of the weights each. Only the count in a
 * full cycle is promised, not the order. Servers of weight 0 get none.
 *
 * @param nameOf what answers are counted under, the node's name for instance
 * @returns undefined where the share is not exact: other schedulers, persistent services
 */
export const cycleShares = <S extends { weight: number }>(
  service: Pick<VirtualService, 'scheduler' | 'persistence'> & { realServers: S[] },
  nameOf: (server: S) => string,
): CycleShares | undefined => {
  const { scheduler } = service
  if ((scheduler !== 'rr' && scheduler !== 'wrr') || service.persistence !== undefined) return undefined
  const servers = service.realServers.filter(server => server.weight > 0)
  const divisor = servers.reduce((result, server) => gcd(result, server.weight), 0)
  const shares: Record<string, number> = {}
  for (const server of servers) {
    const name = nameOf(server)
    shares[name] = (shares[name] ?? 0) + (scheduler === 'rr' ? 1 : server.weight / divisor)
  }
  const cycle = Object.values(shares).reduce((total, share) => total + share, 0)
  return { scheduler, cycle, shares, source: `Linux net/netfilter/ipvs/ip_vs_${scheduler}.c` }
}
