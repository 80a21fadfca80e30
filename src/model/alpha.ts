import { seconds } from './bound.ts'
import { firstUpBound } from './health-check.ts'
import type { Bound, RealServer, VirtualService } from './types.ts'

const byMax = (a: Bound, b: Bound): number => a.maxMs - b.maxMs

/** Whether a real server is out of the pool when keepalived has started: a check in `alpha` mode counts as failed until it has passed. */
const startsOut = ({ checks }: RealServer): boolean => checks.some(check => check.alpha)

/**
 * How long after keepalived's start a real server that lives is in the pool: when the slowest of its checks in `alpha` mode has
 * passed once.
 *
 * @returns undefined where lvslab has no rule for one of them; 0 s for one that is in from the start
 */
export const startUpBound = (server: RealServer): Bound | undefined => {
  if (!startsOut(server)) return { name: 'in the pool from the start', formula: '0 s', maxMs: 0, source: '' }
  const bounds = server.checks.filter(check => check.alpha).map(firstUpBound)
  return bounds.every(bound => bound !== undefined) ? bounds.toSorted(byMax).at(-1) : undefined
}

/**
 * How long clients may miss an answer when a director takes the VIP back after keepalived was started there. With `alpha` its pool
 * is empty until the first check of a real server has passed, which may be after it holds the VIP. A sorry server stands in
 * meanwhile. A reload keeps what the checks have found.
 *
 * @param handover what clients miss where the pool is whole
 * @param servers those of the service that live
 * @param earliestMs from keepalived's start until it takes the VIP, at the earliest
 * @returns undefined where no time is known for any of them
 */
export const startGapBound = (
  handover: Bound,
  { sorryServer }: Pick<VirtualService, 'sorryServer'>,
  servers: readonly RealServer[],
  earliestMs: number,
): Bound | undefined => {
  const serving = servers.filter(({ weight }) => weight > 0)
  if (sorryServer || serving.length === 0) return handover
  const first = serving
    .map(startUpBound)
    .filter(up => up !== undefined)
    .toSorted(byMax)[0]
  if (!first) return undefined
  const maxMs = first.maxMs - earliestMs
  if (maxMs <= handover.maxMs) return handover
  return {
    name: 'clients without an answer until a first check passes (alpha)',
    formula: `${first.formula}, less ${seconds(earliestMs)} until it takes the VIP = ${seconds(maxMs)}`,
    maxMs,
    source: `${first.source}; keepalived ipwrapper.c init_service_rs`,
  }
}
