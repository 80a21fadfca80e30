import { seconds } from './bound.ts'
import type { KeepalivedRelease } from './keepalived.ts'
import type { Bound, HealthCheck, RealServer, VirtualService } from './types.ts'

/**
 * How a real server fails, as a check sees it:
 *
 * - `refused`: a reset at once, or for UDP an ICMP port unreachable, which the kernel may hold back (`icmp_ratelimit`: to
 *   one address 1 a second after 6 at once; net/ipv4/icmp.c icmpv4_xrlim_allow, inetpeer.c inet_peer_xrlim_allow)
 * - `silent`: the node answers nothing (cut link, frozen machine, firewall)
 * - `hanging`: the port takes connections, and the program behind it says nothing
 * - `wrong-answer`: an answer at once that the check does not take: another status, a pattern that does not match, an
 *   error of the protocol
 * - `one-url`: as `wrong-answer`, on one of the URLs of a web check
 * - `slow-drip`: the right answer, a byte at a time, each just in time
 */
export type ServerFailure = 'refused' | 'silent' | 'hanging' | 'wrong-answer' | 'one-url' | 'slow-drip'

/** A term with its numbers, and its value in ms. */
interface Term {
  text: string
  ms: number
}

const times = (count: number, what: string): string => (count === 1 ? what : `${count} x ${what}`)
const term = (count: number, name: string, ms: number): Term => ({
  text: times(count, `${name} ${seconds(ms)}`),
  ms: count * ms,
})
const sum = (terms: Term[]): { formula: string; maxMs: number } => {
  const taken = terms.filter(one => one.ms > 0)
  const maxMs = taken.reduce((total, one) => total + one.ms, 0)
  return { formula: `${taken.map(one => one.text).join(' + ') || 'at once'} = ${seconds(maxMs)}`, maxMs }
}

const isWeb = (check: HealthCheck): boolean => check.type === 'HTTP_GET' || check.type === 'SSL_GET'

/**
 * How long one attempt of a check takes to fail. A UDP refusal that is held back is silence: measured with three UDP checks of
 * one server, 3 of 47 refusals did not come, and all of 49 came with `icmp_ratelimit` 0.
 *
 * @returns undefined where the check does not see the failure, or nothing bounds it
 */
const attempt = (check: HealthCheck, failure: ServerFailure): Term | undefined => {
  const atOnce: Term = { text: 'at once', ms: 0 }
  const timeout = term(1, 'connect_timeout', check.connectTimeout)
  const asked: Partial<Record<ServerFailure, Term>> = { refused: atOnce, silent: timeout }
  const waited: Partial<Record<ServerFailure, Term>> = { refused: timeout, silent: timeout, hanging: timeout }
  switch (check.type) {
    case 'TCP_CHECK':
      return asked[failure]
    case 'HTTP_GET':
    case 'SSL_GET':
      return { ...asked, hanging: timeout, 'wrong-answer': atOnce, 'one-url': atOnce }[failure]
    case 'SMTP_CHECK':
      return { ...asked, hanging: timeout, 'wrong-answer': atOnce }[failure]
    case 'DNS_CHECK':
      return { ...waited, 'wrong-answer': atOnce }[failure]
    case 'PING_CHECK':
      return failure === 'silent' ? timeout : undefined
    case 'UDP_CHECK':
      if (failure === 'wrong-answer') return check.udp?.reply === undefined ? undefined : atOnce
      if (check.udp?.requireReply) return waited[failure]
      return failure === 'refused' ? atOnce : undefined // one that is held back passes: `mayMiss`
    case 'MISC_CHECK':
      return check.misc && term(1, 'misc_timeout', check.misc.timeout)
    case 'OTHER':
      return undefined
  }
}

const SOURCE: Record<HealthCheck['type'], string> = {
  HTTP_GET: 'keepalived check_http.c epilog',
  SSL_GET: 'keepalived check_http.c epilog',
  TCP_CHECK: 'keepalived check_tcp.c tcp_epilog',
  MISC_CHECK: 'keepalived check_misc.c misc_check_child_thread',
  PING_CHECK: 'keepalived check_ping.c icmp_epilog',
  UDP_CHECK: 'keepalived check_udp.c udp_epilog, layer4.c udp_socket_state',
  SMTP_CHECK: 'keepalived check_smtp.c smtp_final',
  DNS_CHECK: 'keepalived check_dns.c dns_final',
  OTHER: '',
}

/** A UDP_CHECK that needs no reply: only silence says that a datagram was not refused, so passing takes its timeout. */
const passesBySilence = (check: HealthCheck): boolean => check.type === 'UDP_CHECK' && !check.udp?.requireReply

/** Of refusals that are held back each one may be one that the check waits for. */
const mayMiss = (check: HealthCheck, failure: ServerFailure): boolean =>
  failure === 'refused' && check.udp?.refusalsHeldBack === true

/**
 * How long a check takes to pass, beyond what the answer takes on its way.
 *
 * @param urls of a web check: how many are still to be fetched after the first one, one in each `delay_loop`
 */
