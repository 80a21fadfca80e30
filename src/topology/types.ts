/** What to build: networks and nodes, checked and with every default filled in. */

import type { KeepalivedRelease } from '../model/keepalived.ts'
import type { Limit } from '../model/limits.ts'

export const ROLES = ['director', 'realserver', 'client', 'router'] as const
export type Role = (typeof ROLES)[number]

/** One layer-2 network. */
export interface Network {
  name: string
  /** Docker's word for how its interfaces are joined: `bridge`; macvlan where it is left out. */
  driver?: 'bridge'
  /** IPv4 subnet in CIDR form. */
  subnet: string
  /** Default gateway of its nodes; no default route where there is none. */
  gateway?: string
}

export interface Interface {
  /** Name inside the node: `eth0`. */
  name: string
  network: string
  /** IPv4 address without prefix; the prefix is the network's. */
  address: string
  /** Further addresses, with prefix: a VIP on the NIC, a second subnet on the same link. */
  addresses: string[]
  /** Metric of the route to its own network; the kernel's own choice, 0, where it is left out. */
  metric?: number
}

/** The device that the kernel makes for a kind of tunnel in every node, brought up. */
export interface Tunnel {
  /** `tunl0` takes IP-in-IP packets from anybody, `ip6tnl0` IPv6-in-IPv6. */
  name: string
  /** Addresses with prefix. */
  addresses: string[]
}

export interface Node {
  name: string
  role: Role
  interfaces: Interface[]
  /**
   * It is many real servers, each at an address of its interfaces: what one answers begins with its address, and not with the name
   * of the node. No two of one service may be on it.
   */
  farm?: true
  /** Addresses with prefix put on `lo`: the VIP of a DR or TUN real server. */
  loopback: string[]
  tunnels: Tunnel[]
  sysctls: Record<string, string>
  /** `ip route add` words, e.g. `10.9.0.0/16 via 10.0.0.1`. */
  routes: string[]
  /** Rules of its packet filter in the words of iptables(8), e.g. `-t nat -A PREROUTING -d 198.51.100.3 -j DNAT ...`; left out where there are none. */
  iptables?: string[]
  /** Stand-ins: processes of these names, which do nothing; left out where there are none. */
  processes?: string[]
  /** Names of Debian packages that it needs besides those of its role's image; left out where there are none. */
  packages?: string[]
  /** Absolute path of the folder laid over the node's root, where there is one. */
  files?: string
}

export interface Topology {
  name: string
  summary?: string
  /** Absolute path of the folder that holds topology.yaml. */
  dir: string
  networks: Network[]
  nodes: Node[]
  /** What its directors run in place of the keepalived of the images; left out where it is that. */
  keepalived?: KeepalivedRelease
  /** What the operator expects of it; nothing of the lab itself. */
  expect?: Limit[]
}
