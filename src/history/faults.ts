import type { FaultEvent } from './event.ts'
import type { History } from './history.ts'
import { eventsOf } from './queries.ts'

/** A fault in force: from its injection to the end of its heal, as it may take effect, and still do, in between. */
export interface FaultInForce {
  /** The injection. */
  fault: FaultEvent
  /** ms */
  from: number
  /** ms; undefined where it was never healed */
  until: number | undefined
}

/**
 * When faults were in force, in the order of injection. A heal ends the injection that it names. Where the journal has no names,
 * it ends every injection of the same fault on the same node with the same parameters; without parameters, all of them.
 *
 * @param names in the fault registry: `keepalived-crash`
 * @param node those of one node alone
 */
export const faultsInForce = (history: History, names: readonly string[], node?: string): FaultInForce[] => {
  const found: FaultInForce[] = []
  for (const event of eventsOf(history, 'fault')) {
    if (!names.includes(event.fault) || (node !== undefined && event.node !== node)) continue
    if (event.phase === 'inject') {
      found.push({ fault: event, from: event.t, until: undefined })
      continue
    }
    for (const one of found) if (one.until === undefined && heals(event, one.fault)) one.until = event.done
  }
  return found
}

const heals = (heal: FaultEvent, fault: FaultEvent): boolean =>
  heal.fault === fault.fault &&
  heal.node === fault.node &&
  (heal.injection === undefined || fault.injection === undefined || heal.injection === fault.injection) &&
  (heal.params === undefined || JSON.stringify(heal.params) === JSON.stringify(fault.params))
