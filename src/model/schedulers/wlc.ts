import { leastLoaded, overhead } from './load.ts'
import type { SchedulerDefinition } from './types.ts'

/** Weighted least connections: the lowest (active x 257 + inactive) / weight. */
export const wlc: SchedulerDefinition = {
  exact: true,
  source: 'Linux net/netfilter/ipvs/ip_vs_wlc.c',
  create: ({ destinations }) => ({ schedule: () => leastLoaded(destinations, overhead) }),
}
