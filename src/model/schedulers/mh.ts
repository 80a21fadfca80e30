import { gcdOf } from './gcd.ts'
import { foldedAddress, hsiphash } from './hash.ts'
import type { Destination, SchedulerDefinition } from './types.ts'

/** CONFIG_IP_VS_MH_TAB_INDEX is 12 where nobody chose otherwise. */
const SIZE = 4093
/** Bits of the weights that the table tells apart. */
const WEIGHT_BITS = 6
const [OFFSET_KEY, SKIP_KEY] = [2654435761, 2654446892]

const hash = (address: string, port: number, offset: number, key: number): number =>
  hsiphash((foldedAddress(address) + port + offset) >>> 0, key)

/** Each destination, as often in a row as its weight says, takes the next free place of its own permutation of the table. */
const fill = (destinations: readonly Destination[]): Destination[] => {
  const weights = destinations.map(destination => destination.lastWeight)
  const divisor = gcdOf(weights)
  if (divisor === 0) return []
  const highest = Math.floor(Math.max(...weights) / divisor)
  const shift = Math.max(0, 32 - Math.clz32(highest) - WEIGHT_BITS)
  const players = destinations.flatMap(destination => {
    const { address, port, lastWeight } = destination
    if (lastWeight === 0) return []
    return {
      destination,
      place: hash(address, port, 0, OFFSET_KEY) % SIZE,
      skip: (hash(address, port, 0, SKIP_KEY) % (SIZE - 1)) + 1,
      turns: Math.floor(lastWeight / divisor) >> shift || 1,
    }
  })
  const table: Destination[] = []
  let left = SIZE
  while (left > 0) {
    for (const player of players) {
      for (let turn = 0; turn < player.turns && left > 0; turn++, left--) {
        while (table[player.place]) player.place = (player.place + player.skip) % SIZE
        table[player.place] = player.destination
      }
    }
  }
  return table
}

/**
 * Maglev hashing: the client's address, with `mh-port` plus its port, chooses a place of a table in which each destination
 * keeps most of its places when others come and go. A weight that is set to 0 leaves the table as it is: its clients get
 * nobody, or, with `mh-fallback`, the first that further hashes find.
 */
export const mh: SchedulerDefinition = {
  exact: true,
  source: 'Linux net/netfilter/ipvs/ip_vs_mh.c',
  create({ destinations, flags }) {
    /** Filled when it is needed: a service gets its destinations one after the other. */
    let table: Destination[] | undefined
    return {
      changed() {
        table = undefined
      },
      schedule({ source, sourcePort }) {
        table ??= fill(destinations)
        const port = flags.has('mh-port') ? sourcePort : 0
        const place = hash(source, port, 0, OFFSET_KEY) % SIZE
        const chosen = table[place]
        if (!chosen || chosen.weight > 0) return chosen
        if (!flags.has('mh-fallback')) return undefined
        for (let offset = 0; offset < SIZE; offset++) {
          const other = table[hash(source, port, (offset + place) % SIZE, OFFSET_KEY) % SIZE]
          if (other && other.weight > 0) return other
        }
        return undefined
      },
    }
  },
}
