import { seconds } from './bound.ts'
import type { ServerFailure } from './health-check.ts'
import type { Bound, ConfiguredLine, ForwardingMethod, Notice, RealServer, VirtualService } from './types.ts'

/** ldirectord.cf in the global part or in a `virtual` section; all in seconds there, ms here. */
export interface LdirectordTimeouts {
  checkTimeout?: number
  negotiateTimeout?: number
}

/** How a `virtual` section, or the global part, has its servers checked; what is not written is left out. */
export interface LdirectordSettings extends LdirectordTimeouts {
  /** ms; of a section it counts with `fork = yes` alone. */
  interval?: number
  failureCount?: number
  checkCount?: number
  quiescent?: boolean
}

/** A `virtual` or `virtual6` section. */
export interface LdirectordService extends LdirectordSettings {
  /** What ldirectord tells the kernel; its servers have no `checks`. */
  service: VirtualService
  /** `combined` is a number: so many connects, then one negotiation. */
  checkType: 'connect' | 'negotiate' | 'ping' | 'combined' | 'external' | 'external-perl' | 'on' | 'off'
  /** Of `combined`. */
  connects?: number
  /** What is spoken, and what is asked of each server and looked for in its answer (a Perl pattern). */
  protocol: string
  asked: { server: RealServer; request: string; receive: string }[]
  httpMethod: 'GET' | 'HEAD'
  virtualHost?: string
  /** Port that is checked, where it is not the server's. */
  checkPort?: number
  /** Of `external` and `external-perl`. */
  command?: string
  /** Server of those times when no other is left. */
  fallback?: { address: string; port: number; forwarding: ForwardingMethod }
  /** Lines that nothing here depends on: mail, comments, files. Passwords are left out. */
  others: ConfiguredLine[]
}

/** An ldirectord.cf. */
export interface LdirectordConfig {
  services: LdirectordService[]
  global: LdirectordSettings
  /** `fork = yes`: each service is checked by a process of its own. */
  fork: boolean
  others: ConfiguredLine[]
  /** Lines that ldirectord does not start with, or ignores, and what is not predicted. */
  notices: Notice[]
}

export interface LdirectordCheck {
  /** `checktype`: `connect` opens a TCP connection, `negotiate` asks and looks at the answer, `ping` sends ICMP echoes. */
  type: 'connect' | 'negotiate' | 'ping'
  /** ms that one attempt may take; `ldirectordTimeouts`. */
  timeout: number
  /** ms between two rounds of checks; `checkinterval`, default 10 s. */
  interval: number
  /** Failures in a row that take a server out; `failurecount`, default 1. */
  failureCount: number
  /** Echoes of one ping check; `checkcount`, default 1. Other checks do not know it. */
  checkCount: number
  /** `quiescent`, default false (its manual says yes): a failed server stays in the table with weight 0. */
  quiescent: boolean
}

/** ldirectord's defaults for everything but the timeouts (`set_defaults`). */
export const LDIRECTORD_DEFAULTS = { interval: 10_000, failureCount: 1, checkCount: 1, quiescent: false } as const

/**
 * The two timeouts of a service. Each is the other's default: in its own section first, then in the global one, then
 * 5 s for `checktimeout` and 30 s for `negotiatetimeout` (ldirectord `ld_setup`).
 */
export const ldirectordTimeouts = (
  own: LdirectordTimeouts,
  global: LdirectordTimeouts,
): Required<LdirectordTimeouts> => ({
  checkTimeout: own.checkTimeout ?? own.negotiateTimeout ?? global.checkTimeout ?? global.negotiateTimeout ?? 5000,
  negotiateTimeout:
    own.negotiateTimeout ?? own.checkTimeout ?? global.negotiateTimeout ?? global.checkTimeout ?? 30_000,
})

