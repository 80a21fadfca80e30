import { inSequence, seconds } from './bound.ts'
import type { Bound, TrackedScript, TrackWeight, VrrpInstance, VrrpScript } from './types.ts'
import { crashBound, linkDownBound, outrankBound, recoverBound, stopBound } from './vrrp.ts'

/** What an instance tracks, and what of it is up. */
export interface TrackState {
  /** `vrrp_script` by name; one that is not named is as it is while nothing is wrong: up, but with `reverse` down. */
  scripts?: Record<string, boolean>
  /** Interfaces by name; one that is not named is up. */
  interfaces?: Record<string, boolean>
}

const contribution = ({ weight, reverse }: TrackWeight, up: boolean): number | 'FAULT' => {
  if (weight === 0) return up === reverse ? 'FAULT' : 0
  const counts = weight > 0 ? up : !up
  return counts ? (reverse ? -weight : weight) : 0
}

type Tracking = Pick<
  VrrpInstance,
  'priority' | 'interface' | 'trackPrimary' | 'trackScripts' | 'trackInterfaces' | 'addresses' | 'excludedAddresses'
>

/**
 * Whether an instance whose VRRP runs elsewhere tracks a device because it puts a VIP there: it does unless the VIP says
 * `no_track` (keepalived vrrp_ipaddress.c `dont_track`).
 */
const hasVipOn = ({ interface: own, addresses, excludedAddresses }: Tracking, device: string): boolean =>
  device !== own && [...addresses, ...excludedAddresses].some(vip => vip.device === device && !vip.noTrack)

/**
 * The priority that an instance has with what it tracks: positive weights of what is up and negative ones of what is down
 * are added, the sum is kept within 1 to 254; that of the address owner (255) never changes. `reverse` turns the sign of
 * a weight, and without a weight what is good and bad (keepalived vrrp_track.c `vrrp_set_effective_priority`,
 * `process_script_update_priority`).
 *
 * @returns FAULT where something without a weight is down, the instance's own interface, or one that it has a VIP on
 */
export const effectivePriority = (instance: Tracking, state: TrackState): number | 'FAULT' => {
  if (instance.trackPrimary && state.interfaces?.[instance.interface] === false) return 'FAULT'
  const down = Object.entries(state.interfaces ?? {}).filter(([, up]) => !up)
  if (down.some(([device]) => hasVipOn(instance, device))) return 'FAULT'
  const parts = [
    ...instance.trackScripts.map(one => contribution(one, state.scripts?.[one.script.name] ?? !one.reverse)),
    ...instance.trackInterfaces.map(one => contribution(one, state.interfaces?.[one.interface] ?? true)),
  ]
  let total = instance.priority
  for (const part of parts) {
    if (part === 'FAULT') return 'FAULT'
    total += part
  }
  return instance.priority === 255 ? 255 : Math.max(1, Math.min(254, total))
}

/** An instance with the priority that it has while nothing that it tracks is wrong; 0 where that is FAULT. */
export const settled = (instance: VrrpInstance): VrrpInstance => {
  const priority = effectivePriority(instance, {})
  return { ...instance, priority: priority === 'FAULT' ? 0 : priority }
}

/**
 * How a tracked script fails: its exit code says so at once, or it does not end and is ended after its timeout. `takes time`: it says so at once,
 * but a run that succeeds may take up to the timeout.
 */
export type ScriptFailure = 'exits' | 'hangs' | 'takes time'

const SCRIPT_SOURCE = 'keepalived vrrp_scheduler.c vrrp_script_thread, vrrp_script_child_thread'

/** Start to start of two runs that hang: a run is skipped while the one before it has not been reaped. */
const hangingPeriod = ({ interval, timeout }: VrrpScript): number => interval * (Math.floor(timeout / interval) + 1)

/**
 * How long until keepalived takes a script for down: `fall` runs must fail in a row, the first of them starts up to one
 * `interval` after the fault. A run that withstands TERM takes 2 s more.
 */
export const scriptDownBound = (script: VrrpScript, failure: ScriptFailure): Bound => {
  const { interval, fall, timeout } = script
  const name = `vrrp_script ${script.name} is found down`
  const minMs = (fall - 1) * interval
  if (failure === 'exits') {
    const maxMs = fall * interval
    const formula = `fall ${fall} x interval ${seconds(interval)} = ${seconds(maxMs)}`
    return { name, formula, minMs, maxMs, source: SCRIPT_SOURCE }
  }
  const period = hangingPeriod(script)
  if (failure === 'takes time') {
    const maxMs = period + minMs
    const formula = `${seconds(period)} for a run of up to ${seconds(timeout)} + ${fall - 1} x interval ${seconds(interval)} = ${seconds(maxMs)}`
    return { name, formula, minMs, maxMs, source: SCRIPT_SOURCE }
  }
  const maxMs = interval + (fall - 1) * period + timeout
  const more = fall > 1 ? ` + ${fall - 1} x ${seconds(period)} from one hanging run to the next` : ''
  return {
    name,
    formula: `interval ${seconds(interval)}${more} + timeout ${seconds(timeout)} = ${seconds(maxMs)}`,
    minMs: (fall - 1) * Math.max(interval, timeout) + timeout,
    maxMs,
    source: SCRIPT_SOURCE,
  }
}

