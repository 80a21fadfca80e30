import type { LabEvent } from '../history/event.ts'

/**
 * What the harness says to the agent in the engine, one JSON value a line, over a socket in the agent's container. The agent
 * runs every timed step and stamps every event, so that nothing is timed on the host.
 */

/** A node as the agent reaches it. */
export interface AgentNode {
  name: string
  role: string
  /** Process ID of the node's container, in the engine. */
  pid: number
  interfaces: { device: string; network: string }[]
}

/** What can be waited for; each is true or becomes true inside the lab, without polling from outside. */
export type Condition =
  /** The address is on this node and on no other of `others`. */
  | { kind: 'owner'; address: string; node: string; others: string[] }
  /** The node's IPVS service has exactly these destinations with a weight above 0. */
  | { kind: 'pool'; node: string; service: string; destinations: string[] }
  /** An event with these fields happens after the call. */
  | { kind: 'event'; match: Record<string, unknown> }
  /** One of these is true, or becomes it. */
  | { kind: 'any'; of: Condition[] }
  /** A TCP connection from the node to the address and port succeeds. */
  | { kind: 'listening'; node: string; address: string; port: number }

export interface ProbeOptions {
  /** Name in the journal, unique in the lab. */
  probe: string
  /** Client node. */
  client: string
  /** `http://10.0.0.100/` */
  url: string
  /** requests/s */
  rate: number
  /** ms after which a request counts as timed out */
  timeoutMs: number
  /** End by itself after so many requests. */
  count?: number
}

export interface CommandResult {
  /** ms on the lab's clock */
  started: number
  ended: number
  code: number
  stdout: string
  stderr: string
}

/** Each operation, with what it takes and what it gives. */
export interface Operations {
  /** Tells the agent of the nodes; starts the watchers. Once for a lab. */
  watch: { args: { nodes: AgentNode[] }; result: { t: number } }
  /** States what holds now as events: addresses and IPVS tables. First thing in a fork. */
  snapshot: { args: object; result: { t: number } }
  /** Runs the probes against themselves until they are fast: an emulated machine that was just forked has to begin anew. */
  warmUp: { args: object; result: { t: number } }
  now: { args: object; result: { t: number } }
  sleep: { args: { ms: number }; result: { t: number } }
  until: { args: { condition: Condition; deadlineMs: number }; result: { t: number; met: boolean } }
  mark: { args: { label: string }; result: { t: number } }
  /** Runs a command in a node, as root; `record` makes what it says an event. */
  exec: { args: { node: string; argv: string[]; timeoutMs: number; record: boolean }; result: CommandResult }
  /** Runs a fault's command in a node and records it as a fault event. */
  fault: {
    args: { node: string; fault: string; phase: 'inject' | 'heal'; argv: string[]; timeoutMs: number }
    result: CommandResult
  }
  /** Starts a probe; `stopProbe` waits for its last answers. */
  startProbe: { args: ProbeOptions; result: { t: number } }
  stopProbe: { args: { probe: string }; result: { t: number } }
}

export type Operation = keyof Operations

export type Request = { [O in Operation]: { id: number; op: O; args: Operations[O]['args'] } }[Operation]

export type Reply = { id: number; result: unknown } | { id: number; error: string } | { event: LabEvent }

/** Where the agent listens, in its own container. */
export const AGENT_SOCKET = '/run/lvslab-agent.sock'

/** Where the bundled agent stands, in its image. */
export const AGENT_PROGRAM = '/usr/lib/lvslab/agent.cjs'
