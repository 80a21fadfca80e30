import type { Bound } from './types.ts'

/**
 * When the members of a sync group move, from when each would by itself: none becomes MASTER before all of them are due, so
 * the last one's time holds for all. The other director's goodbyes, or its silence, may reach each by its own link.
 *
 * @param bounds of the members: where the MASTER's link of one goes down, `linkDownBound` of that one, and `stopBound` of the
 *   others, which the MASTER takes to FAULT with a goodbye
 */
export const syncedBound = (bounds: readonly [Bound, ...Bound[]]): Bound => {
  const [first, ...others] = bounds
  if (others.length === 0) return first
  const formulas = [...new Set(bounds.map(bound => bound.formula))]
  return {
    name: first.name,
    formula: formulas.length === 1 ? first.formula : `the last of: ${formulas.join('; ')}`,
    minMs: Math.max(...bounds.map(bound => bound.minMs ?? 0)),
    maxMs: Math.max(...bounds.map(bound => bound.maxMs)),
    source: `${first.source}; keepalived vrrp_sync.c vrrp_sync_can_goto_master`,
  }
}
