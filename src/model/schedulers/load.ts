import type { Destination } from './types.ts'

/**
 * Load as lc, wlc, lblc, lblcr and twos count it: `ip_vs_dest_conn_overhead`, include/net/ip_vs.h. What stands there is
 * active x 256 + inactive; an active connection counts 257 in the kernel of the lock, 6.12.117, though `ipvsadm -Ln` shows it as
 * one that is active and none that is not (suites/schedulers.test.ts).
 */
export const overhead = ({ active, inactive }: Destination): number => active * 257 + inactive

/** Load as sed and nq count it: as if the new connection were there already. */
export const expectedLoad = ({ active }: Destination): number => active + 1

/** The lowest load / weight among those whose weight is not 0; of equal ones the first. */
export const leastLoaded = (
  destinations: Iterable<Destination>,
  load: (destination: Destination) => number,
): Destination | undefined => {
  let least: Destination | undefined
  for (const destination of destinations) {
    if (destination.weight === 0) continue
    if (!least || load(least) * destination.weight > load(destination) * least.weight) least = destination
  }
  return least
}