/** The check of one service with all defaults; undefined where no bound is known for its kind. */
export const ldirectordCheck = (
  own: LdirectordService,
  { global, fork }: Pick<LdirectordConfig, 'global' | 'fork'>,
): LdirectordCheck | undefined => {
  const { checkType: type } = own
  if (type !== 'connect' && type !== 'negotiate' && type !== 'ping') return undefined
  // check_none: every server is up
  if (type === 'negotiate' && own.protocol === 'none') return undefined
  const { checkTimeout, negotiateTimeout } = ldirectordTimeouts(own, global)
  return {
    type,
    timeout: type === 'negotiate' ? negotiateTimeout : checkTimeout,
    interval: (fork ? own.interval : undefined) ?? global.interval ?? LDIRECTORD_DEFAULTS.interval,
    failureCount: own.failureCount ?? global.failureCount ?? LDIRECTORD_DEFAULTS.failureCount,
    checkCount: own.checkCount ?? global.checkCount ?? LDIRECTORD_DEFAULTS.checkCount,
    quiescent: own.quiescent ?? global.quiescent ?? LDIRECTORD_DEFAULTS.quiescent,
  }
}

const SOURCE = 'ldirectord run_child, ld_main, _service_down'

/** How long one check takes to fail, ms; undefined where it does not see the failure. */
const attemptMs = ({ type, timeout, checkCount }: LdirectordCheck, failure: ServerFailure): number | undefined => {
  if (failure === 'silent') return type === 'ping' ? checkCount * timeout : timeout
  if (type === 'ping') return undefined
  if (failure === 'refused') return 0
  if (type === 'connect') return undefined
  // One alarm goes over the whole exchange, so dripping does not help.
  return failure === 'hanging' || failure === 'slow-drip' ? timeout : 0
}

/**
 * How long ldirectord may take to find a failed server. It checks one server after the other, of its service
 * (`fork = yes`) or of all of them (`fork = no`), then sleeps: other servers that time out hold it up.
 *
 * @param othersMs what checking the other servers of a round takes; ms, 0 where they answer
 * @returns undefined where the check does not see the failure
 */
export const ldirectordDownBound = (
  check: LdirectordCheck,
  failure: ServerFailure,
  othersMs = 0,
): Bound | undefined => {
  const one = attemptMs(check, failure)
  if (one === undefined) return undefined
  const round = check.interval + othersMs + one
  const maxMs = check.failureCount * round
  return {
    name: `ldirectord's ${check.type} check finds the server down`,
    formula: `${check.failureCount} x (${roundText(check, othersMs, one)}) = ${seconds(maxMs)}`,
    minMs: (check.failureCount - 1) * round + one,
    maxMs,
    source: `${SOURCE}, check_${check.type}`,
  }
}

/** How long it may take to find a server that is back: one check that passes is enough, after one that may still wait. */
export const ldirectordUpBound = (check: LdirectordCheck, failure: ServerFailure, othersMs = 0): Bound | undefined => {
  const one = attemptMs(check, failure)
  if (one === undefined) return undefined
  const maxMs = one + othersMs + check.interval
  return {
    name: `ldirectord's ${check.type} check finds the server up`,
    formula: `${roundText(check, othersMs, one)} = ${seconds(maxMs)}`,
    maxMs,
    source: `ldirectord _service_up, check_${check.type}`,
  }
}

/**
 * How long an edit of ldirectord.cf may wait until `autoreload` reads it: ldirectord looks at the file once in a round, after
 * the checks. What it then finds new it checks at once. An edit that leaves the file's time as it was at that look is
 * overlooked; it is compared in whole seconds.
 *
 * @param checksMs what the checks of a round take; ms, 0 where all servers answer
 */
export const ldirectordReloadBound = ({ interval }: Pick<LdirectordCheck, 'interval'>, checksMs = 0): Bound => {
  const maxMs = interval + 2 * checksMs
  return {
    name: 'ldirectord has read its configuration anew',
    formula: `checkinterval ${seconds(interval)}${checksMs > 0 ? ` + 2 x checks ${seconds(checksMs)}` : ''} = ${seconds(maxMs)}`,
    maxMs,
    source: 'ldirectord ld_main, check_cfgfile, ld_start',
  }
}

const roundText = (check: LdirectordCheck, othersMs: number, attempt: number): string =>
  [
    `checkinterval ${seconds(check.interval)}`,
    ...(othersMs > 0 ? [`other servers ${seconds(othersMs)}`] : []),
    ...(attempt > 0 ? [`timeout ${seconds(attempt)}`] : []),
  ].join(' + ')

/** What a failed server is in the table: of weight 0 with `quiescent`, else gone (ldirectord `_remove_service`). */
export const ldirectordFailed = ({ quiescent }: Pick<LdirectordCheck, 'quiescent'>): { weight: 0 } | 'gone' =>
  quiescent ? { weight: 0 } : 'gone'
