/** A new TCP connection, as its SYN shows it to the director. */
export interface Connection {
  source: string
  sourcePort: number
  /** The address that the client asked for: the VIP, or any address behind a firewall mark. */
  destination: string
}

/** A real server as it is given to a service. */
export interface Server {
  address: string
  /** 0 in a service of a firewall mark that leaves the port as it is. */
  port: number
  /** 0 to 65535; 0: no new connections */
  weight: number
}

/** What ipvsadm's `--sched-flags` names. */
export type SchedulerFlag = 'sh-fallback' | 'sh-port' | 'mh-fallback' | 'mh-port'

/** A real server as a scheduler sees it: `struct ip_vs_dest`. */
export interface Destination extends Server {
  /** Number by which the caller knows it: its place in the order of first additions. */
  index: number
  /** The latest weight that was not 0; the weight of its addition where there was none. Only `mh` looks at it. */
  lastWeight: number
  /** Connections from the SYN to the first FIN or RST. */
  active: number
  /** Connections after it, until their entries expire. */
  inactive: number
  /** In the service's list: not removed. */
  available: boolean
}

/** The service that a scheduler works for. */
export interface SchedulerService {
  /**
   * The destinations in the kernel's order: the one added last comes first (`list_add_rcu` in __ip_vs_update_dest,
   * net/netfilter/ipvs/ip_vs_ctl.c).
   */
  readonly destinations: readonly Destination[]
  readonly flags: ReadonlySet<SchedulerFlag>
  /** A number of at least 0 and less than 1, for a scheduler that throws dice. */
  readonly random: () => number
}

/** A scheduler at work: the state of one service. */
export interface Algorithm {
  /** Who gets the connection; undefined: nobody, the kernel answers with ICMP port unreachable. */
  schedule(connection: Connection): Destination | undefined
  /** A destination was added, removed or edited (edited: also where the weight stays as it is). */
  changed?(): void
  /** A destination was taken out of the list, where it stood behind `previous` (undefined: it was the first). */
  removed?(destination: Destination, previous: Destination | undefined): void
}

export interface SchedulerDefinition {
  /** Whether the same sequence always meets the same servers; `twos` throws dice. */
  exact: boolean
  source: string
  create(service: SchedulerService): Algorithm
}
