/**
 * The journal: everything that happened in a lab, as one append-only stream of typed events.
 *
 * Every event is stamped inside the lab. `t` is milliseconds on the lab's own monotonic clock (fractions are kept); it says
 * nothing about the host's clock and the two must never be compared. Events of one lab share one clock, also across a fork:
 * a forked lab's clock goes on from the moment at which its template was saved.
 */
interface Stamped {
  /** ms on the lab's clock */
  t: number
}

/** How a probe asks: see the probe options in `agent/protocol.ts`. */
export type ProbeType = 'http' | 'curl' | 'tcp' | 'udp'

/** How one request of a probe ended. `answered` means that a response arrived, whatever an HTTP status says. */
export type Outcome = 'answered' | 'refused' | 'reset' | 'timeout' | 'unreachable' | 'error'

/**
 * One request: of `http` and `curl` on a new TCP connection, of `udp` one datagram and its reply. `t` is when it was really
 * sent, `scheduled` when it was due.
 */
export interface RequestEvent extends Stamped {
  kind: 'request'
  probe: string
  /** Number of this request in its probe, from 0. */
  n: number
  client: string
  /** ms on the lab's clock when the open loop wanted it sent */
  scheduled: number
  /** ms on the lab's clock when the outcome was known */
  done: number
  source: string
  sourcePort?: number
  target: string
  outcome: Outcome
  status?: number
  /** Node that answered, from the first word of the body. */
  server?: string
  /** First bytes of the body, or the error's text. */
  detail?: string
}

/** What became of a TCP connection that a `tcp` probe holds open and talks on. */
export interface ConnectionEvent extends Stamped {
  kind: 'connection'
  probe: string
  /** Number of this connection in its probe, from 0. */
  n: number
  client: string
  source: string
  sourcePort: number
  target: string
  /**
   * `open`: the first line on it was answered; `failed`: none ever was. `broken`: after that it ended, or a line had no answer
   * for longer than the probe's timeout, while the probe wanted to keep it.
   */
  change: 'open' | 'failed' | 'broken' | 'closed'
  /** Node that answers on it, from the first word that it says. */
  server?: string
  /** How it broke or failed. */
  outcome?: Outcome
  /** Exchanges (a line there, a line back) that had been answered by then. */
  exchanges: number
  /** ms on the lab's clock: the last answer on it; where it broke, it was broken somewhere after that. */
  lastAnswer?: number
  detail?: string
}

export interface ProbeEvent extends Stamped {
  kind: 'probe'
  phase: 'start' | 'stop'
  probe: string
  /** `http` where it is left out. */
  type?: ProbeType
  client: string
  target: string
  /** requests/s; of a sequential or holding probe, the rate at which it would go on when every answer came at once */
  rate: number
  /** Source addresses that it goes through, one after the other, where it has more than its client's own. */
  sources?: number
  /** On stop: requests sent (lines of a `tcp` probe), and how many of them more than `lateAfterMs` after they were due. */
  sent?: number
  late?: number
  lateAfterMs?: number
}

/** A fault takes effect somewhere between `t` and `done`. */
export interface FaultEvent extends Stamped {
  kind: 'fault'
  phase: 'inject' | 'heal'
  /** Name in the fault registry: `keepalived-crash`. */
  fault: string
  /** The node that it is done to; of a fault between nodes, the first. */
  node: string
  /** `netem-3`: that of the heal is that of what it heals. */
  injection?: string
  /** What the fault was told beside its node: `{ device: 'eth0' }`, `{ delayMs: 50 }`. */
  params?: Record<string, unknown>
  /** ms on the lab's clock when the command that injects or heals it had ended */
  done: number
  detail?: string
}

/** What a lab runs on, as far as its times depend on it. Of journals that lack it, nothing is known. */
export interface MachineEvent extends Stamped {
  kind: 'machine'
  /** `native`: the host's own. */
  processor: 'native' | 'emulated'
  clock: 'real' | 'virtual'
}

/** A VRRP advertisement seen on the wire. */
export interface AdvertEvent extends Stamped {
  kind: 'advert'
  network: string
  /** Sender's address, and its node where the topology knows it. */
  source: string
  node?: string
  destination: string
  version: 2 | 3
  vrid: number
  priority: number
  /** ms */
  interval: number
  addresses: string[]
  /** Secrets never enter the journal: equal labels (`secret-1`) stand for equal secrets, within one lab. */
  authentication?: { type: 'none' | 'PASS' | 'AH'; secret?: string }
}

