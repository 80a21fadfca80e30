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

/**
 * Something that keepalived reads otherwise than it stands there, or ignores, or that lvslab does not predict: nothing of
 * it may be lost silently.
 */
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
  /** `no_track`: the instance does not care whether the device is up. */
  noTrack?: true
  /**
   * IPv6: what the director sends may come from it. With /128, or `preferred_lft 0`, keepalived adds it as deprecated
   * (vrrp_ipaddress.c).
   */
  preferred?: true
  at: Position
}

export interface VrrpInstance {
  name: string
  state: VrrpState
  interface: string
  /** `use_vmac_addr`, or `use_vmac` on the line of a VIP: it is on a VMAC of its own device. */
  addressVmacs?: true
  /** `use_vmac`: the macvlan that keepalived makes on top of the interface, and puts the VIPs on. */
  vmac?: string
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
  /** `track_script`: scripts whose result changes the priority, or takes the instance out. */
  trackScripts: TrackedScript[]
  /** `track_interface`, without the instance's own interface, which is always tracked unless `dont_track_primary`. */
  trackInterfaces: TrackedInterface[]
  /** `track_file`, `track_process`, `track_bfd`, which no prediction knows; left out where there is none. */
  trackObjects?: TrackedObject[]
  /** `virtual_routes`, in the words of ip-route(8); they are there while the instance is MASTER. Left out where there is none. */
  virtualRoutes?: ConfiguredLine[]
  /** `virtual_rules`, in the words of ip-rule(8). */
  virtualRules?: ConfiguredLine[]
  /** `dont_track_primary`: the instance stays MASTER when its own interface goes down. */
  trackPrimary: boolean
  /** `vrrp_sync_group` that names it: its members are MASTER together, or none of them. */
  syncGroup?: string
  /** Its sync group tracks something with a weight, which no prediction knows. */
  weightsOfGroup?: true
  /** The scripts among that. */
  scriptsOfGroup?: TrackedScript[]
  at: Position
}

/** `vrrp_script`: a command that keepalived runs again and again; exit code 0 is success. */
export interface VrrpScript {
  name: string
  command: string
  /** ms from the start of one run to the start of the next; `interval`, default 1 s. */
  interval: number
  /** ms after which a run is ended and counts as failed; `timeout`, default the interval. */
  timeout: number
  /** Runs in a row that must succeed before it counts as up. The first run after the start decides alone. */
  rise: number
  /** Runs in a row that must fail before it counts as down. */
  fall: number
  at: Position
}

/** How an instance takes the result of what it tracks. */
export interface TrackWeight {
  /**
   * 0: a failure takes the instance to FAULT. Above: added to the priority while it is up; below: added while it is
   * down. `weight`, -253 to 253.
   */
  weight: number
  /** `reverse`: up and down change places. */
  reverse: boolean
}

export interface TrackedScript extends TrackWeight {
  script: VrrpScript
  at: Position
}

export interface TrackedInterface extends TrackWeight {
  interface: string
  at: Position
}

export interface TrackedObject extends TrackWeight {
  kind: 'file' | 'process' | 'bfd'
  name: string
  /** Path of the file, command line of the process, address of the neighbour, as its definition has it. */
  of: string
  at: Position
}

/** A line that is kept as it is written. */
export interface ConfiguredLine {
  words: string[]
  at: Position
}

export type ForwardingMethod = 'DR' | 'NAT' | 'TUN'
export type Protocol = 'TCP' | 'UDP' | 'SCTP'

/** The checks that lvslab has a rule for, under keepalived's keyword. */
export type Checker =
  | 'HTTP_GET'
  | 'SSL_GET'
  | 'TCP_CHECK'
  | 'MISC_CHECK'
  | 'PING_CHECK'
  | 'UDP_CHECK'
  | 'SMTP_CHECK'
  | 'DNS_CHECK'

