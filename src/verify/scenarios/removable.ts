import type { Bound } from '../../model/types.ts'
import type { Plan, PlannedServer, PlannedService } from '../plan.ts'
import { crashBounds, unseen } from './seen.ts'

/** When a real server whose port refuses leaves the table, and when it is back. */
export interface RemovalBounds {
  downBound: Bound
  upBound: Bound
}

/** The bounds of a real server's removal and return; the reason where there are none, or where it would show nothing. */
export const removalOf = (
  plan: Pick<Plan, 'keepalived'>,
  planned: PlannedService,
  one: PlannedServer,
): RemovalBounds | { why: string } => {
  const { server } = one
  const { servers } = planned
  const { downBound, upBound } = crashBounds(plan, planned, server)
  if (!downBound || !upBound) {
    const why = server.checks.length
      ? `no bound is known for ${server.checks.map(c => c.keyword).join(', ')}`
      : 'it has no health check'
    return { why: unseen(planned, [one]) ?? why }
  }
  if (server.weight === 0) return { why: 'its weight is 0' }
  if (servers.length < 2) return { why: 'it is the only real server' }
  return { downBound, upBound }
}
