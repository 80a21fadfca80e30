import type { Role } from '../topology/types.ts'

/** What a topology.yaml is going to say, with the reasons that become its comments. */
export interface Draft {
  name: string
  summary: string
  networks: DraftNetwork[]
  nodes: DraftNode[]
  /** What the configuration does not say and a default stands for, or what only the user can add; one sentence each. */
  questions: string[]
}

export interface DraftNetwork {
  name: string
  subnet: string
  gateway?: string
  /** See `driver` of a topology's network. */
  driver?: 'bridge'
  because: string
}

export interface DraftNode {
  name: string
  role: Role
  /** See `farm` of a topology's node. */
  farm?: true
  /** One line each, before the node. */
  because: string[]
  interfaces: { name: string; network: string; address: string; addresses?: string[]; because?: string }[]
  loopback: string[]
  /** VIPs with prefix on tunl0, of IPv6 on ip6tnl0. */
  tunnel: string[]
  /** Devices of tunnels that are brought up without an address. */
  bareTunnels?: string[]
  arp?: { ignore: number; announce: number }
  sysctls: Record<string, number>
  routes: string[]
  /** Stand-ins for programs: processes of these names. */
  processes?: string[]
  /** Files laid over its root, by absolute path. */
  files: Record<string, string>
}

/** A node with nothing but a name and a role. */
export const emptyNode = (name: string, role: Role, ...because: string[]): DraftNode => ({
  ...{ name, role, because, interfaces: [], loopback: [], tunnel: [], sysctls: {}, routes: [], files: {} },
})