const passing = (check: HealthCheck, urls: number): Term[] => {
  if (passesBySilence(check)) return [term(1, 'connect_timeout', check.connectTimeout)]
  if (check.misc) return [term(1, 'misc_timeout', check.misc.timeout)]
  return isWeb(check) && !check.fastRecovery ? [term(urls, 'delay_loop', check.delayLoop)] : []
}

/**
 * How long a check may take to find a failed server: the pause before the next check, then `retry` + 1 failing attempts
 * with the retry delays between them. A web check fetches one URL in each `delay_loop`, so a single bad URL may have to
 * wait for its turn. A script is timed from the start of one run to the start of the next; it is presumed to look at
 * what failed, and one that withstands TERM takes 2 s more.
 *
 * @returns undefined where the check does not see the failure (TCP_CHECK a hanging program, UDP_CHECK without
 *   `require_reply` a silent node), nothing bounds it (`slow-drip`: the read timeout starts again with each read; refusals that
 *   are held back), or lvslab has no rule (BFD_CHECK, FILE_CHECK)
 */
export const checkDownBound = (check: HealthCheck, failure: ServerFailure): Bound | undefined => {
  const one = attempt(check, failure)
  if (!one || mayMiss(check, failure)) return undefined
  const { retry, delayLoop, delayBeforeRetry, misc } = check
  const pause = (count: number): Term => term(count, 'delay_before_retry', delayBeforeRetry)
  const terms: Term[] = []
  if (misc) {
    const longer = Math.max(delayLoop, misc.timeout)
    terms.push({ text: `max(delay_loop ${seconds(delayLoop)}, misc_timeout ${seconds(misc.timeout)})`, ms: longer })
    if (delayBeforeRetry > misc.timeout) terms.push(term(1, 'misc_timeout', misc.timeout), pause(retry))
    else terms.push(term(retry + 1, 'misc_timeout', misc.timeout))
  } else {
    terms.push(term(failure === 'one-url' ? Math.max(1, check.urls.length) : 1, 'delay_loop', delayLoop))
    if (passesBySilence(check)) terms.push(...passing(check, 0))
    if (one.ms > 0) terms.push(term(retry + 1, 'connect_timeout', check.connectTimeout))
    terms.push(pause(retry))
  }
  return { name: `${check.keyword} finds the server down`, ...sum(terms), source: SOURCE[check.type] }
}

/**
 * How long a check may take to find a server that is back. A web check first polls the URL that failed, then fetches
 * all of them, one in each `delay_loop` (`fast_recovery`: all at once). While a server is down SMTP_CHECK goes on with
 * its retries, TCP_CHECK of 2.2 too (2.2.7 check_tcp.c tcp_epilog counts them anew after each `delay_loop`), that of 2.3,
 * DNS_CHECK and MISC_CHECK do not; where it depends, the longer pause counts. After a failure that is found by waiting, one
 * attempt may still be doing so.
 *
 * @returns undefined where `checkDownBound` is; not where refusals are held back, as enough of them may have arrived
 */
export const checkUpBound = (
  check: HealthCheck,
  failure: ServerFailure,
  keepalived: KeepalivedRelease,
): Bound | undefined => {
  const one = attempt(check, failure)
  if (!one) return undefined
  const { delayLoop, delayBeforeRetry, misc } = check
  const longest = (name: string, ms: number): Term => ({
    text: `max(delay_loop ${seconds(delayLoop)}, ${name} ${seconds(ms)})`,
    ms: Math.max(delayLoop, ms),
  })
  const evenly = check.type === 'DNS_CHECK' || (check.type === 'TCP_CHECK' && keepalived !== '2.2')
  const poll = misc
    ? longest('misc_timeout', misc.timeout)
    : evenly
      ? term(1, 'delay_loop', delayLoop)
      : longest('delay_before_retry', delayBeforeRetry)
  const terms = [...(misc ? [] : [one]), poll, ...passing(check, Math.max(1, check.urls.length))]
  return { name: `${check.keyword} finds the server up`, ...sum(terms), source: SOURCE[check.type] }
}

/** keepalived waits this long before it begins to check, ms (check_api.c BOOTSTRAP_DELAY). */
const BOOTSTRAP_MS = 1000

const firstCheck = ({ warmup }: Pick<HealthCheck, 'warmup'>): Term[] => [
  term(1, 'bootstrap', BOOTSTRAP_MS),
  { text: `warmup up to ${seconds(warmup)}`, ms: warmup },
]

const FIRST = 'keepalived check_api.c register_checkers_thread, check_data.c validate_check_config'

/** How long after keepalived's start, or a reload, each check of some servers has begun. */
export const firstChecksBound = (servers: RealServer[]): Bound => ({
  name: 'each health check has begun by then',
  ...sum(firstCheck({ warmup: Math.max(0, ...servers.flatMap(({ checks }) => checks.map(one => one.warmup))) })),
  source: FIRST,
})

/**
 * How long after keepalived's start a server that is down already leaves the table: the first check alone decides,
 * without retries, except that of SMTP_CHECK, which makes them (measured with keepalived 2.3.3 and `retry 2`,
 * `delay_before_retry 1`: 5.8 s after the start, with a warmup of 3 s).
 *
 * @returns undefined with `alpha`, where it was never in, and where `checkDownBound` is undefined
 */
