import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { anInstance, aScript } from './examples.ts'
import {
  effectivePriority,
  interfaceDownBound,
  scriptDownBound,
  scriptUpBound,
  settled,
  trackedScriptBackBound,
  trackedScriptBound,
} from './track.ts'
import type { TrackedScript } from './types.ts'

const at = { file: 'keepalived.conf', line: 1, column: 1 }
const tracked = (weight: number, changes: Partial<TrackedScript['script']> = {}, reverse = false): TrackedScript => ({
  script: aScript(changes),
  weight,
  reverse,
  at,
})
const failed = { scripts: { chk: false } }
const withScript = (weight: number, priority = 150, reverse = false) =>
  anInstance({ priority, trackScripts: [tracked(weight, {}, reverse)] })

describe('effective priority', () => {
  it('adds positive weights of what is up and negative ones of what is down', () => {
    expect(effectivePriority(withScript(20, 100), {})).toBe(120)
    expect(effectivePriority(withScript(20, 100), failed)).toBe(100)
    expect(effectivePriority(withScript(-20, 100), {})).toBe(100)
    expect(effectivePriority(withScript(-20, 100), failed)).toBe(80)
  })

  it('turns a weight round with reverse, and good and bad without a weight', () => {
    expect(effectivePriority(withScript(-20, 100, true), failed)).toBe(120)
    expect(effectivePriority(withScript(20, 100, true), { scripts: { chk: true } })).toBe(80)
    expect(effectivePriority(withScript(0), failed)).toBe('FAULT')
    expect(effectivePriority(withScript(0, 100, true), { scripts: { chk: true } })).toBe('FAULT')
    expect(effectivePriority(withScript(0, 100, true), failed)).toBe(100)
    // that it fails is how it is while nothing is wrong
    expect(effectivePriority(withScript(0, 100, true), {})).toBe(100)
    expect(settled(withScript(-20, 100, true)).priority).toBe(120)
  })

  it('stays within 1 and 254, and leaves the address owner alone', () => {
    expect(effectivePriority(withScript(-200, 100), failed)).toBe(1)
    expect(effectivePriority(withScript(200, 100), {})).toBe(254)
    expect(effectivePriority(withScript(-200, 255), failed)).toBe(255)
  })

  it('is FAULT with the own interface down, unless that is not tracked', () => {
    const down = { interfaces: { eth0: false } }
    expect(effectivePriority(anInstance(), down)).toBe('FAULT')
    expect(effectivePriority(anInstance({ trackPrimary: false }), down)).toBe(100)
  })

  it('is 0 for an election where something is FAULT from the start', () => {
    const reversed = anInstance({ trackInterfaces: [{ interface: 'eth1', weight: 0, reverse: true, at }] })
    expect(settled(reversed).priority).toBe(0)
    expect(settled(withScript(30, 100)).priority).toBe(130)
  })
})

describe('a tracked script', () => {
  const script = aScript({ interval: 2000, timeout: 2000, fall: 3, rise: 2 })

  it('is found down after fall runs, and up after rise runs', () => {
    expect(scriptDownBound(script, 'exits')).toMatchObject({
      formula: 'fall 3 x interval 2 s = 6 s',
      minMs: 4000,
      maxMs: 6000,
    })
    expect(scriptUpBound(script, 'exits')).toMatchObject({ minMs: 2000, maxMs: 4000 })
    // a run that succeeds may take 5 s: the next one begins 6 s after it
    const slow = { ...script, timeout: 5000 }
    expect(scriptDownBound(slow, 'takes time')).toMatchObject({
      formula: '6 s for a run of up to 5 s + 2 x interval 2 s = 10 s',
      maxMs: 10_000,
    })
    expect(scriptUpBound(slow, 'takes time')).toMatchObject({
      formula: 'interval 2 s + 1 x 6 s for a run of up to 5 s + the last 5 s = 13 s',
      maxMs: 13_000,
    })
    expect(scriptDownBound({ ...script, fall: 1 }, 'hangs')).toMatchObject({
      formula: 'interval 2 s + timeout 2 s = 4 s',
      maxMs: 4000,
    })
  })

  it('never has bounds the wrong way round, and hangs no shorter than it exits', () => {
    const ms = fc.integer({ min: 1, max: 100 }).map(n => n * 100)
    const count = fc.integer({ min: 1, max: 5 })
    fc.assert(
      fc.property(ms, ms, count, count, (interval, timeout, rise, fall) => {
        const one = aScript({ interval, timeout, rise, fall })
        for (const bound of [scriptDownBound, scriptUpBound])
          for (const failure of ['exits', 'hangs'] as const)
            expect(bound(one, failure).minMs).toBeLessThanOrEqual(bound(one, failure).maxMs)
        expect(scriptDownBound(one, 'hangs').maxMs).toBeGreaterThanOrEqual(scriptDownBound(one, 'exits').maxMs)
      }),
    )
  })
})

