import type { PacketEvent } from '../src/history/event.ts'
import { eventsOf, requestsOf } from '../src/history/queries.ts'
import type { Lab } from '../src/lab/lab.ts'
import { values } from './steps.ts'

/** Who answered each request, or what became of it; sorted, as `rr` begins with either server. */
export const outcomes = (lab: Lab, probe: string): string[] =>
  requestsOf(lab.history, probe)
    .map(({ outcome, server }) => (outcome === 'answered' ? `${server}` : outcome))
    .toSorted()

/** The same, each once. */
export const outcomesOnce = (lab: Lab, probe: string): string[] => values(outcomes(lab, probe))

/** The packets of one capture. */
export const captured = (lab: Lab, capture: string): PacketEvent[] =>
  eventsOf(lab.history, 'packet').filter(packet => packet.capture === capture)
