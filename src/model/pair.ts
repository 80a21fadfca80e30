import { addressNumber } from './address.ts'
import { settled } from './track.ts'
import type { DirectorConfig, VrrpInstance } from './types.ts'

/** Where an interface of a node stands: the network's name, the node's address in it, and the networks of its other interfaces. */
export type Locate = (
  node: string,
  device: string,
) => Pick<GroupMember, 'network' | 'address' | 'otherNetworks' | 'bridged'> | undefined

/** One director's part in a VRRP group. */
export interface GroupMember {
  node: string
  instance: VrrpInstance
  /** Network that it sends adverts to and hears them on. */
  network: string
  /** It is a bridge, on which VMACs of one hardware address are up side by side. */
  bridged?: true
  /** Those of the director's other interfaces. */
  otherNetworks: string[]
  /** Source of its adverts, which breaks a tie of priorities. */
  address: string
  /** ms */
  startupDelay: number
}

/** The instances that share a virtual_router_id and a network, or speak to each other (`unicast_peer`), which routers pass on. */
export interface VrrpGroup {
  /** That of its first director. */
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

const speakToEachOther = (a: GroupMember, b: GroupMember): boolean =>
  a.instance.unicastPeers.includes(b.address) && b.instance.unicastPeers.includes(a.address)

/**
 * The VRRP groups of the directors. An instance on an interface that the topology does not know is left out.
 *
 * @param locate from the topology
 */
export const vrrpGroups = (configs: DirectorConfig[], locate: Locate): VrrpGroup[] => {
  const groups: VrrpGroup[] = []
  for (const config of configs) {
    for (const instance of config.instances) {
      const place = locate(config.node, instance.interface)
      if (!place) continue
      const address = instance.sourceAddress ?? place.address
      const member: GroupMember = { ...place, node: config.node, instance, address, startupDelay: config.startupDelay }
      const { network } = member
      const { virtualRouterId } = instance
      let group = groups.find(
        one =>
          one.virtualRouterId === virtualRouterId &&
          one.members.some(
            other =>
              familyOf(other.instance) === familyOf(instance) &&
              (other.network === network || speakToEachOther(other, member)),
          ),
      )
      if (!group) groups.push((group = { network, virtualRouterId, members: [], vips: [] }))
      group.members.push(member)
      group.vips = [...new Set([...group.vips, ...instance.addresses.map(vip => vip.address)])]
    }
  }
  const rank = ({ instance, address }: GroupMember) => ({ priority: settled(instance).priority, address })
  for (const group of groups) group.members.sort((a, b) => byElection(rank(a), rank(b)))
  return groups
}
