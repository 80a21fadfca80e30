import { gcdOf } from './gcd.ts'
import type { Destination, SchedulerDefinition } from './types.ts'

/**
 * Weighted round robin: goes through the list time and again; a pass takes every destination whose weight is at least the
 * threshold, the next pass has a threshold lower by the step (gcd of the weights), after the lowest it starts anew at the
 * highest. Each change of the destinations goes back to the head of the list, but keeps the threshold where it can: a service
 * whose destinations were added one after the other begins wherever the additions left it, not at the highest.
 */
export const wrr: SchedulerDefinition = {
  exact: true,
  source: 'Linux net/netfilter/ipvs/ip_vs_wrr.c',
  create({ destinations }) {
    // cl, cw, mw, di of struct ip_vs_wrr_mark
    let last: Destination | undefined
    let threshold = 0
    let highest = 0
    let step = 1
    return {
      changed() {
        const weights = destinations.map(destination => destination.weight)
        last = undefined
        step = gcdOf(weights) || 1
        // so that the lowest threshold is 1
        highest = Math.max(0, ...weights) - (step - 1)
        if (threshold > highest || threshold === 0) threshold = highest
        else if (step > 1) threshold = Math.floor(threshold / step) * step + 1
      },
      schedule() {
        if (highest === 0) return undefined
        let position = last === undefined ? -1 : destinations.indexOf(last)
        for (;;) {
          for (position += 1; position < destinations.length; position++) {
            const destination = destinations[position] as Destination
            if (destination.weight >= threshold) {
              last = destination
              return destination
            }
          }
          position = -1
          threshold -= step
          if (threshold <= 0) threshold = highest
        }
      },
    }
  },
}
