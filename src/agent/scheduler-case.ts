/** One sequence for a scheduler of the kernel, on a service of its own. */
export interface SchedulerCase {
  scheduler: string
  /** `sh-port`, `mh-fallback`, ... as `ipvsadm --sched-flags` takes them */
  flags: string[]
  /**
   * What clients connect to: an address of {@link SCHEDULER_NETWORKS} `vip`, or a network of `marked` whose addresses share a
   * firewall mark, `130.1.16.0/20`. Every case of a batch has another.
   */
  service: string
  /** Port that clients connect to; others than {@link LISTENING_PORT} are refused by the server: half open for IPVS. */
  port: number
  /** In the order in which they are added; addresses of `servers`. */
  servers: { address: string; weight: number }[]
  steps: SchedulerStep[]
}

export type SchedulerStep =
  /** `source` is one of `clients`; no pair of source and port twice in a batch. */
  | { do: 'connect'; source: string; port: number; destination: string }
  /** The client closes its n-th connection of this case (from 0), which somebody got. */
  | { do: 'close'; connection: number }
  | { do: 'weight'; server: number; weight: number }
  | { do: 'remove'; server: number }
  | { do: 'add'; server: number; weight: number }
  /** Waits until the closed connections have expired. All cases of a batch that are so long have it at the same place. */
  | { do: 'expire' }

/** Who got the connections of a case, one after the other: the number of the server, null where nobody did. */
export type SchedulerAnswer = (number | null)[]

/** Where something listens on every VIP. */
export const LISTENING_PORT = 80

/** Networks that exist for the cases, and nowhere else. */
export const SCHEDULER_NETWORKS = {
  clients: '16.0.0.0/4',
  vip: '10.0.0.0/9',
  marked: '128.0.0.0/2',
  servers: '172.16.0.0/12',
} as const
