import { seconds } from './bound.ts'
import type { Bound, HealthCheck, RealServer, VirtualService } from './types.ts'

/**
 * How a real server fails, as a check sees it: `refused` answers with a reset at once, `silent` not at all (cut link,
 * frozen node), `one-url` answers, but wrongly on one of the URLs.
 */
export type ServerFailure = 'refused' | 'silent' | 'one-url'

const times = (count: number, what: string): string => (count === 1 ? what : `${count} x ${what}`)
const isWeb = (check: HealthCheck): boolean => check.type === 'HTTP_GET' || check.type === 'SSL_GET'

/**
 * How long a check may take to find a failed server: the pause before the next check, then `retry` + 1 failing attempts
 * with the retry delays between them. A web check fetches one URL in each `delay_loop`, so a single bad URL may have to
 * wait for its turn. A server that answers in drips is not bounded: the read timeout starts again with each read.
 *
 * @returns undefined where lvslab has no rule (MISC_CHECK, SMTP_CHECK...)
 */
export const checkDownBound = (check: HealthCheck, failure: ServerFailure): Bound | undefined => {
  if (check.type === 'OTHER') return undefined
  const rounds = failure === 'one-url' ? Math.max(1, check.urls.length) : 1
  const attempts = failure === 'silent' ? check.retry + 1 : 0
  const maxMs = rounds * check.delayLoop + attempts * check.connectTimeout + check.retry * check.delayBeforeRetry
  const terms = [times(rounds, `delay_loop ${seconds(check.delayLoop)}`)]
  if (attempts > 0) terms.push(times(attempts, `connect_timeout ${seconds(check.connectTimeout)}`))
  if (check.retry > 0) terms.push(times(check.retry, `delay_before_retry ${seconds(check.delayBeforeRetry)}`))
  return {
    name: `${check.keyword} finds the server down`,
    formula: `${terms.join(' + ')} = ${seconds(maxMs)}`,
    maxMs,
    source: isWeb(check) ? 'keepalived check_http.c epilog' : 'keepalived check_tcp.c tcp_epilog',
  }
}

/**
 * How long a check may take to find a server that is back. A web check first polls the URL that failed, then fetches
 * all of them, one in each `delay_loop` (`fast_recovery`: all at once). TCP_CHECK before 2.3.3 goes on with its retry
 * delays while the server is down, later ones do not; the longer of the two holds for both. After a silent failure one
 * attempt may still be waiting for its timeout.
 *
 * @returns undefined where lvslab has no rule
 */
export const checkUpBound = (check: HealthCheck, failure: ServerFailure): Bound | undefined => {
  if (check.type === 'OTHER') return undefined
  const poll = Math.max(check.delayLoop, check.delayBeforeRetry)
  const rounds = isWeb(check) && !check.fastRecovery ? Math.max(1, check.urls.length) : 0
  const hanging = failure === 'silent' ? check.connectTimeout : 0
  const maxMs = hanging + poll + rounds * check.delayLoop
  const terms = [`max(delay_loop ${seconds(check.delayLoop)}, delay_before_retry ${seconds(check.delayBeforeRetry)})`]
  if (hanging > 0) terms.unshift(`connect_timeout ${seconds(hanging)}`)
  if (rounds > 0) terms.push(times(rounds, `delay_loop ${seconds(check.delayLoop)}`))
  return {
    name: `${check.keyword} finds the server up`,
    formula: `${terms.join(' + ')} = ${seconds(maxMs)}`,
    maxMs,
    source: isWeb(check) ? 'keepalived check_http.c epilog' : 'keepalived check_tcp.c tcp_epilog',
  }
}

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

/** A healed real server is in the table again: all of its checks must pass, so the slowest one counts. */
export const serverUpBound = (server: RealServer, failure: ServerFailure): Bound | undefined => {
  const bounds = server.checks.map(check => checkUpBound(check, failure))
  if (!bounds.every(known)) return undefined
  const slowest = bounds.sort(byMax).at(-1)
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

/** All real servers are healed: the first of them answers again after its checks passed, and one request. */
export const sorryEndsBound = (
  service: VirtualService,
  failure: ServerFailure,
  requestMs: number,
): Bound | undefined => {
  const fastest = service.realServers
    .map(server => serverUpBound(server, failure))
    .filter(known)
    .sort(byMax)[0]
  return (
    fastest && {
      name: `a real server answers for ${service.name} again`,
      formula: `${fastest.formula}, + ${seconds(requestMs)} for one request`,
      maxMs: fastest.maxMs + requestMs,
      source: `${fastest.source}; keepalived ipwrapper.c update_quorum_state`,
    }
  )
}
