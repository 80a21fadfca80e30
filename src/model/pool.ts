import type { RealServer, VirtualService } from './types.ts'

/** What a service's table depends on. */
export type PooledService = Pick<VirtualService, 'quorum' | 'hysteresis' | 'sorryServer' | 'realServers'>

/** A service as keepalived's checker process sees it. */
export interface Pool {
  /** Real servers that pass their checks, as `address:port`. */
  alive: string[]
  /** Weights that differ from the configured ones (`misc_dynamic`, tracked files), by `address:port`. */
  weights: Record<string, number>
  quorumUp: boolean
  /** The sorry server stands in for the real servers. */
  sorry: boolean
}

/** What happens to one real server. */
export type PoolChange = { server: string; alive: boolean } | { server: string; weight: number }

/** `10.0.0.10:80`, as tables and logs call it. */
export const serverKey = (server: Pick<RealServer, 'address' | 'port'>): string => `${server.address}:${server.port}`

const WEIGHT_LIMIT = 65_535

const weightOf = (pool: Pick<Pool, 'weights'>, server: RealServer): number =>
  Math.max(0, Math.min(WEIGHT_LIMIT, pool.weights[serverKey(server)] ?? server.weight))

const aliveWeight = (service: PooledService, pool: Pick<Pool, 'alive' | 'weights'>): number =>
  service.realServers
    .filter(server => pool.alive.includes(serverKey(server)))
    .reduce((total, server) => total + weightOf(pool, server), 0)

/**
 * Quorum is gained at `quorum` + `hysteresis` of the weights that are alive, and lost below `quorum` - `hysteresis`, or
 * with none. In between everything stays as it was (keepalived ipwrapper.c `update_quorum_state`).
 */
const judgeQuorum = (service: PooledService, pool: Omit<Pool, 'sorry'>): Pool => {
  const weight = aliveWeight(service, pool)
  const { quorum, hysteresis } = service
  const quorumUp = pool.quorumUp ? weight > 0 && weight >= quorum - hysteresis : weight >= quorum + hysteresis
  return { ...pool, quorumUp, sorry: !quorumUp && service.sorryServer !== undefined }
}

/**
 * A service when keepalived has started: all servers are alive, except those with a check in `alpha` mode. Quorum has to
 * be gained first, so below `quorum` + `hysteresis` a service starts with its sorry server (keepalived ipwrapper.c
 * `set_quorum_states`, `init_service_vs`).
 */
export const startPool = (service: PooledService): Pool => {
  const alive = service.realServers.filter(server => !server.checks.some(check => check.alpha)).map(serverKey)
  return judgeQuorum(service, { alive, weights: {}, quorumUp: false })
}

/** A service after a real server's checks have changed their mind, or its weight has changed. */
export const changePool = (service: PooledService, pool: Pool, change: PoolChange): Pool => {
  if ('weight' in change)
    return judgeQuorum(service, { ...pool, weights: { ...pool.weights, [change.server]: change.weight } })
  const others = pool.alive.filter(server => server !== change.server)
  return judgeQuorum(service, { ...pool, alive: change.alive ? [...others, change.server] : others })
}

/**
 * What stands in the IPVS table, weight by destination. A server that failed is deleted, or with `inhibit_on_failure` has
 * the weight 0. With the sorry server in, the real servers are out, those alive too; without one they stay although
 * quorum is lost (keepalived ipwrapper.c `perform_svr_state`, `perform_quorum_state`).
 */
export const poolTable = (service: PooledService, pool: Pool): Record<string, number> => {
  const table: Record<string, number> = {}
  for (const server of service.realServers) {
    const key = serverKey(server)
    if (pool.alive.includes(key) && !pool.sorry) table[key] = weightOf(pool, server)
    else if (server.inhibitOnFailure) table[key] = 0
  }
  if (pool.sorry && service.sorryServer) table[serverKey(service.sorryServer)] = 1
  return table
}
