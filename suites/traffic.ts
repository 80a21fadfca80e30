import type { PacketEvent, RequestEvent } from '../src/history/event.ts'
import { eventsOf } from '../src/history/queries.ts'
import type { Lab } from '../src/lab/lab.ts'
import { run } from './steps.ts'

/** What clients asked and what captures saw, as several suites ask for it. */

/** The requests of all probes, or of one, in the order in which they were due. */
export const requests = (lab: Lab, probe?: string): RequestEvent[] =>
  [...lab.history]
    .filter(event => event.kind === 'request')
    .filter(request => probe === undefined || request.probe === probe)
    .toSorted((a, b) => a.scheduled - b.scheduled)

/** Each value once, in order. */
export const values = (list: readonly (string | number | undefined)[]): string[] =>
  [...new Set(list.map(String))].toSorted((a, b) => a.localeCompare(b))

/** What became of the requests of a probe: who answered, or else how they failed; each once. */
export const outcomes = (lab: Lab, probe: string): string[] =>
  values(requests(lab, probe).map(({ outcome, server }) => (outcome === 'answered' ? server : outcome)))

/** The packets of one capture. */
export const captured = (lab: Lab, capture: string): PacketEvent[] =>
  eventsOf(lab.history, 'packet').filter(packet => packet.capture === capture)

/** MAC address of a node's eth0: no topology chooses it. */
export const macOf = async (lab: Lab, node: string): Promise<string> =>
  (await run(lab, node, 'cat /sys/class/net/eth0/address')).stdout.trim()
