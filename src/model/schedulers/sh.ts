import { foldedAddress, hash32 } from './hash.ts'
import type { Destination, SchedulerDefinition } from './types.ts'

const BITS = 8
const SIZE = 2 ** BITS

/** The buckets in order: each destination owns as many in a row as its weight says, one where that is 0, time and again. */
const fill = (destinations: readonly Destination[]): Destination[] => {
  const buckets: Destination[] = []
  while (destinations.length > 0 && buckets.length < SIZE)
    for (const destination of destinations)
      for (let n = 0; n < Math.max(1, destination.weight) && buckets.length < SIZE; n++) buckets.push(destination)
  return buckets
}

/**
 * Source hashing: the client's address, with `sh-port` plus its port, chooses one of 256 buckets. Where the bucket belongs to a
 * destination of weight 0 the client gets nobody; with `sh-fallback` the buckets after it are tried, from twice the hash on.
 */
export const sh: SchedulerDefinition = {
  exact: true,
  source: 'Linux net/netfilter/ipvs/ip_vs_sh.c',
  create({ destinations, flags }) {
    let buckets: Destination[] = []
    return {
      changed() {
        buckets = fill(destinations)
      },
      schedule({ source, sourcePort }) {
        const hash = hash32(foldedAddress(source) + (flags.has('sh-port') ? sourcePort : 0), BITS)
        const chosen = buckets[hash]
        if (!chosen || chosen.weight > 0) return chosen
        if (!flags.has('sh-fallback')) return undefined
        for (let offset = 0; offset < SIZE; offset++) {
          const other = buckets[(hash + ((offset + hash) % SIZE)) % SIZE]
          if (other && other.weight > 0) return other
        }
        return undefined
      },
    }
  },
}
