import type { Operations } from '../../agent/protocol.ts'
import { LvslabError, messageOf } from '../../errors.ts'
import type { Topology } from '../../topology/types.ts'
import { type PreparedFault, prepareFault } from './prepare.ts'
import type { FaultArguments, FaultName } from './registry.ts'

/** Heals what was injected, and has it proved. Once that has succeeded, a further call does nothing. */
export type Heal = () => Promise<void>

/** What one lab has broken, and can heal. */
export interface Faults {
  /**
   * Breaks something; returns what heals it.
   *
   * @throws LvslabError before anything is touched: FAULT_UNKNOWN, FAULT_NODE, FAULT_ROLE, FAULT_DEVICE, FAULT_PARAMS,
   * FAULT_PARTITION for what does not fit, FAULT_REFUSED where the node is not as the fault needs it; FAULT_FAILED where it
   * could not be done to its end. The heal throws FAULT_NOT_HEALED with what is still broken.
   */
  inject: <F extends FaultName>(fault: F, node: string, ...params: FaultArguments<F>) => Promise<Heal>
  /** What is injected and not healed, the first injection first: `keepalived-crash on d1`. */
  open: () => string[]
  /** Heals all of that, the last injection first. @throws LvslabError FAULT_NOT_HEALED, when all was tried */
  healAll: () => Promise<void>
}

type RunFault = (args: Operations['fault']['args']) => Promise<Operations['fault']['result']>

/** For each of: preparation, effect, proof; ms of lab time. */
export const FAULT_TIMEOUT_MS = 30_000

/** @param run has the agent do it */
export const createFaults = (topology: Topology, run: RunFault): Faults => {
  const open = new Map<PreparedFault, Heal>()
  let injections = 0

  const what = ({ fault, node }: PreparedFault): string => `${fault} on ${node}`

  const heal = async (prepared: PreparedFault): Promise<void> => {
    const first = later(prepared)
    if (first)
      throw new LvslabError(
        'FAULT_NOT_HEALED',
        `${prepared.injection} on ${prepared.node} is not healed: ${first.injection} changed ${first.restores} after it`,
        { remedy: `heal ${first.injection} first: the last injection is the first to be healed` },
      )
    const { fault, node, injection, params, heal: steps, healed: proofs } = prepared
    const result = await run({
      fault,
      node,
      injection,
      params,
      phase: 'heal',
      steps,
      proofs,
      timeoutMs: FAULT_TIMEOUT_MS,
    })
    const broken = [result.refused, result.failed, ...(result.unproved ?? [])].filter(one => one !== undefined)
    if (broken.length === 0) return
    throw new LvslabError('FAULT_NOT_HEALED', `${what(prepared)} is not healed: ${broken.join('; ')}`, {
      remedy: 'discard this lab: it is not what its topology says',
    })
  }

  /** What was done to the same thing since, and is healed first. */
  const later = (prepared: PreparedFault): PreparedFault | undefined => {
    const all = [...open.keys()]
    return all
      .slice(all.indexOf(prepared) + 1)
      .find(
        one =>
          one.restores !== undefined &&
          one.restores === prepared.restores &&
          one.fault === prepared.fault &&
          one.node === prepared.node,
      )
  }

  const healOnce = (prepared: PreparedFault): Heal => {
    let healing: Promise<void> | undefined
    return () => {
      healing ??= heal(prepared).then(
        () => void open.delete(prepared),
        (error: unknown) => {
          healing = undefined // it may succeed yet
          throw error
        },
      )
      return healing
    }
  }

  return {
    inject: async (fault, node, ...[given]) => {
      const prepared = prepareFault(topology, fault, node, given, ++injections)
      const { injection, params, inject: steps } = prepared
      const result = await run({ fault, node, injection, params, phase: 'inject', steps, timeoutMs: FAULT_TIMEOUT_MS })
      if (result.refused !== undefined)
        throw new LvslabError('FAULT_REFUSED', `${what(prepared)}, nothing was touched: ${result.refused}`)
      const heal = healOnce(prepared)
      open.set(prepared, heal)
      if (result.failed === undefined) return heal
      // whatever of it was done must not stay
      const rest = await heal().then(
        () => 'what was done of it is healed',
        (error: unknown) => messageOf(error),
      )
      throw new LvslabError('FAULT_FAILED', `${what(prepared)}: ${result.failed} (${rest})`)
    },
    open: () => [...open.keys()].map(what),
    healAll: async () => {
      const failed: unknown[] = []
      for (const heal of [...open.values()].reverse()) await heal().catch((error: unknown) => failed.push(error))
      if (failed.length === 0) return
      throw new LvslabError('FAULT_NOT_HEALED', failed.map(messageOf).join('; '), {
        remedy: 'discard this lab: it is not what its topology says',
        cause: failed[0],
      })
    },
  }
}
