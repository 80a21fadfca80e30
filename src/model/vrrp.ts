import { seconds } from './bound.ts'
import type { Bound, VrrpInstance } from './types.ts'

/** What the timers of an instance depend on. */
export type Timers = Pick<VrrpInstance, 'priority' | 'advertInterval' | 'version' | 'downTimerAdverts'>

const SOURCE = {
  2: 'RFC 3768 6.1, keepalived include/vrrp.h VRRP_TIMER_SKEW',
  3: 'RFC 9568 6.1, keepalived include/vrrp.h VRRP_TIMER_SKEW',
} as const

/** A term with its numbers, and its value in ms. */
interface Term {
  text: string
  ms: number
}

/**
 * Skew time: the lower the priority, the longer a backup holds back. Version 2: (256-P)/256 s, whatever the interval;
 * version 3: (256-P)/256 of the master's interval.
 *
 * @param masterInterval ms; version 3 learns it from the adverts
 */
const skewTerm = (backup: Timers, masterInterval: number): Term => {
  const unit = backup.version === 2 ? 1000 : masterInterval
  return {
    text: `(256-${backup.priority})/256 ${backup.version === 2 ? 's' : `x ${seconds(unit)}`}`,
    ms: ((256 - backup.priority) * unit) / 256,
  }
}

const advertsTerm = (count: number, interval: number): Term => ({
  text: `${count} x ${seconds(interval)}`,
  ms: count * interval,
})

const sum = (terms: Term[]): Term => {
  const ms = terms.reduce((total, term) => total + term.ms, 0)
  return { text: `${terms.map(term => term.text).join(' + ')} = ${seconds(ms)}`, ms }
}

/**
 * In version 2 both sides must have the same interval, or they drop each other's adverts; in version 3 the master's
 * counts.
 */
const intervalOf = (backup: Timers, master: Timers): number =>
  backup.version === 2 ? backup.advertInterval : master.advertInterval

const downTerms = (backup: Timers, interval: number): Term[] => [
  advertsTerm(backup.downTimerAdverts, interval),
  skewTerm(backup, interval),
]

/** Skew time, ms. @param masterInterval ms, the master's advert_int; the instance's own where it is left out */
export const skewTime = (backup: Timers, masterInterval: number = backup.advertInterval): number =>
  skewTerm(backup, masterInterval).ms

/** Master-down interval: `down_timer_adverts` (3) intervals and the skew time, ms. */
export const masterDownInterval = (backup: Timers, masterInterval: number = backup.advertInterval): number =>
  sum(downTerms(backup, masterInterval)).ms

/**
 * How long after keepalived's start an instance becomes MASTER when nobody else is: the master-down interval, with
 * `state MASTER` as with `state BACKUP`; the address owner (priority 255) at once.
 *
 * @param startupDelay ms, global `vrrp_startup_delay`
 */
export const startBound = (instance: Timers, startupDelay = 0): Bound => {
  const delay = startupDelay > 0 ? [{ text: `startup delay ${seconds(startupDelay)}`, ms: startupDelay }] : []
  const wait = instance.priority === 255 ? [] : downTerms(instance, instance.advertInterval)
  const total = sum([...delay, ...wait])
  return {
    name: 'first MASTER after the start of keepalived',
    formula: delay.length + wait.length === 0 ? 'priority 255 is MASTER at once = 0 s' : total.text,
    maxMs: total.ms,
    source: `${SOURCE[instance.version]}; keepalived vrrp.c vrrp_state_leave_fault`,
  }
}

/** keepalived stops cleanly on the master: it says so with priority 0, and the backup waits its skew time only. */
export const stopBound = (master: Timers, backup: Timers): Bound => {
  const skew = skewTerm(backup, intervalOf(backup, master))
  return {
    name: 'VIP failover after a clean stop of keepalived',
    formula: `${skew.text} = ${seconds(skew.ms)}`,
    minMs: skew.ms,
    maxMs: skew.ms,
    source: `${SOURCE[backup.version]}; keepalived vrrp.c vrrp_state_backup (priority 0)`,
  }
}

/**
 * The master falls silent: crash, frozen node, cut link. The backup waits the master-down interval from the last
 * advert, and that is between 0 and one interval old when the fault hits.
 */
export const crashBound = (master: Timers, backup: Timers): Bound => {
  const interval = intervalOf(backup, master)
  const longest = sum(downTerms(backup, interval))
  const minMs = longest.ms - interval
  return {
    name: 'VIP failover after the master fell silent',
    formula: `${longest.text}, less the age of the last advert, up to ${seconds(interval)}`,
    minMs,
    maxMs: longest.ms,
    source: `${SOURCE[backup.version]}; keepalived vrrp.c vrrp_state_backup`,
  }
}

/**
 * The master's own link goes down: it goes to FAULT and gives the VIP up at once, but its goodbye does not get out, and the
 * backup finds silence.
 */
