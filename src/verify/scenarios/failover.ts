import type { Condition } from '../../agent/protocol.ts'
import type { ProbeWatch } from '../../judge/client-gap.ts'
import { AT_ONCE, claims } from '../../judge/garp.ts'
import type { PlannedCheck } from '../../judge/rules.ts'
import type { Heal } from '../../lab/faults/inject.ts'
import type { FaultName } from '../../lab/faults/registry.ts'
import type { Lab } from '../../lab/lab.ts'
import { familyOf, type GroupMember } from '../../model/pair.ts'
import { syncedBound } from '../../model/sync-group.ts'
import type { Bound } from '../../model/types.ts'
import { handoverBound } from '../../model/vrrp.ts'
import type { Plan, PlannedVip } from '../plan.ts'
import { paced, PATIENCE_MS, PROBE_RATE, type Scenario, SLACK_MS } from '../scenario.ts'
import { apart } from '../vips.ts'
import { AFTER_MS, BEFORE_MS, PROBE, startProbe, wholePool } from './common.ts'

/** Why what the directors of a VIP send cannot be read from the wire; undefined where it can. */
const unheardOnWire = (plan: Plan, vip: PlannedVip): string | undefined => {
  const { address, members } = vip
  if (apart(vip)) return `${apart(vip)}, and a router passes adverts on`
  const [first, ...others] = members.map(({ instance }) => instance)
  if (others.some(other => other.virtualRouterId !== first?.virtualRouterId)) return 'virtual_router_id differs'
  const devices = (name: string): string[] =>
    plan.topology.nodes.find(node => node.name === name)?.interfaces.map(one => one.name) ?? []
  const elsewhere = members.find(({ node, instance }) =>
    [...instance.addresses, ...instance.excludedAddresses].some(
      // what a VMAC sends passes the NIC that it is on
      one => one.address === address && one.device !== instance.vmac && !devices(node).includes(one.device),
    ),
  )
  return elsewhere && `on ${elsewhere.node} the VIP is on a device that the topology does not name`
}

/** Until whoever has taken a VIP must have announced it, on the slowest machine (`schedulingOf`) and some; ms. */
const ANNOUNCED_MS = AT_ONCE.maxMs + 5 * SLACK_MS

/**
 * A director that has crashed answers for a VMAC still, in ARP too, so that a bridge may go on sending it what is for the VIP. Each advert
 * that leaves from a VMAC may change that, and have clients lose whom they reach: two are waited for, and until a silence that begins then
 * is longer than clients may miss, ms.
 */
const movesOnMs = ([{ instance }, { instance: other }]: Pair, bound: Bound): number =>
  instance.vmac === undefined && other.vmac === undefined ? 0 : 2 * other.advertInterval + bound.maxMs

/** The expected MASTER of a VIP, and who takes it over. */
export type Pair = [master: GroupMember, backup: GroupMember]

type BoundOfMembers = (master: GroupMember, backup: GroupMember) => Bound

/** The bound of VIPs that move together. */
export const boundOfAll = (vips: PlannedVip[], boundOf: BoundOfMembers): Bound =>
  syncedBound(
    vips.map(({ members: [master, backup] }) => boundOf(master as GroupMember, backup as GroupMember)) as [
      Bound,
      ...Bound[],
    ],
  )

/** What takes the VIP from its MASTER, and how that comes back. */
export interface Cause {
  /** Part of the names of its checks: `stop`, `link-eth0`. */
  id: string
  fault: FaultName
  /** To end a sentence with: `a clean stop`. */
  what: string
  /** Where: `of keepalived on d1`. */
  where: string
  inject: (lab: Lab) => Promise<Heal>
  /** `keepalived returns` */
  returns: string
  bound: Bound
  /** How long nobody may have the VIP, where that is less than until it has moved: what is wrong has to be found first. */
  noneBound?: Bound
  /** What clients may miss meanwhile, where that is less. */
  missBound?: Bound
  preempt: Bound
  /** What clients may miss when the VIP goes back; where nobody knows, that is not judged. */
  gapBound?: Bound
}

/**
 * The VIP is taken over when it must be, goes back when it must, and is announced.
 *
 * @param followers VIPs that nobody is asked through, of the same instances: they are looked at in the same lab
 */