/** How long until keepalived takes a healed script for up: `rise` runs must succeed in a row. */
export const scriptUpBound = (script: VrrpScript, failure: ScriptFailure): Bound => {
  const { interval, rise, timeout } = script
  const name = `vrrp_script ${script.name} is found up`
  const minMs = (rise - 1) * interval
  if (failure === 'takes time') {
    const period = hangingPeriod(script)
    const maxMs = interval + (rise - 1) * period + timeout
    const formula = `interval ${seconds(interval)} + ${rise - 1} x ${seconds(period)} for a run of up to ${seconds(timeout)} + the last ${seconds(timeout)} = ${seconds(maxMs)}`
    return { name, formula, minMs, maxMs, source: SCRIPT_SOURCE }
  }
  const first = failure === 'exits' ? interval : hangingPeriod(script)
  const maxMs = first + minMs
  const formula =
    failure === 'exits'
      ? `rise ${rise} x interval ${seconds(interval)} = ${seconds(maxMs)}`
      : `${seconds(first)} for a run that hangs + ${rise - 1} x interval ${seconds(interval)} = ${seconds(maxMs)}`
  return { name, formula, minMs, maxMs, source: SCRIPT_SOURCE }
}

/** An instance whose priority is that of now. */
const at = (instance: VrrpInstance, priority: number): VrrpInstance => ({ ...instance, priority })

/** What the bounds are called, of whichever VIP of a sync group they are. */
export const scriptDownName = ({ script }: TrackedScript): string => `VIP failover after ${script.name} failed`
export const scriptUpName = ({ script }: TrackedScript): string => `VIP back after ${script.name} succeeded`

const without = ({ script, reverse }: TrackedScript): TrackState => ({ scripts: { [script.name]: reverse } })

/** What follows at the backup when something that the master tracks fails, everything else being up. */
const consequence = (master: VrrpInstance, backup: VrrpInstance, state: TrackState): Bound | undefined => {
  const priority = effectivePriority(master, state)
  const other = effectivePriority(backup, {})
  if (other === 'FAULT') return undefined
  if (priority === 'FAULT') return stopBound(master, at(backup, other))
  return outrankBound(at(master, priority), at(backup, other))
}

/** What follows when something that the director tracks is up again, everything else being so all the time. */
const recovery = (returning: VrrpInstance, master: VrrpInstance, state: TrackState): Bound | undefined => {
  const full = effectivePriority(returning, {})
  const other = effectivePriority(master, {})
  if (full === 'FAULT' || other === 'FAULT' || full <= other) return undefined
  return effectivePriority(returning, state) === 'FAULT'
    ? recoverBound(at(returning, full), at(master, other))
    : outrankBound(at(master, other), at(returning, full))
}

/**
 * A script that the master tracks fails: found by its runs, and then either FAULT, which says goodbye as a clean stop
 * does, or a lower priority, which the backup finds from the adverts.
 *
 * @returns undefined where the VIP stays: the weight does not reach below the backup's priority, or the backup does not
 *   preempt
 */
export const trackedScriptBound = (
  master: VrrpInstance,
  backup: VrrpInstance,
  tracked: TrackedScript,
  failure: ScriptFailure,
): Bound | undefined => {
  const then = consequence(master, backup, without(tracked))
  return (
    then && {
      ...inSequence(scriptDownBound(tracked.script, failure), then),
      name: scriptDownName(tracked),
    }
  )
}

/**
 * The script succeeds again, and the director takes the VIP back: from FAULT as one that starts, from a lower priority as
 * one that outranks the master.
 *
 * @param returning the director whose script is back
 * @param master the one that holds the VIP meanwhile
 */
export const trackedScriptBackBound = (
  returning: VrrpInstance,
  master: VrrpInstance,
  tracked: TrackedScript,
  failure: ScriptFailure,
): Bound | undefined => {
  const then = recovery(returning, master, without(tracked))
  return (
    then && {
      ...inSequence(scriptUpBound(tracked.script, failure), then),
      name: scriptUpName(tracked),
    }
  )
}

/** What the bound is called, of whichever VIP of a sync group it is. */
export const interfaceDownName = (device: string): string => `VIP failover after ${device} of the master went down`

/**
 * An interface of the master goes down: its own one takes the goodbye with it, so the backup waits as after a crash;
 * another one that it tracks, or has a VIP on, is FAULT with a goodbye, or a lower priority. The kernel reports it at once.
 *
 * @returns undefined where the VIP stays
 */
export const interfaceDownBound = (master: VrrpInstance, backup: VrrpInstance, device: string): Bound | undefined => {
  if (device === master.interface) {
    const other = settled(backup)
    const bound = master.trackPrimary ? linkDownBound(master, other) : crashBound(master, other)
    return { ...bound, name: interfaceDownName(device) }
  }
  if (!hasVipOn(master, device) && !master.trackInterfaces.some(one => one.interface === device)) return undefined
  const then = consequence(master, backup, { interfaces: { [device]: false } })
  return then && { ...then, name: interfaceDownName(device) }
}

/**
 * An interface that the director tracks is up again, and it takes the VIP back: from FAULT as one that starts, from a lower priority as one
 * that outranks the master.
 *
 * @param returning the director whose interface is back
 * @param master the one that holds the VIP meanwhile
 * @returns undefined where the VIP stays
 */
export const interfaceUpBound = (returning: VrrpInstance, master: VrrpInstance, device: string): Bound | undefined =>
  recovery(returning, master, { interfaces: { [device]: false } })
