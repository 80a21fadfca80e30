import type { HealthCheck, Notice } from '../../model/types.ts'
import { keyword, type Statement } from './parse.ts'
import { all, argument, duration, flag, integer, last, note } from './values.ts'

/** Timing that a `virtual_server` or `real_server` sets for the checks inside it; ms, undefined where it sets none. */
export interface CheckDefaults {
  delayLoop: number | undefined
  connectTimeout: number | undefined
  retry: number | undefined
  delayBeforeRetry: number | undefined
  warmup: number | undefined
}

const CHECKERS = [
  'HTTP_GET',
  'SSL_GET',
  'TCP_CHECK',
  'SMTP_CHECK',
  'DNS_CHECK',
  'MISC_CHECK',
  'BFD_CHECK',
  'UDP_CHECK',
  'PING_CHECK',
  'FILE_CHECK',
]

const ignored = { otherwise: 'ignores the line', lenient: true }
const MAX_SECONDS = 4_294

/** The timing lines that stand directly in a block. `minRetry` is 1 in a service or server, 0 in a check. */
export const readTiming = (block: Statement[], minRetry: 0 | 1, notices: Notice[]): CheckDefaults => {
  const time = (name: string, min: number): number | undefined => {
    const line = last(block, name)
    return line && duration(line, { min, max: MAX_SECONDS, ...ignored }, notices)
  }
  const retry = last(block, 'retry', 'nb_get_retry')
  return {
    delayLoop: time('delay_loop', 0.000001),
    connectTimeout: time('connect_timeout', 0.000001),
    retry: retry && integer(retry, { min: minRetry, max: 2 ** 32 - 1, ...ignored }, notices),
    delayBeforeRetry: time('delay_before_retry', 0),
    warmup: time('warmup', 0),
  }
}

/** What stands in `inner`, and what stands in `outer` where `inner` says nothing. */
export const mergeTiming = (inner: CheckDefaults, outer: CheckDefaults): CheckDefaults => ({
  delayLoop: inner.delayLoop ?? outer.delayLoop,
  connectTimeout: inner.connectTimeout ?? outer.connectTimeout,
  retry: inner.retry ?? outer.retry,
  delayBeforeRetry: inner.delayBeforeRetry ?? outer.delayBeforeRetry,
  warmup: inner.warmup ?? outer.warmup,
})

/**
 * The checks of one `real_server`. Defaults: delay_loop 60 s, connect_timeout 5 s, retry 1 (MISC_CHECK 0, DNS_CHECK 3),
 * delay_before_retry 1 s (HTTP_GET and SSL_GET 3 s, DNS_CHECK delay_loop), warmup delay_loop
 * (keepalived check_data.c `validate_check_config`, check_http.c, check_tcp.c, check_dns.c).
 */
export const readChecks = (block: Statement[], server: CheckDefaults, notices: Notice[]): HealthCheck[] =>
  all(block, ...CHECKERS).map(statement => {
    const name = keyword(statement)
    const web = name === 'HTTP_GET' || name === 'SSL_GET'
    const inner = statement.block ?? []
    const old = last(inner, 'nb_get_retry')
    if (old && !web) note(notices, old, `nb_get_retry is not known in ${name}; keepalived ignores it`)

    const timing = mergeTiming(readTiming(old && !web ? inner.filter(line => line !== old) : inner, 0, notices), server)
    const delayLoop = timing.delayLoop ?? 60_000
    return {
      type: web || name === 'TCP_CHECK' ? name : 'OTHER',
      keyword: name,
      connectTimeout: timing.connectTimeout ?? 5000,
      retry: timing.retry ?? (name === 'MISC_CHECK' ? 0 : name === 'DNS_CHECK' ? 3 : 1),
      delayBeforeRetry: timing.delayBeforeRetry ?? (web ? 3000 : name === 'DNS_CHECK' ? delayLoop : 1000),
      delayLoop,
      warmup: timing.warmup ?? delayLoop,
      urls: web ? readUrls(inner, notices) : [],
      fastRecovery: (web && flag(last(inner, 'fast_recovery'), notices)) || false,
      at: statement.at,
    }
  })

const readUrls = (block: Statement[], notices: Notice[]): { path: string; statusCode?: string }[] =>
  all(block, 'url').flatMap(url => {
    const path = last(url.block ?? [], 'path')
    if (!path) {
      note(notices, url, 'this url has no path; keepalived ignores it')
      return []
    }
    const status = last(url.block ?? [], 'status_code')
    const codes = status?.words
      .slice(1)
      .map(word => word.text)
      .join(' ')
    return [{ path: argument(path), ...(codes ? { statusCode: codes } : {}) }]
  })
