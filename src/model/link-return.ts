import type { Bound } from './types.ts'

/**
 * How long clients may miss an answer when a director takes the VIP back after its link was down. Its health checks went on
 * meanwhile, and found the real servers behind that link dead: it may hold the VIP again before they have found one alive.
 *
 * @param handover what clients miss where the pool is whole
 * @param ups when each of the real servers behind the link is in the table again, `serverUpBound`
 * @returns undefined where no time is known for any of them
 */
export const linkReturnGapBound = (handover: Bound, ups: readonly (Bound | undefined)[]): Bound | undefined => {
  if (ups.length === 0) return handover
  const first = ups.filter(up => up !== undefined).sort((a, b) => a.maxMs - b.maxMs)[0]
  if (!first) return undefined
  if (first.maxMs <= handover.maxMs) return handover
  return {
    name: 'clients without an answer after the return of the link',
    formula: `until a health check finds one up again: ${first.formula}`,
    maxMs: first.maxMs,
    source: `${first.source}; keepalived check_daemon.c: checks go on without the VIP`,
  }
}
