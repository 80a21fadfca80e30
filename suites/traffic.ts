import type { PacketEvent } from '../src/history/event.ts'
import { eventsOf } from '../src/history/queries.ts'
import type { Lab } from '../src/lab/lab.ts'
import { requests, values } from './steps.ts'

/** What became of the requests of a probe: who answered, or else how they failed; each once. */
export const outcomes = (lab: Lab, probe: string): string[] =>
  values(requests(lab, probe).map(({ outcome, server }) => (outcome === 'answered' ? server : outcome)))

/** The packets of one capture. */
export const captured = (lab: Lab, capture: string): PacketEvent[] =>
  eventsOf(lab.history, 'packet').filter(packet => packet.capture === capture)