/** A gratuitous ARP seen on the wire, of IPv6 an unsolicited neighbour advertisement: `mac` claims `address`. */
export interface GratuitousArpEvent extends Stamped {
  kind: 'garp'
  network: string
  address: string
  mac: string
  node?: string
}

/** A packet that a capture saw, stamped by the kernel. */
export interface PacketEvent extends Stamped {
  kind: 'packet'
  capture: string
  node: string
  device: string
  protocol: 'tcp' | 'udp' | 'icmp' | 'arp' | 'other'
  source: string
  sourcePort?: number
  destination: string
  destinationPort?: number
  /** Of TCP, as tcpdump writes them: `S`, `S.`, `P.`, `F.`, `R`. */
  flags?: string
  /** Payload, bytes. */
  length: number
}

/** An IPv4 or IPv6 address came or went on a node. */
export interface AddressEvent extends Stamped {
  kind: 'address'
  change: 'add' | 'remove'
  node: string
  device: string
  address: string
  prefix: number
}

/** A line that another program of a node wrote to its log, secrets masked. */
export interface LogEvent extends Stamped {
  kind: 'log'
  node: string
  file: string
  line: string
}

/** A line of keepalived's own log, secrets masked. */
export interface KeepalivedEvent extends Stamped {
  kind: 'keepalived'
  node: string
  line: string
  /** Set when the line reports a VRRP state: `(VI_1) Entering BACKUP STATE`. */
  transition?: { instance: string; state: 'MASTER' | 'BACKUP' | 'FAULT' | 'STOP' }
  /** Set when the line reports that a health check's answer changed, or a real server's place in its pool. */
  checker?: {
    /** `10.0.0.10:80` */
    server: string
    /** `TCP 10.0.0.100:80`, where the line names it. */
    service?: string
    result: 'up' | 'down' | 'added' | 'removed'
  }
}

export interface IpvsDestination {
  address: string
  port: number
  forwarding: 'Route' | 'Masq' | 'Tunnel' | 'Local'
  weight: number
  active: number
  inactive: number
  /** Since the service was made, as `ipvsadm -Ln --stats --exact` counts; where the snapshot has them. */
  counters?: { connections: number; packetsIn: number; packetsOut: number; bytesIn: number; bytesOut: number }
}

export interface IpvsService {
  /** `TCP 10.0.0.100:80` or `FWM 50`, as `ipvsadm -Ln` prints it. */
  service: string
  scheduler: string
  persistent: boolean
  destinations: IpvsDestination[]
}

/** The IPVS table of a node, as the kernel holds it. */
export interface IpvsEvent extends Stamped {
  kind: 'ipvs'
  node: string
  /** Why the snapshot was taken: `log`, `step`, `start`, `until`. */
  reason: string
  /**
   * When the reading before this one was begun, ms: what differs from what that one saw has changed since. A small table is read
   * at once; a large one takes time, in which it may be another already.
   */
  since?: number
  services: IpvsService[]
}

/** A command that was run in a node because what it says is evidence: `keepalived -t`. */
export interface CommandEvent extends Stamped {
  kind: 'command'
  node: string
  command: string
  /** ms on the lab's clock when it had ended */
  done: number
  code: number
  /** Standard output and error, secrets masked, cut where it is long. */
  output: string
  /** true where it was cut. */
  truncated?: boolean
}

/** A word of the driver's: where a step begins, what it waits for. */
export interface MarkEvent extends Stamped {
  kind: 'mark'
  label: string
}

/** Something that the judge must know of the recording itself: a watcher that died, an event that was dropped. */
export interface TroubleEvent extends Stamped {
  kind: 'trouble'
  node?: string
  what: string
}

export type LabEvent =
  | RequestEvent
  | ConnectionEvent
  | ProbeEvent
  | FaultEvent
  | AdvertEvent
  | GratuitousArpEvent
  | PacketEvent
  | AddressEvent
  | KeepalivedEvent
  | LogEvent
  | IpvsEvent
  | CommandEvent
  | MachineEvent
  | MarkEvent
  | TroubleEvent

export type EventKind = LabEvent['kind']
export type EventOf<K extends EventKind> = Extract<LabEvent, { kind: K }>

/** One line of `journal.ndjson`: an event and the lab (fork) that it happened in. */
export type JournalLine = LabEvent & { lab: string }
