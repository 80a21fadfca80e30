import type { GroupMember } from '../../model/pair.ts'
import type { Bound, VrrpInstance } from '../../model/types.ts'
import type { PlannedVip } from '../plan.ts'
import type { Cause } from './failover.ts'

export const OWNERLESS = 'VIP without an owner'

/** A MASTER whose priority has gone down keeps the VIP until it hears the next one, which speaks before it has it: some ms. */
const KEPT: Bound = {
  name: OWNERLESS,
  formula: '0 s: an outranked MASTER keeps it until the new one speaks',
  maxMs: 0,
  source: 'RFC 3768 6.4.3; keepalived vrrp.c vrrp_state_master_rx',
}

/**
 * What is judged when something with a weight fails on the MASTER; or why the VIP stays there, or nobody knows.
 *
 * @param from the MASTER as it is configured
 * @param left its priority then
 * @param predicted undefined where the second of the election does not take the VIP
 */
export const outranked = (
  { members: [master, backup, ...others] }: PlannedVip,
  { syncGroup }: VrrpInstance,
  left: number,
  predicted: { bound: Bound | undefined; preempt: Bound | undefined },
): Required<Pick<Cause, 'bound' | 'noneBound' | 'preempt'>> | string => {
  if (syncGroup !== undefined) return `what its weight does in the sync group ${syncGroup} is not predicted`
  const { bound, preempt } = predicted
  if (bound && preempt) return { bound, noneBound: KEPT, preempt }
  const takes = ({ instance }: GroupMember): boolean => instance.preempt && instance.priority > left
  const other = others.find(takes)
  if (other) return `${backup?.node} leaves it to ${other.node}, which is not predicted`
  return backup && backup.instance.priority > left
    ? `the VIP stays: ${backup.node} has nopreempt`
    : `the VIP stays: ${master?.node} has priority ${left} then, and ${backup?.node} ${backup?.instance.priority}`
}
