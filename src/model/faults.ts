import type { ServerFailure } from './health-check.ts'
import type { Bound, VrrpInstance } from './types.ts'
import { crashBound, handoverBound, preemptBound, startBound, stopBound, type Timers } from './vrrp.ts'

/** The faults that are done to the director that holds the VIP, under the names that the lab has them by. */
export type DirectorFault =
  | 'keepalived-stop'
  | 'keepalived-parent-killed'
  | 'keepalived-crash'
  | 'keepalived-vrrp-killed'
  | 'keepalived-checker-killed'
  | 'keepalived-freeze'
  | 'keepalived-reload'
  | 'link-down'
  | 'vrrp-block'
  | 'partition'
  | 'node-pause'
  | 'node-kill'
  | 'node-restart'

/** The faults that are done to a real server, under the names that the lab has them by. */
export type ServerFault =
  | 'httpd-stop'
  | 'httpd-crash'
  | 'httpd-refuse'
  | 'httpd-hang'
  | 'httpd-slow'
  | 'httpd-error'
  | 'listener-crash'
  | 'link-down'
  | 'node-pause'
  | 'node-kill'

/**
 * How a health check sees a real server to which a fault is done: by that, `checkDownBound` and `checkUpBound` say when it is out of the
 * pool, and back. `httpd-slow` of a delay that is longer than the check waits.
 */
export const SERVER_FAILURES: Record<ServerFault, { failure: ServerFailure; source: string }> = {
  'httpd-stop': { failure: 'refused', source: 'RFC 9293 3.5.1: a reset for a port that nobody listens on' },
  'httpd-crash': { failure: 'refused', source: 'RFC 9293 3.5.1: a reset for a port that nobody listens on' },
  'httpd-refuse': { failure: 'refused', source: 'iptables-extensions(8) REJECT, tcp-reset' },
  'httpd-hang': {
    failure: 'hanging',
    source: 'the kernel makes connections of a program that is stopped: listen(2), backlog',
  },
  'listener-crash': { failure: 'refused', source: 'RFC 9293 3.5.1, RFC 1122 4.1.3.1: a reset, or port unreachable' },
  'httpd-slow': { failure: 'hanging', source: 'a connection, and no answer in time' },
  'httpd-error': { failure: 'wrong-answer', source: 'another status than the check wants' },
  'link-down': { failure: 'silent', source: 'nothing arrives' },
  'node-pause': {
    failure: 'hanging',
    source: 'the kernel makes connections of a program that is frozen: listen(2), backlog',
  },
  'node-kill': { failure: 'silent', source: 'its network is gone with its processes' },
}

/** What a fault on the MASTER does. Times of `takeover` run from the fault, those of `back` from its heal. */
export interface FaultPrediction {
  /** The backup holds the VIP; left out where the MASTER keeps it alone. */
  takeover?: Bound
  /** The VIP stays on the faulty director (`kept`), or leaves it. */
  vip: 'kept' | 'removed'
  /** So does its IPVS table. */
  table: 'kept' | 'removed'
  /** The MASTER says goodbye: an advertisement of priority 0 (RFC 3768 6.4.3). */
  goodbye: boolean
  /**
   * The faulty director holds the VIP, alone, again; left out where it never lost it, or does not preempt. After
   * `keepalived-vrrp-killed`, which needs no heal, from the start of the new process.
   */
  back?: Bound
  /** Where what stays behind is decided. */
  source: string
}

type Member = Timers & Pick<VrrpInstance, 'preempt' | 'preemptDelay'>