export const linkDownBound = (master: Timers, backup: Timers): Bound => ({
  ...crashBound(master, backup),
  name: "VIP failover after the master's link went down",
})

/** keepalived or the whole director is frozen (SIGSTOP, a paused container): silence, and the VIP stays where it was. */
export const freezeBound = (master: Timers, backup: Timers): Bound => ({
  ...crashBound(master, backup),
  name: 'VIP failover after the master froze',
})

/**
 * Priorities change so that a backup outranks the master: it discards the adverts from then on, and its master-down
 * interval runs from the last one that it took. Equal is not enough: a backup takes an equal advert for a better one.
 *
 * @param master with the priority that it has now
 * @param backup with the priority that it has now
 * @returns undefined where nothing moves: not outranked, or `nopreempt`
 */
export const outrankBound = (
  master: Timers,
  backup: Timers & Pick<VrrpInstance, 'preempt' | 'preemptDelay'>,
): Bound | undefined => {
  if (backup.priority <= master.priority || !backup.preempt) return undefined
  const name = 'VIP moves to a director that outranks the master'
  const source = `${SOURCE[backup.version]}; keepalived vrrp.c vrrp_state_backup (lower priority)`
  const interval = intervalOf(backup, master)
  if (backup.preemptDelay === 0) return { ...crashBound(master, backup), name, source }
  const delay = { text: `preempt_delay ${seconds(backup.preemptDelay)}`, ms: backup.preemptDelay }
  const longest = sum([
    { text: `first advert ${seconds(interval)}`, ms: interval },
    delay,
    ...downTerms(backup, interval),
  ])
  return { name, formula: longest.text, minMs: longest.ms - 2 * interval, maxMs: longest.ms, source }
}

/**
 * The interval as an advert carries it, ms: whole seconds up to 255 in version 2, hundredths up to 40.95 s in version 3
 * (RFC 3768 5.3.7, RFC 9568 5.2.7). Backups of version 3 count with this one.
 */
export const wireInterval = ({ version, advertInterval }: Timers): number =>
  version === 2
    ? Math.min(255, Math.round(advertInterval / 1000)) * 1000
    : Math.min(0xfff, Math.round(advertInterval / 10)) * 10

/**
 * A director comes out of FAULT: as one that starts, but its timer begins in that moment, and priority 255 waits for it too (keepalived
 * vrrp.c try_up_instance).
 *
 * @returns undefined where it does not take the VIP back: `nopreempt`
 */
export const recoverBound = (
  returning: Timers & Pick<VrrpInstance, 'preempt' | 'preemptDelay'>,
  master: Timers,
): Bound | undefined => {
  const bound = preemptBound(returning, master)
  if (!bound || returning.preemptDelay > 0) return bound
  const { text, ms } = sum(downTerms(returning, returning.advertInterval))
  return { ...bound, formula: text, minMs: ms, maxMs: ms, source: `${bound.source}; try_up_instance` }
}

/**
 * A director with the higher priority comes back: it discards the lower adverts, so its master-down interval runs from
 * the start of keepalived. With `preempt_delay` it accepts them until the delay is over, counted from the first of
 * them.
 *
 * @param returning the director that comes back
 * @param master the one that holds the VIP meanwhile
 * @returns undefined where it does not take the VIP back: `nopreempt`
 */
export const preemptBound = (
  returning: Timers & Pick<VrrpInstance, 'preempt' | 'preemptDelay'>,
  master: Timers,
  startupDelay = 0,
): Bound | undefined => {
  if (!returning.preempt) return undefined
  const name = 'VIP back on the director with the higher priority'
  const source = `${SOURCE[returning.version]}; keepalived vrrp.c vrrp_state_backup (lower priority, preempt_delay)`
  if (returning.preemptDelay === 0) return { ...startBound(returning, startupDelay), name, source }

  const interval = intervalOf(returning, master)
  const delay = { text: `preempt_delay ${seconds(returning.preemptDelay)}`, ms: returning.preemptDelay }
  const startup = startupDelay > 0 ? [{ text: `startup delay ${seconds(startupDelay)}`, ms: startupDelay }] : []
  const first = { text: `first advert ${seconds(master.advertInterval)}`, ms: master.advertInterval }
  const longest = sum([...startup, first, delay, ...downTerms(returning, interval)])
  return {
    name,
    formula: longest.text,
    minMs: longest.ms - first.ms - master.advertInterval,
    maxMs: longest.ms,
    source,
  }
}

/**
 * How long two directors may hold the VIP at a handover: the new MASTER adds it, then sends its advert at once, and the
 * old one gives it up when it hears that; a lost advert is repeated after one interval.
 */
export const handoverBound = (master: Timers): Bound => ({
  name: 'two directors hold the VIP at a handover',
  formula: `1 x ${seconds(master.advertInterval)} = ${seconds(master.advertInterval)}`,
  maxMs: master.advertInterval,
  source: `${SOURCE[master.version]}; keepalived vrrp.c vrrp_state_master_tx, vrrp_state_master_rx`,
})
