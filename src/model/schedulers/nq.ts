import { expectedLoad, leastLoaded } from './load.ts'
import type { SchedulerDefinition } from './types.ts'

/** Never queue: the first destination without an active connection, whatever its weight; else as sed. */
export const nq: SchedulerDefinition = {
  exact: true,
  source: 'Linux net/netfilter/ipvs/ip_vs_nq.c',
  create: ({ destinations }) => ({
    schedule: () =>
      destinations.find(({ weight, active }) => weight > 0 && active === 0) ?? leastLoaded(destinations, expectedLoad),
  }),
}
