import type { LabEvent } from '../history/event.ts'
import type { SchedulerAnswer, SchedulerCase } from './scheduler-case.ts'

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

/** What every probe is told. */
interface ProbeCommon {
  /** Name in the journal, unique in the lab. */
  probe: string
  /** Client node. */
  client: string
  /** ms after which a request, or the silence on a connection, counts as timed out */
  timeoutMs: number
  /** End by itself after so many requests. */
  count?: number
  /** Addresses that the client holds, used one after the other; the client's own choice where it is left out. */
  sources?: string[]
  /** Source ports, used one after the other; the kernel's choice where it is left out. */
  ports?: number[]
}

/**
 * `http`: an open loop, request n leaves at start + n / rate on a new connection, whatever became of those before it. The
 * URL may be https; certificates are not checked.
 */
export interface HttpProbeOptions extends ProbeCommon {
  type: 'http'
  /** `http://10.0.0.100/` */
  url: string
  /** requests/s */
  rate: number
}

/** `curl`: `while true; do curl URL; sleep INTERVAL; done` in the client, one request after the other. */
export interface CurlProbeOptions extends ProbeCommon {
  type: 'curl'
  url: string
  /** ms from the end of one request to the beginning of the next */
  pauseMs: number
}

/** `tcp`: opens `connections` connections, and sends a line on each every `everyMs`; each must be answered. */
export interface TcpProbeOptions extends ProbeCommon {
  type: 'tcp'
  /** `10.0.0.100:7` */
  target: string
  connections: number
  /** ms */
  everyMs: number
}

/** `udp`: an open loop of datagrams, each to be answered by one. */
export interface UdpProbeOptions extends ProbeCommon {
  type: 'udp'
  target: string
  /** datagrams/s */
  rate: number
  /** Text of a datagram; its number is added. */
  payload?: string
}

export type ProbeOptions = HttpProbeOptions | CurlProbeOptions | TcpProbeOptions | UdpProbeOptions

export interface CommandResult {
  /** ms on the lab's clock */
  started: number
  ended: number
  code: number
  stdout: string
  stderr: string
}

/** One thing that a fault does inside the lab: a command in a node, as root. */
export interface FaultStep {
  node: string
  argv: string[]
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
  /** Does the steps of a fault one after the other, up to the first that fails, and records one fault event. */
  fault: {
    args: {
      fault: string
      /** The node that the event names. */
      node: string
      params?: Record<string, unknown>
      phase: 'inject' | 'heal'
      steps: FaultStep[]
      /** for each step */
      timeoutMs: number
    }
    /** Of the last step that was done. */
    result: CommandResult
  }
  /** Starts a probe; `stopProbe` waits for its last answers. */
  startProbe: { args: ProbeOptions; result: { t: number } }
  stopProbe: { args: { probe: string }; result: { t: number } }
  /** Plays cases into the real ip_vs, in network namespaces of its own that are gone afterwards. */
  schedule: { args: { cases: SchedulerCase[] }; result: { answers: SchedulerAnswer[] } }
}

export type Operation = keyof Operations

/** With `at`, ms on the lab's clock, the agent begins at that moment; one that is past already is an error. */
export type Request = { [O in Operation]: { id: number; op: O; args: Operations[O]['args']; at?: number } }[Operation]

export type Reply = { id: number; result: unknown } | { id: number; error: string } | { event: LabEvent }

/** Where the agent listens, in its own container. */
export const AGENT_SOCKET = '/run/lvslab-agent.sock'

/** Where the bundled agent stands, in its image. */
export const AGENT_PROGRAM = '/usr/lib/lvslab/agent.cjs'
