import { foldedAddress, hash32 } from './hash.ts'
import type { SchedulerDefinition } from './types.ts'

const BITS = 8

/**
 * Destination hashing: the address that the client asked for chooses one of 256 buckets, which belong to the destinations in
 * turn, whatever their weights. Where the bucket belongs to one of weight 0, nobody gets the connection.
 */
export const dh: SchedulerDefinition = {
  exact: true,
  source: 'Linux net/netfilter/ipvs/ip_vs_dh.c',
  create: ({ destinations }) => ({
    schedule({ destination: address }) {
      const chosen = destinations[hash32(foldedAddress(address), BITS) % destinations.length]
      return chosen && chosen.weight > 0 ? chosen : undefined
    },
  }),
}
