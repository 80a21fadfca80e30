import type { Destination, SchedulerDefinition } from './types.ts'

/** Round robin: the next destination in the list whose weight is not 0. Additions and edits leave its place as it is. */
export const rr: SchedulerDefinition = {
  exact: true,
  source: 'Linux net/netfilter/ipvs/ip_vs_rr.c',
  create({ destinations }) {
    /** Who got the last connection; undefined: the head of the list. */
    let last: Destination | undefined
    return {
      schedule() {
        const next = last === undefined ? 0 : destinations.indexOf(last) + 1
        const inTurn = [...destinations.slice(next), ...destinations.slice(0, next)]
        const chosen = inTurn.find(destination => destination.weight > 0)
        if (chosen) last = chosen
        return chosen
      },
      removed(destination, previous) {
        if (last === destination) last = previous
      },
    }
  },
}
