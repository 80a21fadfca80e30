import { startGapBound } from '../../model/alpha.ts'
import { serverUpBound } from '../../model/health-check.ts'
import { linkReturnGapBound } from '../../model/link-return.ts'
import type { GroupMember } from '../../model/pair.ts'
import {
  effectivePriority,
  interfaceDownBound,
  interfaceDownName,
  interfaceUpBound,
  settled,
} from '../../model/track.ts'
import type { Bound, VrrpInstance } from '../../model/types.ts'
import { crashBound, handoverBound, preemptBound, recoverBound, stopBound } from '../../model/vrrp.ts'
import type { Plan, PlannedServer, PlannedService, PlannedVip } from '../plan.ts'
import type { Scenario } from '../scenario.ts'
import { configured, movingTogether, whoeverComesFirst } from '../vips.ts'
import { boundOfAll, type Cause, failover, type Pair } from './failover.ts'
import { outranked } from './outranked.ts'
import { scriptsFail, trackedBy } from './scripts-fail.ts'

type BoundOfPair = (master: VrrpInstance, backup: VrrpInstance) => Bound

/** keepalived ends on the MASTER in one way or another, and comes back. */
const keepalivedEnds =
  (id: 'stop' | 'crash', fault: 'keepalived-stop' | 'keepalived-crash', boundOf: BoundOfPair) =>
  (plan: Plan, vip: PlannedVip, [master, backup]: Pair, together: PlannedVip[]): Cause => {
    const what = id === 'stop' ? 'a clean stop' : 'a crash'
    // with nopreempt whoever comes first is MASTER, which has been refused
    const preemptOf: BoundOfPair = (one, other) => preemptBound(one, other, master.startupDelay) as Bound
    const gapBound = gapAfterStart(plan, vip, [master, backup], together, preemptOf, what)
    return {
      ...{ id, fault, what },
      where: `of keepalived on ${master.node}`,
      inject: lab => lab.inject(fault, master.node),
      returns: 'keepalived returns',
      bound: boundOfAll(together, (one, other) => boundOf(one.instance, other.instance)),
      preempt: boundOfAll(together, (one, other) => preemptOf(one.instance, other.instance)),
      ...(gapBound && { gapBound }),
    }
  }

/** What clients may miss when the MASTER is back; where nobody knows, it is said to be untested. */
const gapAfterStart = (
  plan: Plan,
  vip: PlannedVip,
  [master, backup]: Pair,
  together: PlannedVip[],
  preemptOf: BoundOfPair,
  what: string,
): Bound | undefined => {
  const handover = handoverBound(backup.instance)
  const planned = plan.services.find(one => one.vip === vip)
  if (!planned) return handover
  // it waits for the last of those that move with it, and each for its whole time
  const earliest = together.map(({ members: [one, other] }) => {
    const { minMs, maxMs } = preemptOf((one as GroupMember).instance, (other as GroupMember).instance)
    return minMs ?? maxMs
  })
  const living = planned.servers.map(({ server }) => server)
  const bound = startGapBound(handover, planned.service, living, Math.max(...earliest))
  if (!bound)
    plan.untested.push({
      what: `what clients of ${planned.name} miss when ${master.node} takes ${vip.address} back after ${what}`,
      why: 'no bound is known for the first health checks of its real servers (alpha)',
    })
  return bound
}

/**
 * Everything that takes a VIP from its MASTER: keepalived ends, the link of its adverts goes down, or that of the VIP, or a script fails that
 * is tracked.
 */
export const failovers = (plan: Plan, vip: PlannedVip): Scenario[] => {
  const [master, backup] = vip.members
  const untested = (why: string): Scenario[] => {
    for (const what of ['a clean stop', 'a crash', 'the loss of a link'])
      plan.untested.push({ what: `failover of ${vip.address} after ${what}`, why })
    const stays =
      backup && vip.members.every(({ instance }) => !instance.preempt) && `the VIP stays: ${backup.node} has nopreempt`
    for (const { script, weight } of trackedBy(plan, [vip]).map(({ tracked }) => tracked))
      plan.untested.push({
        what: `failover of ${vip.address} after a failure of vrrp_script ${script.name}`,
        // whoever is MASTER
        why: (weight !== 0 && stays) || why,
      })
    return []
  }
  if (!master || !backup) return untested('only one director may hold it')
  const together = movingTogether(plan, vip)
  const why =
    together.map(whoeverComesFirst).find(reason => reason !== undefined) ??
    (together.some(one => one.members[0]?.node !== master.node)
      ? `the instances of the sync group ${master.instance.syncGroup} have their highest priorities on different directors`
      : undefined)
  if (why) return untested(why)
  const equal = together.find(
    ({ members: [, second, third] }) => second?.instance.priority === third?.instance.priority && third,
  )
  if (equal) {
    const [one, other] = equal.members.slice(1)
    return untested(`${one?.node} and ${other?.node} have equal priorities: who takes over is whoever comes first`)
  }
  const [leader, ...followers] = sharing(plan, vip)
  if (leader !== vip) return []
  const pair: Pair = [master, backup]
  const causes = [
    keepalivedEnds('stop', 'keepalived-stop', stopBound)(plan, vip, pair, together),
    keepalivedEnds('crash', 'keepalived-crash', crashBound)(plan, vip, pair, together),
    ...linksLost(plan, vip, pair, together),
    ...scriptsFail(plan, vip, pair, together),
  ]
  return causes.map(cause => failover(plan, vip, followers, pair, cause))
}

