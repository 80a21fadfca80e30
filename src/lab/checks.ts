import type { Condition } from '../agent/protocol.ts'
import { LvslabError } from '../errors.ts'
import { hint } from '../topology/did-you-mean.ts'
import type { Topology } from '../topology/types.ts'

/** Timers of Node take no more, ms: 24 days. */
const LONGEST_MS = 2 ** 31 - 1

const usage = (code: string, message: string, remedy: string): LvslabError =>
  new LvslabError(code, message, { remedy, exitCode: 2 })

/** A moment for `lab.at`. @throws LvslabError LAB_MOMENT */
export const checkMoment = (t: number, origin: number): void => {
  if (Number.isFinite(t) && t >= origin) return
  const what = Number.isFinite(t) ? `before this lab began, at ${origin.toFixed(1)} ms` : 'no moment'
  const remedy = "moments are on the lab's clock: lab.origin + 5_000, or (await lab.now()) + 500"
  throw usage('LAB_MOMENT', `lab.at(${t}): ${t} ms is ${what}`, remedy)
}

/** How long to wait; a time that is over already is no wait. @throws LvslabError LAB_DURATION */
export const checkDuration = (what: string, ms: number): void => {
  if (Number.isFinite(ms) && ms <= LONGEST_MS) return
  throw usage('LAB_DURATION', `${what}: ${ms} ms is no time to wait`, `a number of ms, up to ${LONGEST_MS}`)
}

const KINDS: Record<Condition['kind'], true> = {
  owner: true,
  pool: true,
  event: true,
  any: true,
  listening: true,
  address: true,
  process: true,
  line: true,
  transition: true,
}

/**
 * A condition for `lab.until`: what is unknown, or said of a node that is not there, would never come true.
 *
 * @throws LvslabError UNTIL_KIND, UNTIL_NODE
 */
export const checkCondition = (topology: Topology, condition: Condition): void => {
  const kinds = Object.keys(KINDS)
  const { kind } = condition
  if (!Object.hasOwn(KINDS, kind))
    throw usage(
      'UNTIL_KIND',
      `until: no condition "${kind}"${hint(kind, kinds, 'there are')}`,
      `one of ${kinds.join(', ')}`,
    )
  if (kind === 'any') {
    if (condition.of.length === 0) throw usage('UNTIL_KIND', 'until: any of nothing', "{ kind: 'any', of: [...] }")
    for (const one of condition.of) checkCondition(topology, one)
  }
  const names = topology.nodes.map(node => node.name)
  if (!('node' in condition) || names.includes(condition.node)) return
  const message = `until: no node "${condition.node}" in ${topology.name}${hint(condition.node, names, 'its nodes')}`
  throw usage('UNTIL_NODE', message, `one of ${names.join(', ')}`)
}

/** The node that a probe is to go out from. @throws LvslabError PROBE_CLIENT */
export const checkClient = (topology: Topology, probe: string, client: string): void => {
  const clients = topology.nodes.filter(node => node.role === 'client').map(node => node.name)
  if (clients.includes(client)) return
  const message = `the probe ${probe}: ${client} is not a client of ${topology.name}${hint(client, clients, 'its clients')}`
  throw usage(
    'PROBE_CLIENT',
    message,
    `client: ${clients.join(' or ') || 'none; give the topology a node with role: client'}`,
  )
}
