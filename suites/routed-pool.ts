import { tablesOf } from '../src/history/queries.ts'
import type { Lab } from '../src/lab/lab.ts'
import { type CycleShares, cycleShares } from '../src/model/shares.ts'
import { run } from './steps.ts'

/** What the suites of the three topologies share whose real servers are in 192.168.137.0/24, behind a router or the director. */

export const CLIENT = '192.168.0.109'
export const SERVERS = { rs1: '192.168.137.131', rs2: '192.168.137.130' } as const
export type ServerName = keyof typeof SERVERS
export const NAMES = Object.keys(SERVERS) as ServerName[]

/** Requests of c1, each on a connection of its own, to their end. */
export const ask = async (
  lab: Lab,
  probe: string,
  url: string,
  { count = 4, sources }: { count?: number; sources?: string[] } = {},
): Promise<void> => {
  const clients = await lab.http({ probe, client: 'c1', url, rate: 20, count, ...(sources && { sources }) })
  await clients.ended()
}

/** What `rr` and `wrr` promise of these weights. */
export const sharesOfWeights = (scheduler: 'rr' | 'wrr', weights: Record<ServerName, number>): CycleShares => {
  const realServers = NAMES.map(name => ({ name, weight: weights[name] }))
  const shares = cycleShares({ scheduler, realServers }, ({ name }) => name)
  if (!shares) throw new Error(`${scheduler} promises no exact shares`)
  return shares
}

/** The director's table as `ipvsadm-save -n` writes it. */
export const saved = async (lab: Lab): Promise<string> => (await run(lab, 'd1', 'ipvsadm-save -n')).stdout

/** What a real server got and gave through the director, by its address, summed over all services. */
export const counted = async (lab: Lab): Promise<Record<string, { connections: number; packetsOut: number }>> => {
  await lab.sleep(2_500) // the kernel adds its counters up every 2 s
  await lab.snapshot()
  const sums: Record<string, { connections: number; packetsOut: number }> = {}
  for (const { destinations } of tablesOf(lab.history, 'd1').at(-1)?.services ?? []) {
    for (const { address, counters } of destinations) {
      const sum = (sums[address] ??= { connections: 0, packetsOut: 0 })
      sum.connections += counters?.connections ?? 0
      sum.packetsOut += counters?.packetsOut ?? 0
    }
  }
  return sums
}
