import type { Position } from '../errors.ts'

/**
 * The words of the field as types: what a director's configuration promises, whatever file it was read from.
 * All durations are in milliseconds; `at` says where the user wrote it.
 */

/** Proof-carrying limit for one measured duration or count. */
export interface Bound {
  /** What is bounded, in the field's words: `VIP failover after a crash of keepalived`. */
  name: string
  /** The formula with its numbers filled in: `3 x 1 s + (256-80)/256 s = 3.69 s`. */
  formula: string
  /** Smallest value that the rule allows, where it sets one (ms). */
  minMs?: number
  /** Largest value that the rule allows (ms). */
  maxMs: number
  /** Where the rule stands: RFC section, kernel or keepalived source file. */
  source: string
}

/** Something that keepalived reads otherwise than it stands there, or ignores: nothing of it may be lost silently. */
export interface Notice {
  at: Position
  /** One sentence: what was seen, and what keepalived does with it. Never a secret. */
  message: string
}

export type VrrpState = 'MASTER' | 'BACKUP'

/**
 * A secret is compared by the reader and never leaves it: only whether it is set, and its length, are kept beside it.
 */
export interface VrrpAuthentication {
  type: 'PASS' | 'AH'
  /** Compared, masked wherever people may read it; see `history/mask.ts`. */
  secret: string
  at: Position
}

export interface VipAddress {
  address: string
  prefix: number
  device: string
  label?: string
  at: Position
}

export interface VrrpInstance {
  name: string
  state: VrrpState
  interface: string
  virtualRouterId: number
  priority: number
  /** ms */
  advertInterval: number
  version: 2 | 3
  preempt: boolean
  /** ms */
  preemptDelay: number
  /** Adverts that may be missed before a backup takes over; `down_timer_adverts`, default 3. */
  downTimerAdverts: number
  /** `vrrp_strict`: keepalived then drops what the RFC does not know (authentication, `state MASTER` below 255). */
  strict: boolean
  /** `mcast_src_ip` or `unicast_src_ip`; without it the interface's first address is the source. */
  sourceAddress?: string
  authentication?: VrrpAuthentication
  /** Multicast group that advertisements go to (global `vrrp_mcast_group4`, default 224.0.0.18). */
  multicastGroup: string
  /** Unicast peers; empty when advertisements are multicast. */
  unicastPeers: string[]
  addresses: VipAddress[]
  /** `virtual_ipaddress_excluded`: they move with the VIPs but are not in the adverts. */
  excludedAddresses: VipAddress[]
  at: Position
}

export type ForwardingMethod = 'DR' | 'NAT' | 'TUN'
export type Protocol = 'TCP' | 'UDP' | 'SCTP'

export interface HealthCheck {
  /** The keyword that keepalived uses: HTTP_GET, TCP_CHECK... */
  type: 'HTTP_GET' | 'SSL_GET' | 'TCP_CHECK' | 'OTHER'
  /** The keyword as written; differs from `type` where that is OTHER. */
  keyword: string
  /** ms */
  connectTimeout: number
  /** Retries after the first failure (`nb_get_retry` and `retry` are the same thing). */
  retry: number
  /** ms */
  delayBeforeRetry: number
  /** ms; keepalived's `delay_loop` of the checker, inherited from the virtual service. */
  delayLoop: number
  /** ms; upper end of the random delay of the first check, default `delay_loop`. */
  warmup: number
  /** The `url` blocks, in order; one is fetched per `delay_loop`. Empty for checks without URLs. */
  urls: { path: string; statusCode?: string }[]
  /** `fast_recovery`: after a failure the URLs are fetched without a pause between them. */
  fastRecovery: boolean
  at: Position
}

export interface RealServer {
  address: string
  port: number
  weight: number
  /** Of this server; `lvs_method` may stand in a `real_server` too. */
  forwarding: ForwardingMethod
  inhibitOnFailure: boolean
  checks: HealthCheck[]
  at: Position
}

export interface VirtualService {
  /** `10.0.0.100:80/TCP`, `fwmark 50`, as `ipvsadm -Ln` would call it. */
  name: string
  address?: string
  port?: number
  fwmark?: number
  protocol: Protocol
  /** The scheduler as the kernel calls it; keepalived's own default where none is written. */
  scheduler: string
  forwarding: ForwardingMethod
  /** ms; undefined when the service is not persistent. */
  persistence?: number
  quorum: number
  hysteresis: number
  alpha: boolean
  sorryServer?: { address: string; port: number; at: Position }
  realServers: RealServer[]
  at: Position
}

/** What one director is configured to do. */
export interface DirectorConfig {
  /** Name of the node in the topology. */
  node: string
  instances: VrrpInstance[]
  services: VirtualService[]
  /** ms; global `vrrp_startup_delay`, 0 where none is written. */
  startupDelay: number
  /** Every file that was read, includes among them, in reading order. */
  files: string[]
  /** What keepalived reads otherwise than it stands there, or ignores. */
  notices: Notice[]
}
