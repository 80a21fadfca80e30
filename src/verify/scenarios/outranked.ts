import type { GroupMember } from '../../model/pair.ts'
import type { Bound, VrrpInstance } from '../../model/types.ts'
import type { Plan } from '../plan.ts'
import type { Cause, Pair } from './failover.ts'

/** An instance as it is configured: the members of a planned VIP have the priority with all that they track. */
export const configured = (plan: Plan, { node, instance }: GroupMember): VrrpInstance =>
  plan.configs.find(config => config.node === node)?.instances.find(one => one.name === instance.name) ?? instance

export const OWNERLESS = 'VIP without an owner'

/** A MASTER whose priority has gone down keeps the VIP until it hears the next one. */
const KEPT: Bound = {
  name: OWNERLESS,
  formula: '0 s: an outranked MASTER keeps it until it hears the new one',
  maxMs: 0,
  source: 'RFC 3768 6.4.3; keepalived vrrp.c vrrp_state_master_rx',
}

/**
 * What is judged when something with a weight fails on the MASTER; or why the VIP stays there, or nobody knows.
 *
 * @param from the MASTER as it is configured
 * @param left its priority then
 * @param predicted undefined where the VIP does not move
 */
export const outranked = (
  [master, backup]: Pair,
  { syncGroup }: VrrpInstance,
  left: number,
  { bound, preempt }: { bound: Bound | undefined; preempt: Bound | undefined },
): Pick<Cause, 'bound' | 'noneBound' | 'preempt'> | string => {
  if (syncGroup !== undefined) return `what its weight does in the sync group ${syncGroup} is not predicted`
  if (bound && preempt) return { bound, noneBound: KEPT, preempt }
  const { priority, preempt: preempts } = backup.instance
  return preempts || priority <= left
    ? `the VIP stays: ${master.node} goes down to priority ${left}, and ${backup.node} has ${priority}`
    : `the VIP stays: ${backup.node} has nopreempt`
}
