import { z } from 'zod'
import type { FaultStep, Proof } from '../../agent/protocol.ts'
import { LvslabError } from '../../errors.ts'
import { hint } from '../../topology/did-you-mean.ts'
import type { Topology } from '../../topology/types.ts'
import type { Fault } from './fault.ts'
import { FAULTS, type FaultName } from './registry.ts'

/** A fault that fits its topology, down to the steps. */
export interface PreparedFault {
  fault: FaultName
  node: string
  /** `netem-3` */
  injection: string
  /** As the journal has them. */
  params: Record<string, unknown>
  /** See {@link Fault.restores}. */
  restores?: string | undefined
  inject: FaultStep[]
  heal: FaultStep[]
  healed: Proof[]
}

const usage = (code: string, message: string, remedy: string): LvslabError =>
  new LvslabError(code, message, { remedy, exitCode: 2 })

/**
 * Checks a fault against a topology and builds its steps. Touches nothing.
 *
 * @param number of the injection, which nobody else in the lab has
 * @throws LvslabError FAULT_UNKNOWN, FAULT_NODE, FAULT_ROLE, FAULT_PARAMS, or what the fault's own check throws
 */
export const prepareFault = (
  topology: Topology,
  fault: FaultName,
  nodeName: string,
  params: unknown,
  number: number,
): PreparedFault => {
  const names = Object.keys(FAULTS)
  // the registry has each with its own type; here any of them is one whose parameters have just been checked
  const found: Fault | undefined = Object.hasOwn(FAULTS, fault) ? FAULTS[fault] : undefined
  if (!found)
    throw usage('FAULT_UNKNOWN', `no fault "${fault}"${hint(fault, names, 'faults')}`, `one of ${names.join(', ')}`)
  const nodes = topology.nodes.map(one => one.name)
  const node = topology.nodes.find(one => one.name === nodeName)
  if (!node) {
    const message = `${fault}: no node "${nodeName}" in ${topology.name}${hint(nodeName, nodes, 'its nodes')}`
    throw usage('FAULT_NODE', message, `one of ${nodes.join(', ')}`)
  }
  if (found.roles && !found.roles.includes(node.role)) {
    const fit = topology.nodes.filter(one => found.roles?.includes(one.role)).map(one => one.name)
    const message = `${fault}: ${nodeName} is a ${node.role}, and this is for a ${found.roles.join(' or ')}`
    throw usage('FAULT_ROLE', message, `one of ${fit.join(', ') || 'none in this topology'}`)
  }
  const parsed = found.params.safeParse(params ?? {})
  if (!parsed.success) {
    const example = `lab.inject('${fault}', '${nodeName}', ${JSON.stringify(found.example)})`
    const values = JSON.stringify(params ?? {})
    throw usage('FAULT_PARAMS', `${fault} with ${values}: ${z.prettifyError(parsed.error)}`, example)
  }
  const target = { id: `${fault}-${number}`, node, params: parsed.data, topology }
  found.check?.(target)
  return {
    ...{ fault, node: nodeName, injection: target.id, params: found.journaled?.(parsed.data) ?? parsed.data },
    restores: found.restores?.(parsed.data),
    ...{ inject: found.inject(target), heal: found.heal(target), healed: found.healed(target) },
  }
}
