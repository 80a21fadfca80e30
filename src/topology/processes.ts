import type { Role } from './types.ts'

export { PROCESS_NAME } from '../model/looks-for.ts'

/** Without one of these, a node ends: its first process, and what that waits for. */
export const VITAL_PROCESSES = ['lvslab-init', 'sh', 'sleep']

/** What a node of a role runs without being asked: of another process of that name nobody could tell it. */
export const OWN_PROCESSES: Record<Role, string[]> = {
  director: [...VITAL_PROCESSES, 'keepalived', 'ldirectord', 'nginx'],
  realserver: [...VITAL_PROCESSES, 'apache2'],
  client: VITAL_PROCESSES,
  router: VITAL_PROCESSES,
}
