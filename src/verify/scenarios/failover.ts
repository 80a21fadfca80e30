import type { Condition } from '../../agent/protocol.ts'
import { claims } from '../../judge/garp.ts'
import type { PlannedCheck } from '../../judge/rules.ts'
import { withSlack } from '../../model/bound.ts'
import type { GroupMember } from '../../model/pair.ts'
import { syncedBound } from '../../model/sync-group.ts'
import type { Bound } from '../../model/types.ts'
import { handoverBound, preemptBound } from '../../model/vrrp.ts'
import { movingTogether, type Plan, type PlannedVip, whoeverComesFirst } from '../plan.ts'
import { PATIENCE_MS, PROBE_RATE, PROBE_STEP_MS, type Scenario, SLACK_MS } from '../scenario.ts'
import { AFTER_MS, BEFORE_MS, PROBE, startProbe } from './common.ts'

/** Why what the directors of a VIP send cannot be read from the wire; undefined where it can. */
const unheardOnWire = (plan: Plan, { address, members }: PlannedVip): string | undefined => {
  const [first, ...others] = members.map(({ instance }) => instance)
  if (others.some(other => other.virtualRouterId !== first?.virtualRouterId)) return 'virtual_router_id differs'
  if (members.some(({ instance }) => instance.authentication?.type === 'AH')) return 'adverts within AH are not read'
  const devices = (name: string): string[] =>
    plan.topology.nodes.find(node => node.name === name)?.interfaces.map(one => one.name) ?? []
  const elsewhere = members.find(({ node, instance }) =>
    instance.addresses.some(vip => vip.address === address && !devices(node).includes(vip.device)),
  )
  return elsewhere && `on ${elsewhere.node} the VIP is on a device that the topology does not name`
}

type BoundOfPair = (master: GroupMember['instance'], backup: GroupMember['instance']) => Bound

/** The bound of VIPs that move together. */
const boundOfAll = (vips: PlannedVip[], boundOf: BoundOfPair): Bound =>
  syncedBound(
    vips.map(({ members: [master, backup] }) =>
      boundOf((master as GroupMember).instance, (backup as GroupMember).instance),
    ) as [Bound, ...Bound[]],
  )

/** keepalived ends on the MASTER in one way or another, and comes back. */
export const failover = (
  plan: Plan,
  vip: PlannedVip,
  cause: 'stop' | 'crash',
  fault: 'keepalived-stop' | 'keepalived-crash',
  boundOf: BoundOfPair,
): Scenario[] => {
  const [master, backup] = vip.members
  const service = plan.services.find(s => s.vip === vip)
  const what = cause === 'stop' ? 'a clean stop' : 'a crash'
  if (!master || !backup) {
    plan.untested.push({ what: `failover of ${vip.address} after ${what}`, why: 'only one director may hold it' })
    return []
  }
  const together = movingTogether(plan, vip)
  const why =
    together.map(whoeverComesFirst).find(reason => reason !== undefined) ??
    (together.some(one => one.members[0]?.node !== master.node)
      ? `the instances of the sync group ${master.instance.syncGroup} have their highest priorities on different directors`
      : undefined)
  if (why) {
    plan.untested.push({ what: `failover of ${vip.address} after ${what}`, why })
    return []
  }
  const bound = boundOfAll(together, boundOf)
  // with nopreempt whoever comes first is MASTER, which has been refused
  const preempt = boundOfAll(together, (one, other) => preemptBound(one, other, master.startupDelay) as Bound)
  const directors = vip.members.map(m => m.node)
  const watch = service ? { watch: { probe: PROBE, stepMs: PROBE_STEP_MS } } : {}
  const [from, to] = [master.node, backup.node]
  const owner = (node: string, others: string[]): Condition => ({ kind: 'owner', address: vip.address, node, others })
  const checks: PlannedCheck[] = [
    {
      check: `failover-${cause}`,
      title: `${to} takes over the VIP ${vip.address} after ${what} of keepalived on ${from}`,
      rule: 'failover',
      params: { vip: vip.address, directors, from, to, fault, bound, slackMs: SLACK_MS, ...watch },
    },
    {
      check: `preemption-${cause}`,
      title: `${from} takes the VIP ${vip.address} back when keepalived returns after ${what}`,
      rule: 'preemption',
      params: {
        ...{ vip: vip.address, directors, to: from, fault, bound: preempt, slackMs: SLACK_MS, ...watch },
        gapBound: handoverBound(backup.instance),
      },
    },
    {
      check: `single-owner-${cause}`,
      title: `one live director holds the VIP ${vip.address}, and only one, around ${what}`,
      rule: 'single-owner',
      params: {
        vip: vip.address,
        directors: vip.members.map(({ node, address }) => ({ node, address })),
        bound: withSlack(handoverBound(backup.instance), 'scheduling', SLACK_MS),
        noneBound: withSlack(bound, 'scheduling', SLACK_MS),
        causes: plan.dualMaster,
      },
    },
  ]
  const unheard = unheardOnWire(plan, vip)
  if (unheard)
    plan.untested.push({ what: `adverts and ${claims(vip.address)} of ${vip.address} around ${what}`, why: unheard })
  else {
    checks.push(
      {
        check: `garp-${cause}`,
        title: `whoever takes the VIP ${vip.address} announces it by ${claims(vip.address)}, after ${what}`,
        rule: 'garp',
        // garp_master_repeat may be anything from 1 on
        params: { vip: vip.address, directors, count: 1, slackMs: SLACK_MS },
      },
      {
        check: `silent-backup-${cause}`,
        title: `only the MASTER of ${vip.address} sends adverts, around ${what}`,
        rule: 'silent-backup',
        params: {
          ...{ vip: vip.address, directors, vrid: master.instance.virtualRouterId, network: vip.network },
          slackMs: SLACK_MS,
        },
      },
    )
  }
  return [
    {
      name: `failover-${cause}-${vip.address}`,
      drive: async lab => {
        const probe = service && (await startProbe(lab, plan, service, PROBE_RATE))
        await lab.sleep(BEFORE_MS)
        const heal = await lab.inject(fault, from)
        // a crashed MASTER keeps the VIP, so only the backup is looked at
        await lab.until(owner(to, []), bound.maxMs + PATIENCE_MS)
        await lab.sleep(AFTER_MS)
        await heal()
        await lab.until(owner(from, [to]), preempt.maxMs + PATIENCE_MS)
        await lab.sleep(AFTER_MS)
        await probe?.stop()
      },
      checks,
    },
  ]
}
