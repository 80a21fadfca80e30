import type { z } from 'zod'
import type { FaultStep, Proof } from '../../agent/protocol.ts'
import type { Node, Role, Topology } from '../../topology/types.ts'

/** One injection of a fault: what it is done to, and with what. */
export interface Target<P> {
  /** `netem-3`: names what this injection leaves in the lab until it is healed, and nothing of any other. */
  id: string
  node: Node
  params: P
  topology: Topology
}

/**
 * One way to break something, and the way back. Its steps run inside the lab, as root in the nodes that they name; nothing
 * about a fault is done or timed from outside.
 */
export interface Fault<S extends z.ZodObject = z.ZodObject> {
  /** What it does, in the present, with `NODE` for the node: shown in reports. */
  title: string
  /** The roles whose nodes have what it breaks; every role where it is left out. */
  roles?: Role[]
  /** What it is told beside its node; unknown keys are refused. */
  params: S
  /** Parameters that make sense, for the remedy of an error. */
  example: z.input<S>
  /** What of the parameters the journal may have; all of them where it is left out. */
  journaled?: (params: z.output<S>) => Record<string, unknown>
  /**
   * Names what the heal makes as it was at the injection, where that is more than what the fault did: of two injections of a fault into one
   * of these, the second is healed first.
   */
  restores?: (params: z.output<S>) => string
  /** What else must hold, by the topology alone. @throws LvslabError, before anything is touched */
  check?: (target: Target<z.output<S>>) => void
  inject: (target: Target<z.output<S>>) => FaultStep[]
  heal: (target: Target<z.output<S>>) => FaultStep[]
  /** What proves that it is healed: each must succeed soon after the heal. */
  healed: (target: Target<z.output<S>>) => Proof[]
}

/** A fault whose functions know the type of its parameters. */
export const defineFault = <S extends z.ZodObject>(fault: Fault<S>): Fault<S> => fault
