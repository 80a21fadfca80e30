import type { Destination, SchedulerDefinition } from './types.ts'

/** The highest weight above 0; of equal ones the first. */
export const heaviest = (destinations: readonly Destination[]): Destination | undefined =>
  destinations.reduce<Destination | undefined>(
    (best, destination) => (destination.weight > (best?.weight ?? 0) ? destination : best),
    undefined,
  )

/** Weighted failover: always the highest weight. */
export const fo: SchedulerDefinition = {
  exact: true,
  source: 'Linux net/netfilter/ipvs/ip_vs_fo.c',
  create: ({ destinations }) => ({ schedule: () => heaviest(destinations) }),
}
