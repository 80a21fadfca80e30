import { overhead } from './load.ts'
import type { Destination, SchedulerDefinition } from './types.ts'

/** Least connections: the lowest active x 257 + inactive, whatever the weights; weight 0 is left out. */
export const lc: SchedulerDefinition = {
  exact: true,
  source: 'Linux net/netfilter/ipvs/ip_vs_lc.c',
  create: ({ destinations }) => ({
    schedule: () =>
      destinations
        .filter(({ weight }) => weight > 0)
        .reduce<Destination | undefined>(
          (least, one) => (least && overhead(least) <= overhead(one) ? least : one),
          undefined,
        ),
  }),
}
