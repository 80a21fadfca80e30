import { expect } from 'vitest'
import type { CommandResult } from '../src/agent/protocol.ts'
import type { RequestEvent } from '../src/history/event.ts'
import type { Lab } from '../src/lab/lab.ts'

/** Steps and questions that several suites have. */

/** Runs a script of sh in a node, which must succeed; what it says is evidence. */
export const run = async (lab: Lab, node: string, script: string): Promise<CommandResult> => {
  const result = await lab.exec(node, ['sh', '-c', script], { record: true })
  expect(`${result.code} ${result.stderr}`, `${node}: ${script}`).toMatch(/^0 /)
  return result
}

/** The requests of all probes, or of one, in the order in which they were due. */
export const requests = (lab: Lab, probe?: string): RequestEvent[] =>
  [...lab.history]
    .filter(event => event.kind === 'request')
    .filter(request => probe === undefined || request.probe === probe)
    .toSorted((a, b) => a.scheduled - b.scheduled)

/** Each value once, in order. */
export const values = (list: readonly (string | number | undefined)[]): string[] =>
  [...new Set(list.map(String))].toSorted((a, b) => a.localeCompare(b))

/** MAC address of a node's eth0: no topology chooses it. */
export const macOf = async (lab: Lab, node: string): Promise<string> =>
  (await run(lab, node, 'cat /sys/class/net/eth0/address')).stdout.trim()
