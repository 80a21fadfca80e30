import type { LabEvent } from '../history/event.ts'
import type { SchedulerAnswer, SchedulerCase } from './scheduler-case.ts'

/**
 * What the harness says to the agent in the engine, one JSON value a line. The agent
 * runs every timed step and stamps every event, so that nothing is timed on the host.
 */

/** A node as the agent reaches it. */
export interface AgentNode {
  name: string
  role: string
  /** Process ID of the node's container, in the engine; another one after a restart. */
  pid: number
  /** ID of the node's container. */
  container: string
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
  /** The node holds this address, or (`present: false`) does not hold it, on any device. */
  | { kind: 'address'; node: string; address: string; present: boolean }
  /** A process of this name (`apache2`, as `ps -o comm` prints it) is in the node, or (`present: false`) none is. */
  | { kind: 'process'; node: string; name: string; present: boolean }
  /** A line that has a match of this regular expression is appended to a file of the node's after the call. */
  | { kind: 'line'; node: string; file: string; match: string }
  /** keepalived enters this state in this VRRP instance after the call, and says so in its log. */
  | { kind: 'transition'; node: string; instance: string; state: 'MASTER' | 'BACKUP' | 'FAULT' | 'STOP' }

/** What every probe is told. */
interface ProbeCommon {
  /** Name in the journal. One that is used again, when its probe has ended, is judged as the same. */
  probe: string
  /** Client node. */
  client: string
  /** ms after which a request, or the silence on a connection, counts as timed out */
  timeoutMs: number
  /** Addresses that the client holds, used one after the other; the client's own choice where it is left out. */
  sources?: string[]
  /**
   * Source ports, used one after the other. Where it is left out, a request of `http` has one that none of the client's had before
   * (see fresh-port.ts), the others have the kernel's choice. One that is in use, or that the kernel still keeps for an earlier
   * connection, makes its request end with `error`: no other is taken in its place.
   */
  ports?: number[]
}

interface Counted {
  /** End by itself after so many requests. */
  count?: number
}

/**
 * `http`: an open loop, request n leaves at start + n / rate on a new connection, whatever became of those before it. The
 * URL may be https; certificates are not checked.
 */
export interface HttpProbeOptions extends ProbeCommon, Counted {
  type: 'http'
  /** `http://10.0.0.100/` */
  url: string
  /** requests/s */
  rate: number
}

/** `curl`: `while true; do curl URL; sleep INTERVAL; done` in the client, one request after the other. */
export interface CurlProbeOptions extends ProbeCommon, Counted {
  type: 'curl'
  url: string
  /** ms from the end of one request to the beginning of the next */
  pauseMs: number
}

/**
 * `tcp`: opens `connections` connections, evenly spread over the first `everyMs`, and sends a line on each every `everyMs`; the
 * other side must send one back for each. One that broke is not opened again.
 */
export interface TcpProbeOptions extends ProbeCommon {
  type: 'tcp'
  /** `10.0.0.100:7` */
  target: string
  connections: number
  /** ms */
  everyMs: number
}

/** What a datagram says before its number, where nobody says otherwise. */
export const UDP_PAYLOAD = 'lvslab'

/** `udp`: an open loop of datagrams, each to be answered by one. */
export interface UdpProbeOptions extends ProbeCommon, Counted {
  type: 'udp'
  target: string
  /** datagrams/s */
  rate: number
  /** Text of a datagram, {@link UDP_PAYLOAD} where it is left out; its number is added. The reply must end with that number. */
  payload?: string
  /** A socket for each datagram, and a source port that none had before; without it, all from one source leave from one port. */
  newPorts?: boolean
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

export interface CaptureOptions {
  /** Name in the journal, unique in the lab. */
  capture: string
  node: string
  device: string
  /** In the words of pcap-filter(7): `src 10.0.0.100 and tcp[13] = 18` for the SYN-ACKs of a VIP. */
  filter: string
}

/**
 * A script of a fault, for sh (`set -e`), as root in a node. It is started beforehand and waits for the word, so that the
 * start of a process is no part of the fault.
 */
export interface ScriptStep {
  node: string
  /** Runs before the word: finds what is to be broken, keeps what it was. Its failure refuses the fault, untouched. */
  prepare?: string
  /** Runs at the word, those of all steps at once; the fault has taken effect when it ends. Sees the variables of `prepare`. */
  script: string
  /** The scripts' arguments are the MAC addresses of these nodes, as they are now. */
  macsOf?: string[]
  /** The fault has taken effect when this has happened too. Watched from before the word. */
  until?: Condition
}

/**
 * Something that is done to a whole node, as if to a machine: `kill` cuts its power, `shutdown` asks its services to end
 * first, `start` boots it again; `pause` holds its processes while its kernel goes on.
 */
export interface NodeStep {
  node: string
  machine: 'kill' | 'shutdown' | 'start' | 'pause' | 'unpause'
  prepare?: string
}

export type FaultStep = ScriptStep | NodeStep

/** A script for sh in a node that proves that a fault is healed, by its exit code; what it says is the reason when not. */
export interface Proof {
  node: string
  script: string
}

export interface FaultResult {
  /** ms on the lab's clock: the fault has taken effect somewhere between the two. */
  started: number
  ended: number
  /** Nothing was touched, and why. */
  refused?: string
  /** It began, and could not be done to its end. */
  failed?: string
  /** What is still broken after a heal, as its proofs say. */
  unproved?: string[]
}

/** Each operation, with what it takes and what it gives. */
export interface Operations {
  /** Tells the agent of nodes and the clock that they are on; starts the watchers of those that it does not know. */
  watch: { args: { nodes: AgentNode[]; clock: 'real' | 'virtual' }; result: { t: number } }
  /** States what holds now as events: addresses and IPVS tables, with each real server's counters where they are asked for. First thing in a fork. */
  snapshot: { args: { counters?: boolean }; result: { t: number } }
  /** Runs the probes against themselves until they are fast: an emulated machine that was just forked has to begin anew. */
  warmUp: { args: object; result: { t: number } }
  now: { args: object; result: { t: number } }
  sleep: { args: { ms: number }; result: { t: number } }
  until: { args: { condition: Condition; deadlineMs: number }; result: { t: number; met: boolean } }
  mark: { args: { label: string }; result: { t: number } }
  /** Runs a command in a node, as root; `record` makes what it says an event. */
  exec: { args: { node: string; argv: string[]; timeoutMs: number; record: boolean }; result: CommandResult }
  /** Does the steps of a fault, all at once, and records one fault event; then has its proofs tried until all succeed. */
  fault: {
    args: {
      fault: string
      /** The node that the event names. */
      node: string
      /** Names the injection, for its event and that of its heal. */
      injection: string
      params?: Record<string, unknown>
      phase: 'inject' | 'heal'
      steps: FaultStep[]
      proofs?: Proof[]
      /** ms, for the preparation, for the steps, and for the proofs, each */
      timeoutMs: number
    }
    result: FaultResult
  }
  /** Starts a probe; `stopProbe` waits for its last answers. */
  startProbe: { args: ProbeOptions; result: { t: number } }
  stopProbe: { args: { probe: string }; result: { t: number } }
  /** Waits for the end of a probe that ends by itself. */
  endedProbe: { args: { probe: string }; result: { t: number } }
  /** Answers when packets are being recorded; `stopCapture` when all that were seen are events. */
  startCapture: { args: CaptureOptions; result: { t: number } }
  stopCapture: { args: { capture: string }; result: { t: number } }
  /** Stops the Docker Engine until somebody wants something of it. Last thing before a lab is saved; no connection to it may be open. */
  restDocker: { args: object; result: { t: number } }
  /** From here on the conversation is told every event, those first that were kept while there was none. */
  attach: { args: { conversation: string }; result: { t: number } }
  /** Ends the conversation. A harness that is killed does not come to it: its engine, or its lab, goes with it. */
  detach: { args: { conversation: string }; result: { t: number } }
  /** Plays cases into the real ip_vs, in network namespaces of its own that are gone afterwards. */
  schedule: { args: { cases: SchedulerCase[] }; result: { answers: SchedulerAnswer[] } }
}

export type Operation = keyof Operations

/**
 * One line to the agent. Its `id` is the asker's conversation and a number, `a1b2c3-17`: all who are attached
 * hear every answer, and none must take one to another.
 * With `at`, ms on the lab's clock, the agent begins at that moment; one that is past already is an error.
 */
export type Request = { [O in Operation]: { id: string; op: O; args: Operations[O]['args']; at?: number } }[Operation]

/** One line on the agent's standard output. */
export type Reply =
  | { id: string; result: unknown }
  | { id: string; error: string; remedy?: string }
  | { event: LabEvent; to: string }

/** Where the bundled agent stands, in its image. */
export const AGENT_PROGRAM = '/usr/lib/lvslab/agent.cjs'
