import { isIPv4 } from 'node:net'
import { addressNumber, canonical } from './address.ts'
import { seconds } from './bound.ts'
import { TCP_TIMEOUTS } from './ipvs-defaults.ts'
import type { Bound, ForwardingMethod, VirtualService } from './types.ts'

/** What a template's timer is put to when it expires while a connection of its client is still in the table, ms. */
const PUT_OFF_MS = 60_000

const SOURCE = 'Linux net/netfilter/ipvs/ip_vs_conn.c ip_vs_conn_expire'

/**
 * When the kernel lets go of a client after its last new connection. The template's timer is `persistence_timeout`,
 * restarted by each new connection and by nothing else. If it runs out while an entry of one of the connections is left,
 * it is put off, by 60 s each time.
 *
 * @param timeout ms, the timer that the template has: `persistence_timeout`, or 60 s once it has been put off
 * @param lastEntry ms after the last new connection at which the last connection entry is gone; an entry outlives its
 *   connection, by 120 s in DR, TUN and NAT (see `ipvs-defaults.ts`)
 */
export const templateRelease = (timeout: number, lastEntry: number): number =>
  timeout + PUT_OFF_MS * Math.ceil(Math.max(0, lastEntry - timeout) / PUT_OFF_MS)

/**
 * The timer that the template has at the client's next connection: 60 s for good once it has been put off.
 *
 * @param timeout ms, the timer that it had
 * @param lastEntry as of `templateRelease`
 */
export const templateTimeout = (timeout: number, lastEntry: number): number =>
  lastEntry > timeout ? PUT_OFF_MS : timeout

/** How late the kernel's timer wheel may be, as a part of the timer (kernel/time/timer.c: "an error of 12.5%"). */
const WHEEL_LATE = 1 / 8

/** `templateRelease` as a bound: never sooner, later by what the kernel's timer wheel is late. */
export const releaseBound = (timeout: number, lastEntry: number): Bound => {
  const ms = templateRelease(timeout, lastEntry)
  const puts = (ms - timeout) / PUT_OFF_MS
  const more = puts > 0 ? ` + ${puts} x 60 s while entries are left, up to ${seconds(lastEntry)}` : ''
  return {
    name: 'a persistent client is free again after its last new connection',
    formula: `persistence_timeout ${seconds(timeout)}${more} = ${seconds(ms)}, + up to 1/8 by the kernel's timer wheel`,
    minMs: ms,
    maxMs: ms * (1 + WHEEL_LATE),
    source: SOURCE,
  }
}

/**
 * `releaseBound` of a client whose TCP connections are all closed: their entries are gone 120 s after they were (FIN_WAIT in DR
 * and TUN, which `lvs_timeouts` changes, TIME_WAIT in NAT), and that timer may be late as well. Those of UDP are gone 300 s after
 * their last datagram, and with `ops` there are none.
 *
 * @param timeout ms
 * @param lastedMs how long its last connection may have lasted, ms
 * @param finWait ms
 * @param udp ms; of a service by UDP alone
 */
export const idleReleaseBound = (
  timeout: number,
  lastedMs: number,
  {
    servers,
    finWait = TCP_TIMEOUTS.FIN_WAIT,
    udp,
  }: { servers: { forwarding: ForwardingMethod }[]; finWait?: number | undefined; udp?: number | undefined },
): Bound => {
  const closed = servers.map(({ forwarding }) => udp ?? (forwarding === 'NAT' ? TCP_TIMEOUTS.TIME_WAIT : finWait))
  const latest = releaseBound(timeout, lastedMs + Math.max(...closed) * (1 + WHEEL_LATE))
  return { ...latest, minMs: templateRelease(timeout, Math.min(...closed)) }
}

/**
 * The clients that share a template with this one: their address, masked by `persistence_granularity` (`ipvsadm -M`, ip_vs_core.c
 * `ip_vs_sched_persist`), as ipvsadm prints it.
 *
 * @param prefix length in bits; without it, each address stands for itself
 */
export const clientGroup = (address: string, prefix: number | undefined): string => {
  if (prefix === undefined) return address
  const four = isIPv4(address)
  const bits = four ? 32 : 128
  const masked = (addressNumber(address) >> BigInt(bits - prefix)) << BigInt(bits - prefix)
  const parts = Array.from({ length: four ? 4 : 8 }, (_, n) => {
    const size = four ? 8n : 16n
    return (masked >> (size * BigInt((four ? 3 : 7) - n))) & ((1n << size) - 1n)
  })
  return four ? parts.join('.') : canonical(parts.map(part => part.toString(16)).join(':'))
}

/** Whether two clients are sent to the same server while a template of one of them lives. */
export const shareTemplate = (service: Pick<VirtualService, 'persistencePrefix'>, a: string, b: string): boolean =>
  clientGroup(a, service.persistencePrefix) === clientGroup(b, service.persistencePrefix)

/**
 * Whether a new connection of a persistent client still goes to the server of its template. A deleted server makes the
 * template invalid; weight 0 (`inhibit_on_failure`, a quiesced server) does so only with `expire_quiescent_template`
 * (Linux net/netfilter/ipvs/ip_vs_conn.c `ip_vs_check_template`).
 */
export const templateHolds = (
  server: { inTable: boolean; weight: number },
  sysctls: { expire_quiescent_template: number },
): boolean => server.inTable && (server.weight > 0 || sysctls.expire_quiescent_template === 0)
