import { heaviest } from './fo.ts'
import type { SchedulerDefinition } from './types.ts'

/** Overflow: the highest weight among those that have no more active connections than their weight, else nobody. */
export const ovf: SchedulerDefinition = {
  exact: true,
  source: 'Linux net/netfilter/ipvs/ip_vs_ovf.c',
  create: ({ destinations }) => ({
    schedule: () => heaviest(destinations.filter(({ active, weight }) => active <= weight)),
  }),
}