export interface HealthCheck {
  /** The keyword that keepalived uses; OTHER where lvslab has no rule for it (BFD_CHECK, FILE_CHECK). */
  type: Checker | 'OTHER'
  /** The keyword as written; differs from `type` where that is OTHER. */
  keyword: string
  /** ms; MISC_CHECK has none. */
  connectTimeout: number
  /** Retries after the first failure (`nb_get_retry` and `retry` are the same thing). */
  retry: number
  /** ms */
  delayBeforeRetry: number
  /** ms; keepalived's `delay_loop` of the checker, inherited from the virtual service. */
  delayLoop: number
  /** ms; upper end of the random delay of the first check, default `delay_loop`. */
  warmup: number
  /** `alpha`: the check counts as failed until it has passed once. */
  alpha: boolean
  /** The `url` blocks, in order; one is fetched per `delay_loop`. Empty for checks without URLs. */
  urls: UrlCheck[]
  /** `fast_recovery`: after a failure the URLs are fetched without a pause between them. */
  fastRecovery: boolean
  /** What is asked, where that is not the real server itself: `connect_ip`, `connect_port`. */
  target?: { address?: string; port?: number }
  /** `bindto`: the director's address that it asks from. */
  sourceAddress?: string
  /** Of a MISC_CHECK. */
  misc?: MiscCheck
  /** Of a UDP_CHECK. */
  udp?: UdpCheck
  /** Of an SMTP_CHECK. */
  smtp?: { heloName: string }
  /** Of a DNS_CHECK; the name without a dot at its end is the same. */
  dns?: { type: string; name: string }
  at: Position
}

/** One `url` of an HTTP_GET or SSL_GET. */
export interface UrlCheck {
  path: string
  statusCode?: string
  /** What else the page must have. */
  wants?: 'digest' | 'regex'
}

export interface MiscCheck {
  /** Command line of the script. */
  path: string
  /** ms after which a run is ended and counts as failed; `misc_timeout`, default the service's `delay_loop`. */
  timeout: number
  /** `misc_dynamic`: the exit code sets the weight. */
  dynamic: boolean
}

export interface UdpCheck {
  /** Hex digits of what is sent; a text of keepalived's own where it is left out (layer4.c `set_buf`). */
  payload?: string
  /** `require_reply`: silence is a failure. Without it only a refusal is one. */
  requireReply: boolean
  /** Some of the refusals that it waits for may never be sent; see `refusals.ts`. */
  refusalsHeldBack?: true
  /** Pattern of the reply, as written. Only a reply that has one is looked at, its length among it. */
  reply?: string
  /** bytes */
  minReplyLength: number
  maxReplyLength: number
}

export interface RealServer {
  address: string
  port: number
  weight: number
  /** Of this server; `lvs_method` may stand in a `real_server` too. */
  forwarding: ForwardingMethod
  inhibitOnFailure: boolean
  checks: HealthCheck[]
  /** Connections from which on it gets no more (`-x`); left out where it may have any number. */
  upperThreshold?: number
  /** Connections below which it gets some again (`-y`); three quarters of the upper threshold where it is left out. */
  lowerThreshold?: number
  /** Of TUN, where it is not plain IPIP; `checksum` is of the outer packet. */
  tunnel?: { type: 'ipip' | 'gue' | 'gre'; port?: number; checksum?: 'csum' | 'nocsum' | 'remcsum' }
  at: Position
}

export interface VirtualService {
  /** `10.0.0.100:80/TCP`, `fwmark 50`, as `ipvsadm -Ln` would call it. */
  name: string
  address?: string
  port?: number
  fwmark?: number
  /**
   * The `virtual_server_group` that it is one service of: all of a group have the same real servers, whose checks and quorum
   * take them in and out of all at once.
   */
  group?: string
  /** Of a firewall mark; IPv4 where it is left out. */
  family?: 6
  protocol: Protocol
  /** One-packet scheduling: each datagram is scheduled for itself (`-o`). */
  onePacket?: true
  /** Flags of the scheduler (`-b`), such as `sh-port`. */
  schedulerFlags?: string[]
  /** What finds the clients of one template instead of their addresses (`--pe`), such as `sip`. */
  persistenceEngine?: string
  /** The scheduler as the kernel calls it; keepalived's own default where none is written. */
  scheduler: string
  forwarding: ForwardingMethod
  /** ms; undefined when the service is not persistent. */
  persistence?: number
  /** Clients whose addresses agree in so many bits share one template; all of them where it is left out. */
  persistencePrefix?: number
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
  /** `static_ipaddress`, `static_routes`, `static_rules`; left out where there is none. */
  statics?: { addresses: VipAddress[]; routes: ConfiguredLine[]; rules: ConfiguredLine[] }
  /** ms; global `vrrp_startup_delay`, 0 where none is written. */
  startupDelay: number
  /** ms; global `lvs_timeouts`, the `tcpfin` of it. Left out where the kernel's own is left alone. */
  finWait?: number
  /** ms; the `udp` of it. */
  udpTimeout?: number
  /** Interfaces of `interface_up_down_delays`, which no prediction knows; left out where there is none. */
  delayedInterfaces?: string[]
  /** Every file that was read, includes among them, in reading order. */
  files: string[]
  /** What keepalived reads otherwise than it stands there, or ignores. */
  notices: Notice[]
}
