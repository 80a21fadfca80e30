import { addressNumber } from './address.ts'
import { settled } from './track.ts'
import type { DirectorConfig, VrrpInstance } from './types.ts'

/** Where an interface of a node stands: the network's name and the node's address in it. */
export type Locate = (node: string, device: string) => { network: string; address: string } | undefined

/** One director's part in a VRRP group. */
export interface GroupMember {
  node: string
  instance: VrrpInstance
  /** Source of its adverts, which breaks a tie of priorities. */
  address: string
  /** ms */
  startupDelay: number
}

/** The instances that share a network and a virtual_router_id. */
export interface VrrpGroup {
  network: string
  virtualRouterId: number
  /**
   * In the order in which an election takes them: the expected MASTER first, then who backs it up. After a failover a
   * director with `nopreempt` leaves the VIPs where they are.
   */
  members: GroupMember[]
  /** VIPs of any member. */
  vips: string[]
}

/**
 * Orders candidates as an election does: the higher priority first, among equals the higher address
 * (RFC 3768 6.4.3, RFC 9568 6.4.3).
 */
export const byElection = <T extends { priority: number; address: string }>(a: T, b: T): number => {
  if (a.priority !== b.priority) return b.priority - a.priority
  const difference = addressNumber(b.address) - addressNumber(a.address)
  return difference > 0n ? 1 : difference < 0n ? -1 : 0
}

/** The family of its adverts, that of its first VIP: virtual routers of IPv4 and IPv6 are never one (RFC 9568, abstract). */
export const familyOf = ({
  addresses,
  sourceAddress = '',
}: Pick<VrrpInstance, 'addresses' | 'sourceAddress'>): 4 | 6 =>
  (addresses[0]?.address ?? sourceAddress).includes(':') ? 6 : 4

/**
 * The VRRP groups of the directors. An instance on an interface that the topology does not know is left out.
 *
 * @param locate from the topology
 */
export const vrrpGroups = (configs: DirectorConfig[], locate: Locate): VrrpGroup[] => {
  const groups = new Map<string, VrrpGroup>()
  for (const config of configs) {
    for (const instance of config.instances) {
      const place = locate(config.node, instance.interface)
      if (!place) continue
      const key = `${place.network} ${instance.virtualRouterId} ${familyOf(instance)}`
      const group = groups.get(key) ?? {
        network: place.network,
        virtualRouterId: instance.virtualRouterId,
        members: [],
        vips: [],
      }
      groups.set(key, group)
      group.members.push({
        node: config.node,
        instance,
        address: instance.sourceAddress ?? place.address,
        startupDelay: config.startupDelay,
      })
      group.vips = [...new Set([...group.vips, ...instance.addresses.map(vip => vip.address)])]
    }
  }
  const rank = ({ instance, address }: GroupMember) => ({ priority: settled(instance).priority, address })
  for (const group of groups.values()) group.members.sort((a, b) => byElection(rank(a), rank(b)))
  return [...groups.values()]
}
