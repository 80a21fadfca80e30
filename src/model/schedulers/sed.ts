import { expectedLoad, leastLoaded } from './load.ts'
import type { SchedulerDefinition } from './types.ts'

/** Shortest expected delay: the lowest (active + 1) / weight. */
export const sed: SchedulerDefinition = {
  exact: true,
  source: 'Linux net/netfilter/ipvs/ip_vs_sed.c',
  create: ({ destinations }) => ({ schedule: () => leastLoaded(destinations, expectedLoad) }),
}