/** What each fault leaves behind, whatever the timers are. */
const LEFT: Record<DirectorFault, Pick<FaultPrediction, 'vip' | 'table' | 'goodbye' | 'source'>> = {
  'keepalived-stop': {
    ...{ vip: 'removed', table: 'removed', goodbye: true },
    source: 'keepalived vrrp_daemon.c vrrp_terminate_phase1, check_daemon.c checker_terminate_phase1',
  },
  'keepalived-parent-killed': {
    ...{ vip: 'removed', table: 'removed', goodbye: true },
    source: 'keepalived vrrp_daemon.c and check_daemon.c: prctl(PR_SET_PDEATHSIG, SIGTERM)',
  },
  'keepalived-crash': {
    ...{ vip: 'kept', table: 'kept', goodbye: false },
    source: 'nobody is left to remove them',
  },
  'keepalived-vrrp-killed': {
    ...{ vip: 'removed', table: 'kept', goodbye: false },
    source: 'keepalived vrrp_daemon.c vrrp_respawn_thread; vrrp.c vrrp_complete_init (removing VIPs)',
  },
  'keepalived-checker-killed': {
    ...{ vip: 'kept', table: 'kept', goodbye: false },
    source: 'keepalived check_daemon.c check_respawn_thread',
  },
  'keepalived-freeze': {
    ...{ vip: 'kept', table: 'kept', goodbye: false },
    source: 'nobody is awake to remove them',
  },
  'keepalived-reload': {
    ...{ vip: 'kept', table: 'kept', goodbye: false },
    source: 'keepalived vrrp_daemon.c reload_vrrp_thread, check_daemon.c reload_check_thread',
  },
  'link-down': {
    ...{ vip: 'removed', table: 'kept', goodbye: false },
    source: 'keepalived vrrp.c vrrp_state_fault (the goodbye does not leave a link that is down)',
  },
  'vrrp-block': {
    ...{ vip: 'kept', table: 'kept', goodbye: false },
    source: 'keepalived vrrp.c vrrp_state_master_tx: a MASTER that hears nobody stays MASTER',
  },
  partition: {
    ...{ vip: 'kept', table: 'kept', goodbye: false },
    source: 'keepalived vrrp.c vrrp_state_master_tx: a MASTER that hears nobody stays MASTER',
  },
  'node-pause': {
    ...{ vip: 'kept', table: 'kept', goodbye: false },
    source: 'Linux kernel/cgroup/freezer.c: processes are held, the network stack is not',
  },
  'node-kill': { ...{ vip: 'removed', table: 'removed', goodbye: false }, source: 'the kernel is gone' },
  'node-restart': {
    ...{ vip: 'removed', table: 'removed', goodbye: true },
    source: 'keepalived vrrp_daemon.c vrrp_terminate_phase1, then the kernel is gone',
  },
}

/**
 * A director that believes itself MASTER is heard again: it advertises at its next turn, and the other, of lower priority,
 * gives the VIP up when it hears that.
 */
const heardAgainBound = (master: Timers): Bound => ({
  ...handoverBound(master),
  name: 'one director holds the VIP again',
})

/**
 * What follows from a fault on the director that holds the VIP, where one other backs it up.
 *
 * @param how `startupDelay`: ms, of the faulty director; `direction` of a `vrrp-block`: one that hears nobody (`in`) is MASTER as before
 */
export const predictFault = (
  fault: DirectorFault,
  master: Member,
  backup: Timers,
  { startupDelay = 0, direction = 'both' }: { startupDelay?: number; direction?: 'in' | 'out' | 'both' } = {},
): FaultPrediction => {
  const left = LEFT[fault]
  const preempt = preemptBound(master, backup, startupDelay)
  const back = preempt && { back: preempt }
  const unheard = { back: heardAgainBound(master), takeover: crashBound(master, backup) }
  switch (fault) {
    case 'keepalived-checker-killed':
    case 'keepalived-reload':
      return left
    case 'keepalived-stop':
    case 'keepalived-parent-killed':
    case 'node-restart':
      return { ...left, ...back, takeover: stopBound(master, backup) }
    case 'keepalived-crash':
    case 'node-kill':
      return { ...left, ...back, takeover: crashBound(master, backup) }
    case 'link-down': {
      // keepalived has been running all the time: its startup delay is over
      const returns = preemptBound(master, backup)
      return { ...left, ...(returns && { back: returns }), takeover: crashBound(master, backup) }
    }
    case 'vrrp-block':
      return direction === 'in' ? left : { ...left, ...unheard }
    case 'keepalived-freeze':
    case 'node-pause':
    case 'partition':
      return { ...left, ...unheard }
    case 'keepalived-vrrp-killed':
      // Both wait then: the backup since the last advert, the new process since its start. Where the advert was younger than
      // the difference of their skew times, the new process is first, and the backup never holds the VIP.
      return {
        ...left,
        ...(preempt && { back: startBound(master, startupDelay) }),
        takeover: crashBound(master, backup),
      }
  }
}