export const firstDownBound = (check: HealthCheck, failure: ServerFailure): Bound | undefined => {
  const one = attempt(check, failure)
  if (!one || check.alpha || mayMiss(check, failure)) return undefined
  const { retry, delayBeforeRetry } = check
  const again = check.type === 'SMTP_CHECK' ? retry : 0
  const attempts: Term[] = [
    again > 0 && one.ms > 0 ? term(again + 1, 'connect_timeout', one.ms) : one,
    term(again, 'delay_before_retry', delayBeforeRetry),
  ]
  const turns = failure === 'one-url' ? [term(Math.max(1, check.urls.length) - 1, 'delay_loop', check.delayLoop)] : []
  return {
    name: `${check.keyword} finds the server down at the start`,
    ...sum([...firstCheck(check), ...turns, ...attempts]),
    source: `${FIRST}; ${SOURCE[check.type]}`,
  }
}

/**
 * How long after keepalived's start a server with `alpha` comes into the table: when it has passed once.
 *
 * @returns undefined without `alpha`, where it is in from the start, and where lvslab has no rule
 */
export const firstUpBound = (check: HealthCheck): Bound | undefined =>
  check.alpha && check.type !== 'OTHER'
    ? {
        name: `${check.keyword} finds the server up at the start`,
        ...sum([...firstCheck(check), ...passing(check, Math.max(1, check.urls.length) - 1)]),
        source: `${FIRST}; ${SOURCE[check.type]}`,
      }
    : undefined

/**
 * The weight that `misc_dynamic` gives a server: exit code 0 its configured one, 2 to 255 the code less 2
 * (keepalived check_misc.c `misc_check_child_thread`).
 *
 * @param weight as configured
 * @returns undefined where the code is a failure: 1
 */
export const dynamicWeight = (weight: number, exitCode: number): number | undefined =>
  exitCode === 0 ? weight : exitCode === 1 ? undefined : exitCode - 2

const known = (bound: Bound | undefined): bound is Bound => bound !== undefined
const byMax = (a: Bound, b: Bound): number => a.maxMs - b.maxMs

/**
 * A failed real server leaves the table: any of its checks is enough, so the fastest one counts.
 *
 * @returns undefined for a server without a check that lvslab has a rule for
 */
export const serverDownBound = (server: RealServer, failure: ServerFailure): Bound | undefined => {
  const fastest = server.checks
    .map(check => checkDownBound(check, failure))
    .filter(known)
    .sort(byMax)[0]
  return fastest && { ...fastest, name: `real server ${server.address}:${server.port} out of the table` }
}

/**
 * A healed real server is in the table again: all checks that saw it fail must pass, so the slowest of them counts.
 *
 * @returns undefined where no check saw it, or one that lvslab has no rule for may have
 */
export const serverUpBound = (
  server: RealServer,
  failure: ServerFailure,
  keepalived: KeepalivedRelease,
): Bound | undefined => {
  if (server.checks.some(check => check.type === 'OTHER')) return undefined
  const slowest = server.checks
    .map(check => checkUpBound(check, failure, keepalived))
    .filter(known)
    .sort(byMax)
    .at(-1)
  return slowest && { ...slowest, name: `real server ${server.address}:${server.port} in the table again` }
}

/**
 * All real servers failed: the sorry server answers after the slowest of them is found down, and one request.
 *
 * @param requestMs how long a request of the probe may take, its step among it; ms
 * @returns undefined without a sorry server, or where a server's removal has no bound
 */
export const sorryBound = (service: VirtualService, failure: ServerFailure, requestMs: number): Bound | undefined => {
  const bounds = service.realServers.map(server => serverDownBound(server, failure))
  if (!service.sorryServer || !bounds.every(known)) return undefined
  const slowest = bounds.sort(byMax).at(-1)
  return (
    slowest && {
      name: `sorry server answers for ${service.name}`,
      formula: `${slowest.formula}, + ${seconds(requestMs)} for one request`,
      maxMs: slowest.maxMs + requestMs,
      source: `${slowest.source}; keepalived ipwrapper.c update_quorum_state`,
    }
  )
}

/**
 * All real servers are healed: those that reach the quorum first answer again after their checks passed, and one request.
 */
export const sorryEndsBound = (
  service: VirtualService,
  failure: ServerFailure,
  requestMs: number,
  keepalived: KeepalivedRelease,
): Bound | undefined => {
  let alive = 0
  const fastest = service.realServers
    .flatMap(server => {
      const bound = serverUpBound(server, failure, keepalived)
      return bound ? [{ bound, weight: server.weight }] : []
    })
    .sort((a, b) => byMax(a.bound, b.bound))
    .find(({ weight }) => (alive += weight) >= service.quorum + service.hysteresis)?.bound
  return (
    fastest && {
      name: `a real server answers for ${service.name} again`,
      formula: `${fastest.formula}, + ${seconds(requestMs)} for one request`,
      maxMs: fastest.maxMs + requestMs,
      source: `${fastest.source}; keepalived ipwrapper.c update_quorum_state`,
    }
  )
}
