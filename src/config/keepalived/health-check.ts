import type { Checker, HealthCheck, Notice } from '../../model/types.ts'
import {
  readAlpha,
  readConnection,
  readDns,
  readMisc,
  readSmtp,
  readUdp,
  readUrls,
  smtpConnections,
} from './check-options.ts'
import { keyword, type Statement } from './parse.ts'
import { all, duration, flag, integer, last, note } from './values.ts'

/** Timing that a `virtual_server` or `real_server` sets for the checks inside it; ms, undefined where it sets none. */
export interface CheckDefaults {
  delayLoop: number | undefined
  connectTimeout: number | undefined
  retry: number | undefined
  delayBeforeRetry: number | undefined
  warmup: number | undefined
  alpha: boolean | undefined
  /** `delay_loop` of the service itself, which a script may run for; set there only. */
  serviceDelayLoop?: number | undefined
}

const CHECKERS: readonly Checker[] = [
  'HTTP_GET',
  'SSL_GET',
  'TCP_CHECK',
  'MISC_CHECK',
  'PING_CHECK',
  'UDP_CHECK',
  'SMTP_CHECK',
  'DNS_CHECK',
]
const KEYWORDS = [...CHECKERS, 'BFD_CHECK', 'FILE_CHECK']
const isChecker = (name: string): name is Checker => CHECKERS.some(checker => checker === name)

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
    alpha: readAlpha(block, notices),
  }
}

/** What stands in `inner`, and what stands in `outer` where `inner` says nothing. */
export const mergeTiming = (inner: CheckDefaults, outer: CheckDefaults): CheckDefaults => ({
  delayLoop: inner.delayLoop ?? outer.delayLoop,
  connectTimeout: inner.connectTimeout ?? outer.connectTimeout,
  retry: inner.retry ?? outer.retry,
  delayBeforeRetry: inner.delayBeforeRetry ?? outer.delayBeforeRetry,
  warmup: inner.warmup ?? outer.warmup,
  alpha: inner.alpha ?? outer.alpha,
  serviceDelayLoop: outer.serviceDelayLoop,
})

/**
 * The checks of one `real_server`. Defaults: delay_loop 60 s, connect_timeout 5 s, retry 1 (MISC_CHECK 0, DNS_CHECK 3),
 * delay_before_retry 1 s (HTTP_GET and SSL_GET 3 s, DNS_CHECK delay_loop), warmup delay_loop
 * (keepalived check_data.c `validate_check_config`, check_api.c `queue_checker`, check_http.c, check_misc.c, check_dns.c).
 */
export const readChecks = (block: Statement[], server: CheckDefaults, notices: Notice[]): HealthCheck[] =>
  all(block, ...KEYWORDS).flatMap(statement =>
    keyword(statement) === 'SMTP_CHECK'
      ? smtpConnections(statement).flatMap(connection => readCheck(statement, connection, server, notices))
      : readCheck(statement, statement.block ?? [], server, notices),
  )

/** @param connection the block that says what to connect to, and how long to wait for it */
const readCheck = (
  statement: Statement,
  connection: Statement[],
  server: CheckDefaults,
  notices: Notice[],
): HealthCheck[] => {
  const name = keyword(statement)
  const type = isChecker(name) ? name : 'OTHER'
  const web = name === 'HTTP_GET' || name === 'SSL_GET'
  const inner = statement.block ?? []
  const old = last(inner, 'nb_get_retry')
  if (old && !web) note(notices, old, `nb_get_retry is not known in ${name}; keepalived ignores it`)

  const own = readTiming(old && !web ? inner.filter(line => line !== old) : inner, 0, notices)
  const timing = mergeTiming(own, server)
  const wait = connection === inner ? timing.connectTimeout : readTiming(connection, 0, notices).connectTimeout
  const delayLoop = timing.delayLoop ?? 60_000
  const misc = name === 'MISC_CHECK' ? readMisc(inner, server.serviceDelayLoop ?? 60_000, notices) : undefined
  if (name === 'MISC_CHECK' && !misc) {
    note(notices, statement, 'this MISC_CHECK has no misc_path; keepalived leaves it out')
    return []
  }
  const check: HealthCheck = {
    type,
    keyword: name,
    connectTimeout: wait ?? server.connectTimeout ?? 5000,
    retry: timing.retry ?? (name === 'MISC_CHECK' ? 0 : name === 'DNS_CHECK' ? 3 : 1),
    delayBeforeRetry: timing.delayBeforeRetry ?? (web ? 3000 : name === 'DNS_CHECK' ? delayLoop : 1000),
    delayLoop,
    warmup: timing.warmup ?? delayLoop,
    alpha: timing.alpha ?? false,
    urls: web ? readUrls(inner, notices) : [],
    fastRecovery: (web && flag(last(inner, 'fast_recovery'), notices)) || false,
    ...(name === 'MISC_CHECK' ? {} : readConnection(connection, notices)),
    ...(misc ? { misc } : {}),
    ...(name === 'UDP_CHECK' ? { udp: readUdp(inner, notices) } : {}),
    ...(name === 'DNS_CHECK' ? { dns: readDns(inner, notices) } : {}),
    ...(name === 'SMTP_CHECK' ? { smtp: readSmtp(inner) } : {}),
    at: statement.at,
  }
  return [check]
}