/**
 * The VIPs that one lab is enough for, the one that is asked through first: those of the same instances that serve nobody
 * follow the first that does.
 */
const sharing = (plan: Plan, vip: PlannedVip): PlannedVip[] => {
  const instances = ({ members }: PlannedVip): string =>
    members.map(({ node, instance }) => `${node} ${instance.name}`).join()
  const alike = plan.vips.filter(one => instances(one) === instances(vip))
  const serving = alike.filter(one => plan.services.some(service => service.vip === one))
  const [first = alike[0]] = serving
  if (vip !== first && serving.includes(vip)) return [vip]
  return [...new Set([...(first ? [first] : []), ...alike.filter(one => !serving.includes(one))])]
}

/** The link goes down that the adverts pass, that the VIP is on, or that is tracked: FAULT on the MASTER, or a lower priority. */
const linksLost = (plan: Plan, vip: PlannedVip, [master, backup]: Pair, together: PlannedVip[]): Cause[] => {
  const { node, instance } = master
  const [from, to] = [configured(plan, master), configured(plan, backup)]
  const tracked = from.trackInterfaces.map(one => one.interface)
  const interfaces = plan.topology.nodes.find(one => one.name === node)?.interfaces ?? []
  const vipDevices = [...instance.addresses, ...instance.excludedAddresses]
    .filter(({ address, device }) => address === vip.address && device !== instance.vmac)
    .map(({ device }) => device)
  return [...new Set([instance.interface, ...vipDevices, ...tracked])].flatMap(device => {
    const what = `the loss of link ${device}`
    const where = `of ${node}`
    const untested = (why: string): Cause[] => {
      plan.untested.push({ what: `failover of ${vip.address} after ${what} ${where}`, why })
      return []
    }
    if (!interfaces.some(({ name }) => name === device)) return untested('the topology does not name the device')
    if (plan.configs.some(config => config.node === node && config.delayedInterfaces?.includes(device)))
      return untested('interface_up_down_delays puts off when keepalived hears of it, which is not predicted')
    const left = effectivePriority(from, { interfaces: { [device]: false } })
    if (left !== 'FAULT' && !tracked.includes(device))
      return untested(`${instance.name} on ${node} does not care for it`)
    // keepalived tracks it for that too, without a weight (vrrp.c vrrp_complete_instance)
    const lines = [...(from.virtualRoutes ?? []), ...(from.virtualRules ?? [])]
    if (left !== 'FAULT' && lines.some(({ words }) => words.includes(device)))
      return untested(`virtual_routes or virtual_rules of ${instance.name} name it too, which is not predicted`)
    const bounds =
      left === 'FAULT'
        ? {
            bound: {
              ...boundOfAll(together, (first, second) => {
                const [one, other] = [configured(plan, first), configured(plan, second)]
                // the others of its sync group follow it, and say goodbye on links that are up
                return interfaceDownBound(one, other, device) ?? stopBound(one, settled(other))
              }),
              name: interfaceDownName(device),
            },
            preempt: boundOfAll(together, (one, other) => recoverBound(one.instance, other.instance) as Bound),
          }
        : outranked(vip, from, left, {
            bound: interfaceDownBound(from, to, device),
            preempt: interfaceUpBound(from, to, device),
          })
    if (typeof bounds === 'string') return untested(bounds)
    const service = plan.services.find(found => found.vip === vip)
    const ups =
      service &&
      behind(plan, service, node, device).map(({ server }) => serverUpBound(server, 'silent', plan.keepalived))
    const gapBound = linkReturnGapBound(handoverBound(backup.instance), ups ?? [])
    if (!gapBound)
      plan.untested.push({
        what: `what clients of ${service?.name} miss when ${node} takes ${vip.address} back after ${what}`,
        why: 'no bound is known for the health checks of its real servers',
      })
    const cause: Cause = {
      ...{ id: `link-${device}`, fault: 'link-down', what, where, ...bounds },
      returns: 'the link returns',
      inject: lab => lab.inject('link-down', node, { device }),
      ...(gapBound && { gapBound }),
    }
    return [cause]
  })
}

/** Real servers that a director may reach by one device alone: it has no other one in their network. */
const behind = ({ topology }: Plan, { servers }: PlannedService, node: string, device: string): PlannedServer[] => {
  const others = topology.nodes
    .find(({ name }) => name === node)
    ?.interfaces.filter(({ name }) => name !== device)
    .map(({ network }) => network)
  return servers.filter(
    server =>
      !topology.nodes
        .find(({ name }) => name === server.node)
        ?.interfaces.some(({ network }) => others?.includes(network)),
  )
}
