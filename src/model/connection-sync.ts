import { seconds } from './bound.ts'
import { IPVS_SYSCTLS } from './ipvs-defaults.ts'
import type { Bound } from './types.ts'

/**
 * Packet of a client with which its connection is told to the backup: the third, which of a TCP connection is the first data
 * after SYN and ACK (sysctl sync_threshold; net/netfilter/ipvs/ip_vs_sync.c `ip_vs_sync_conn_needed`).
 */
export const SYNC_THRESHOLD = Number(IPVS_SYSCTLS['sync_threshold']?.split(' ')[0])

/** What is to be told is kept until a message is full, or this old, ms (include/net/ip_vs.h IPVS_SYNC_FLUSH_TIME). */
export const SYNC_FLUSH_MS = 2000

/** The daemon looks so often for one that is old enough, ms (include/net/ip_vs.h IPVS_SYNC_CHECK_PERIOD). */
const SYNC_CHECK_MS = 1000

/**
 * When the connection synchronisation daemon of the backup knows a connection, from the packet of {@link SYNC_THRESHOLD} on. A
 * connection that is the only one to be told is not told before {@link SYNC_FLUSH_MS}; one that comes to others leaves with
 * them. Those that are still kept when the MASTER's daemon is stopped are told to nobody.
 */
export const CONNECTION_SYNC_BOUND: Bound = {
  name: 'a connection is known to the backup',
  formula: `flush ${seconds(SYNC_FLUSH_MS)} + check ${seconds(SYNC_CHECK_MS)} = ${seconds(SYNC_FLUSH_MS + SYNC_CHECK_MS)}`,
  maxMs: SYNC_FLUSH_MS + SYNC_CHECK_MS,
  source: 'net/netfilter/ipvs/ip_vs_sync.c next_sync_buff, sync_thread_master',
}
