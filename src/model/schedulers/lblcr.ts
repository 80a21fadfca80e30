import { isOverloaded } from './lblc.ts'
import { leastLoaded, overhead } from './load.ts'
import type { Destination, SchedulerDefinition } from './types.ts'

/**
 * lblc with replication: an address has a set of destinations, of which the least loaded is taken; where that is overloaded
 * the least loaded of all joins the set. A set that did not change for a day (lblcr_expiration) loses its most loaded member;
 * that is not modelled.
 */
export const lblcr: SchedulerDefinition = {
  exact: true,
  source: 'Linux net/netfilter/ipvs/ip_vs_lblcr.c',
  create({ destinations }) {
    /** Sets by address; who joined last comes first. */
    const sets = new Map<string, Destination[]>()
    return {
      schedule({ destination: address }) {
        const set = sets.get(address) ?? []
        const cached = leastLoaded(
          set.filter(member => member.available),
          overhead,
        )
        if (cached && !isOverloaded(cached, destinations)) return cached
        const chosen = leastLoaded(destinations, overhead)
        if (chosen && !set.includes(chosen)) sets.set(address, [chosen, ...set])
        return chosen
      },
    }
  },
}