export const failover = (plan: Plan, vip: PlannedVip, followers: PlannedVip[], pair: Pair, cause: Cause): Scenario => {
  const { id, bound, preempt, gapBound } = cause
  const [from, to] = pair.map(({ node }) => node) as [string, string]
  const service = plan.services.find(one => one.vip === vip)
  const watch = service && { probe: PROBE, stepMs: 1000 / paced(service, PROBE_RATE) }
  const owner = (node: string, others: string[]): Condition => ({ kind: 'owner', address: vip.address, node, others })
  return {
    name: `failover-${id}-${vip.address}`,
    drive: async lab => {
      const probe = service && (await startProbe(lab, plan, service))
      await lab.sleep(BEFORE_MS)
      const heal = await cause.inject(lab)
      // a crashed MASTER keeps the VIP, so only the backup is looked at
      await lab.until(owner(to, []), bound.maxMs + PATIENCE_MS)
      await lab.sleep(AFTER_MS + movesOnMs(pair, bound))
      await heal()
      await lab.until(owner(from, [to]), preempt.maxMs + PATIENCE_MS)
      // its pool may still be without a server, and clients without an answer
      if (service && gapBound && gapBound.maxMs > AFTER_MS)
        await lab.until(wholePool(service), gapBound.maxMs + PATIENCE_MS)
      await lab.sleep(ANNOUNCED_MS)
      await probe?.stop()
    },
    checks: [
      ...moves(plan, vip, pair, cause, watch),
      ...onWire(plan, vip, pair, cause),
      ...followers.flatMap(other => moves(plan, other, pair, cause).map(check => named(check, other))),
    ],
  }
}

const named = (check: PlannedCheck, { address }: PlannedVip): PlannedCheck => ({
  ...check,
  check: `${check.check}-${address}`,
})

/** The VIP goes there and back, and is nobody's and two directors' no longer than it may. */
const moves = (
  plan: Plan,
  vip: PlannedVip,
  [master, backup]: Pair,
  cause: Cause,
  watch?: ProbeWatch,
): PlannedCheck[] => {
  const { id, fault, what, where, returns, bound, noneBound = bound, missBound, preempt, gapBound } = cause
  const { address, members } = vip
  const directors = members.map(m => m.node)
  const [from, to] = [master.node, backup.node]
  const judged = { vip: address, directors, fault, slackMs: SLACK_MS, ...(watch && { watch }) }
  return [
    {
      check: `failover-${id}`,
      title: `${to} takes over the VIP ${address} after ${what} ${where}`,
      rule: 'failover',
      params: { ...judged, from, to, bound, ...(missBound && { gapBound: missBound }) },
    },
    {
      check: `preemption-${id}`,
      title: `${from} takes the VIP ${address} back when ${returns} after ${what}`,
      rule: 'preemption',
      params: { ...judged, to: from, bound: preempt, ...(gapBound && { gapBound }) },
    },
    {
      check: `single-owner-${id}`,
      title: `one live director holds the VIP ${address}, and only one, around ${what}`,
      rule: 'single-owner',
      params: {
        vip: address,
        directors: members.map(({ node, address: own }) => ({ node, address: own })),
        bound: handoverBound(backup.instance),
        noneBound,
        slackMs: SLACK_MS,
        causes: plan.dualMaster,
      },
    },
  ]
}

/** What the directors say of the VIP to the others. */
const onWire = (plan: Plan, vip: PlannedVip, [master]: Pair, { id, what }: Cause): PlannedCheck[] => {
  const { address, members, network } = vip
  const unheard = unheardOnWire(plan, vip)
  if (unheard) {
    plan.untested.push({ what: `adverts and ${claims(address)} of ${address} around ${what}`, why: unheard })
    return []
  }
  const judged = { vip: address, directors: members.map(m => m.node), slackMs: SLACK_MS }
  return [
    {
      check: `garp-${id}`,
      title: `whoever takes the VIP ${address} announces it by ${claims(address)}, after ${what}`,
      rule: 'garp',
      // garp_master_repeat may be anything from 1 on
      params: { ...judged, count: 1 },
    },
    {
      check: `silent-backup-${id}`,
      title: `only the MASTER of ${address} sends adverts, around ${what}`,
      rule: 'silent-backup',
      params: { ...judged, vrid: master.instance.virtualRouterId, family: familyOf(master.instance), network },
    },
  ]
}
