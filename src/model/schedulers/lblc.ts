import { leastLoaded, overhead } from './load.ts'
import type { Destination, SchedulerDefinition } from './types.ts'

/** More active connections than its weight, while some other has fewer than half of its own. */
export const isOverloaded = (destination: Destination, destinations: readonly Destination[]): boolean =>
  destination.active > destination.weight && destinations.some(({ active, weight }) => active * 2 < weight)

/**
 * Locality-based least connections: the address that the client asked for stays with the destination that it met first, chosen
 * as by wlc, until that is gone, has weight 0 or is overloaded. The cache forgets what was not used for a day
 * (lblc_expiration); that is not modelled.
 */
export const lblc: SchedulerDefinition = {
  exact: true,
  source: 'Linux net/netfilter/ipvs/ip_vs_lblc.c',
  create({ destinations }) {
    const cache = new Map<string, Destination>()
    return {
      schedule({ destination: address }) {
        const cached = cache.get(address)
        if (cached?.available && cached.weight > 0 && !isOverloaded(cached, destinations)) return cached
        const chosen = leastLoaded(destinations, overhead)
        if (chosen) cache.set(address, chosen)
        return chosen
      },
    }
  },
}
