import { byElection, type GroupMember, type VrrpGroup } from '../model/pair.ts'
import { settled } from '../model/track.ts'
import type { VrrpInstance } from '../model/types.ts'
import type { Plan, PlannedVip } from './plan.ts'

const vipsIn = ({ instance: { addresses, excludedAddresses } }: GroupMember): string[] =>
  [...addresses, ...excludedAddresses].map(({ address }) => address)

/** An instance as it is configured: the members of a planned VIP have the priority with all that they track. */
export const configured = ({ configs }: Pick<Plan, 'configs'>, { node, instance }: GroupMember): VrrpInstance =>
  configs.find(config => config.node === node)?.instances.find(one => one.name === instance.name) ?? instance

/** Whether a director has the VIP in its own configuration. */
export const lists = (member: GroupMember, { address }: Pick<PlannedVip, 'address'>): boolean =>
  vipsIn(member).includes(address)

/**
 * Who may hold each VIP, or should: all members of the virtual router that one of them has it in, as it goes where the election goes.
 * Every router that has it counts, whatever its virtual_router_id: two that differ in it never hear each other, and both hold it.
 */
export const plannedVips = (groups: VrrpGroup[]): PlannedVip[] => {
  const holders = new Map<string, PlannedVip>()
  for (const { network, members } of groups) {
    for (const address of new Set(members.flatMap(vipsIn))) {
      for (const member of members) {
        const vip = holders.get(`${network} ${address}`) ?? { address, network, members: [] }
        holders.set(`${network} ${address}`, vip)
        // the priority that counts is the one with what is tracked, all of which is up in a healthy lab
        vip.members.push({ ...member, instance: settled(member.instance) })
      }
    }
  }
  const rank = (member: GroupMember) => ({ priority: member.instance.priority, address: member.address })
  for (const vip of holders.values()) vip.members.sort((a, b) => byElection(rank(a), rank(b)))
  return [...holders.values()]
}

/** That the directors of a VIP are on different networks, in which unicast passes routers; undefined where they are on one. */
export const apart = ({ members: [first, ...others] }: PlannedVip): string | undefined => {
  const other = others.find(({ network }) => network !== first?.network)
  return other && `${first?.node} and ${other.node} are on different networks`
}

/**
 * Why directors on different networks may not hear each other; undefined where nothing speaks against it. The way between their
 * addresses may lead past the interface that keepalived sends and hears by (vrrp.c if_setsockopt_bindtodevice).
 */
export const unsureToHear = ({ members }: PlannedVip): string | undefined => {
  for (const { node, network } of members) {
    const other = members.find(one => one.network !== network && one.otherNetworks.includes(network))
    if (other)
      return `${other.node} has an interface on ${network} of ${node}, but speaks VRRP by ${other.instance.interface} alone: whether they hear each other is not known`
  }
  return undefined
}

/** Why the priority of a director is not known; undefined where it is. */
const weightNotKnown = ({ node, instance }: GroupMember): string | undefined => {
  const { name, trackObjects = [], weightsOfGroup, syncGroup } = instance
  const one = trackObjects.find(({ weight }) => weight !== 0)
  const what = one ? `track_${one.kind} ${one.name} of ${name}` : weightsOfGroup && `what ${syncGroup} tracks`
  return what && `${what} changes the priority of ${node}, and whether it is up in the lab is not known`
}

/**
 * That directors have one VMAC (`use_vmac`) on one network that is no bridge; undefined where they do not. Their NICs are macvlans on one
 * parent, and so are the VMACs then: a second one of that hardware address does not come up (drivers/net/macvlan.c macvlan_open, EADDRINUSE).
 */
const sharedVmac = ({ members }: PlannedVip): string | undefined => {
  const [one, other] = members.filter(
    ({ instance, network, bridged }) => instance.vmac && !bridged && network === members[0]?.network,
  )
  return one && other
    ? `${one.node} and ${other.node} have a VMAC of one hardware address, of which a macvlan network has one up at a time: \`driver: bridge\` of ${one.network} in topology.yaml has both`
    : undefined
}

/** Directors whose VIPs are on VMACs of the VIPs' devices; undefined where they are not. */
const onVmacOfItsOwn = ({ members }: PlannedVip): string | undefined => {
  const one = members.find(({ instance }) => instance.addressVmacs)
  return (
    one && `${one.instance.name} on ${one.node} has its VIPs on VMACs of their own (use_vmac_addr): that is not tried`
  )
}

/** Why the configuration does not say who of several is MASTER, but who comes first; undefined where it does. */
export const whoeverComesFirst = (vip: PlannedVip): string | undefined => {
  const [first, second, ...others] = vip.members
  if (!first || !second) return undefined
  const unsure = unsureToHear(vip) ?? sharedVmac(vip) ?? onVmacOfItsOwn(vip)
  if (unsure) return unsure
  const unknown = [first, second, ...others].map(weightNotKnown).find(reason => reason !== undefined)
  if (unknown) return unknown
  if (first.instance.priority === second.instance.priority)
    return `${first.node} and ${second.node} have equal priorities: who is MASTER is whoever comes first`
  if (first.instance.preempt) return undefined
  return `${first.node} has nopreempt: who is MASTER is whoever comes first`
}

/**
 * The VIPs that move with one, itself among them: those of the instances that its MASTER has in the same sync group, where
 * somebody backs them up.
 */
export const movingTogether = ({ vips }: Pick<Plan, 'vips'>, vip: PlannedVip): PlannedVip[] => {
  const master = vip.members[0]
  const group = master?.instance.syncGroup
  if (!master || group === undefined) return [vip]
  return vips.filter(({ members }) =>
    members.some(({ node, instance }) => node === master.node && instance.syncGroup === group && members.length > 1),
  )
}
