import type { Condition } from '../../agent/protocol.ts'
import { claims } from '../../judge/garp.ts'
import type { PlannedCheck } from '../../judge/rules.ts'
import type { Heal } from '../../lab/faults/inject.ts'
import type { FaultName } from '../../lab/faults/registry.ts'
import type { Lab } from '../../lab/lab.ts'
import { withSlack } from '../../model/bound.ts'
import type { GroupMember } from '../../model/pair.ts'
import type { Bound } from '../../model/types.ts'
import { handoverBound } from '../../model/vrrp.ts'
import type { Plan, PlannedVip } from '../plan.ts'
import { PATIENCE_MS, type Scenario, SLACK_MS } from '../scenario.ts'
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

/** The expected MASTER of a VIP, and who takes it over. */
export type Pair = [master: GroupMember, backup: GroupMember]

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
  /** Of the probe, requests/s. */
  rate: number
  bound: Bound
  preempt: Bound
  /** What clients may miss when the VIP goes back; where nobody knows, that is not judged. */
  gapBound?: Bound
}

/** The VIP is taken over when it must be, goes back when it must, and is announced. */
export const failover = (plan: Plan, vip: PlannedVip, [master, backup]: Pair, cause: Cause): Scenario => {
  const { id, fault, what, where, returns, rate, bound, preempt, gapBound } = cause
  const service = plan.services.find(one => one.vip === vip)
  const directors = vip.members.map(m => m.node)
  const watch = service ? { watch: { probe: PROBE, stepMs: 1000 / rate } } : {}
  const [from, to] = [master.node, backup.node]
  const owner = (node: string, others: string[]): Condition => ({ kind: 'owner', address: vip.address, node, others })
  const checks: PlannedCheck[] = [
    {
      check: `failover-${id}`,
      title: `${to} takes over the VIP ${vip.address} after ${what} ${where}`,
      rule: 'failover',
      params: { vip: vip.address, directors, from, to, fault, bound, slackMs: SLACK_MS, ...watch },
    },
    {
      check: `preemption-${id}`,
      title: `${from} takes the VIP ${vip.address} back when ${returns} after ${what}`,
      rule: 'preemption',
      params: {
        ...{ vip: vip.address, directors, to: from, fault, bound: preempt, slackMs: SLACK_MS, ...watch },
        ...(gapBound && { gapBound }),
      },
    },
    {
      check: `single-owner-${id}`,
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
        check: `garp-${id}`,
        title: `whoever takes the VIP ${vip.address} announces it by ${claims(vip.address)}, after ${what}`,
        rule: 'garp',
        // garp_master_repeat may be anything from 1 on
        params: { vip: vip.address, directors, count: 1, slackMs: SLACK_MS },
      },
      {
        check: `silent-backup-${id}`,
        title: `only the MASTER of ${vip.address} sends adverts, around ${what}`,
        rule: 'silent-backup',
        params: {
          ...{ vip: vip.address, directors, vrid: master.instance.virtualRouterId, network: vip.network },
          slackMs: SLACK_MS,
        },
      },
    )
  }
  return {
    name: `failover-${id}-${vip.address}`,
    group: 'failover',
    drive: async lab => {
      const probe = service && (await startProbe(lab, plan, service, rate))
      await lab.sleep(BEFORE_MS)
      const heal = await cause.inject(lab)
      // a crashed MASTER keeps the VIP, so only the backup is looked at
      await lab.until(owner(to, []), bound.maxMs + PATIENCE_MS)
      await lab.sleep(AFTER_MS)
      await heal()
      await lab.until(owner(from, [to]), preempt.maxMs + PATIENCE_MS)
      await lab.sleep(AFTER_MS)
      await probe?.stop()
    },
    checks,
  }
}