describe('failover by what is tracked', () => {
  const backup = anInstance({ priority: 100 })

  it('says goodbye in FAULT, and is found out by its adverts with a weight', () => {
    const fault = withScript(0)
    expect(trackedScriptBound(fault, backup, tracked(0), 'exits')).toMatchObject({
      formula: 'fall 1 x interval 1 s = 1 s, then (256-100)/256 s = 0.609 s',
      minMs: 609.375,
      maxMs: 1609.375,
    })
    const lower = withScript(-60)
    expect(trackedScriptBound(lower, backup, tracked(-60), 'exits')).toMatchObject({ minMs: 2609.375, maxMs: 4609.375 })
  })

  it('does not move when the weight is smaller than the gap, equals it, or the backup has nopreempt', () => {
    for (const weight of [-40, -50])
      expect(trackedScriptBound(withScript(weight), backup, tracked(weight), 'exits')).toBeUndefined()
    const stays = { ...backup, preempt: false }
    expect(trackedScriptBound(withScript(-60), stays, tracked(-60), 'exits')).toBeUndefined()
    expect(trackedScriptBound(withScript(0), stays, tracked(0), 'exits')).toBeDefined()
  })

  it('waits for preempt_delay before it takes over from a lower one', () => {
    const late = { ...backup, preemptDelay: 5000 }
    expect(trackedScriptBound(withScript(-60), late, tracked(-60), 'exits')?.maxMs).toBe(1000 + 1000 + 5000 + 3609.375)
  })

  it('comes back through FAULT as from a start, and with the weight as one that outranks', () => {
    expect(trackedScriptBackBound(withScript(0), backup, tracked(0), 'exits')?.maxMs).toBeCloseTo(4414.06)
    expect(trackedScriptBackBound(withScript(-60), backup, tracked(-60), 'exits')?.maxMs).toBeCloseTo(4414.06)
    expect(trackedScriptBackBound(withScript(-60, 90), backup, tracked(-60), 'exits')).toBeUndefined()
    const stays = { ...withScript(0), preempt: false }
    expect(trackedScriptBackBound(stays, backup, tracked(0), 'exits')).toBeUndefined()
  })

  it('is waited for by priority 255, too, when it comes out of FAULT', () => {
    const owner = anInstance({ priority: 255, trackScripts: [tracked(0)] })
    const { rise, interval } = tracked(0).script
    const bound = trackedScriptBackBound(owner, backup, tracked(0), 'exits')
    expect(bound?.maxMs).toBeCloseTo(rise * interval + 3000 + 1000 / 256)
    expect(bound?.minMs).toBeCloseTo((rise - 1) * interval + 3000 + 1000 / 256)
  })

  it('hears no goodbye when the own link is down, and one when another interface is', () => {
    const master = anInstance({
      priority: 150,
      trackInterfaces: [{ interface: 'eth1', weight: 0, reverse: false, at }],
    })
    expect(interfaceDownBound(master, backup, 'eth0')).toMatchObject({ minMs: 2609.375, maxMs: 3609.375 })
    expect(interfaceDownBound(master, backup, 'eth1')).toMatchObject({ maxMs: 609.375 })
    expect(interfaceDownBound(master, backup, 'eth2')).toBeUndefined()
  })

  it('tracks the interface that a VIP is on, beside the one of VRRP, unless the VIP says no_track', () => {
    const vip = { address: '10.0.0.100', prefix: 24, device: 'eth0', at }
    const apart = anInstance({ priority: 150, interface: 'eth1', addresses: [vip] })
    expect(effectivePriority(apart, { interfaces: { eth0: false } })).toBe('FAULT')
    expect(effectivePriority(apart, { interfaces: { eth0: true, eth2: false } })).toBe(150)
    expect(interfaceDownBound(apart, backup, 'eth0')).toMatchObject({ minMs: 609.375, maxMs: 609.375 })
    const careless = { ...apart, addresses: [{ ...vip, noTrack: true as const }] }
    expect(effectivePriority(careless, { interfaces: { eth0: false } })).toBe(150)
    expect(interfaceDownBound(careless, backup, 'eth0')).toBeUndefined()
    // its own interface is the one of VRRP, which dont_track_primary leaves alone
    const primary = anInstance({ priority: 150, trackPrimary: false })
    expect(effectivePriority(primary, { interfaces: { eth0: false } })).toBe(150)
  })

  it('moves by a weight exactly when the priority falls below the backup', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 254 }),
        fc.integer({ min: 1, max: 254 }),
        fc.integer({ min: 1, max: 253 }),
        (high, low, weight) => {
          const master = withScript(-weight, high)
          const other = anInstance({ priority: low })
          const moves = trackedScriptBound(master, other, tracked(-weight), 'exits') !== undefined
          expect(moves).toBe(Math.max(1, high - weight) < low)
        },
      ),
    )
  })
})
