import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { describeBound, seconds, withSlack } from './bound.ts'
import { anInstance } from './examples.ts'
import {
  crashBound,
  freezeBound,
  linkDownBound,
  masterDownInterval,
  outrankBound,
  preemptBound,
  skewTime,
  startBound,
  stopBound,
  wireInterval,
} from './vrrp.ts'

const timers = fc
  .record({
    priority: fc.integer({ min: 1, max: 254 }),
    advertInterval: fc.integer({ min: 1, max: 400 }).map(n => n * 10),
    version: fc.constantFrom<2 | 3>(2, 3),
    downTimerAdverts: fc.integer({ min: 1, max: 10 }),
  })
  .map(changes => anInstance(changes))

describe('VRRP timers', () => {
  it('has the skew of version 2 independent of the interval, that of version 3 in proportion to it', () => {
    expect(skewTime(anInstance({ priority: 100, advertInterval: 5000 }))).toBe(609.375)
    expect(skewTime(anInstance({ priority: 100, advertInterval: 100, version: 3 }))).toBeCloseTo(60.9375)
    expect(masterDownInterval(anInstance({ priority: 80 }))).toBe(3687.5)
  })

  it('always lets the higher priority move first', () => {
    fc.assert(
      fc.property(timers, fc.integer({ min: 1, max: 253 }), (instance, lower) => {
        const other = { ...instance, priority: Math.min(lower, instance.priority - 1) }
        fc.pre(other.priority >= 1)
        expect(masterDownInterval(instance)).toBeLessThan(masterDownInterval(other))
      }),
    )
  })
})

describe('failover bounds', () => {
  it('writes the formula out as a human would', () => {
    const bound = crashBound(anInstance({ priority: 150 }), anInstance({ priority: 80 }))
    expect(bound.formula).toBe('3 x 1 s + (256-80)/256 s = 3.69 s, less the age of the last advert, up to 1 s')
    expect(bound).toMatchObject({ minMs: 2687.5, maxMs: 3687.5 })
    expect(withSlack(bound, 'probe step', 50)).toMatchObject({
      formula: `${bound.formula}, + 0.05 s probe step`,
      minMs: 2687.5,
      maxMs: 3737.5,
    })
  })

  it('knows the figures of both versions', () => {
    const master = anInstance({ priority: 150 })
    const backup = anInstance({ priority: 100 })
    expect(stopBound(master, backup)).toMatchObject({ formula: '(256-100)/256 s = 0.609 s', maxMs: 609.375 })
    const fast = { version: 3 as const, advertInterval: 100 }
    const v3 = crashBound({ ...master, ...fast }, { ...backup, ...fast })
    expect([v3.minMs, v3.maxMs].map(ms => seconds(ms ?? 0))).toEqual(['0.261 s', '0.361 s'])
    expect(v3.formula).toMatch(/^3 x 0\.1 s \+ \(256-100\)\/256 x 0\.1 s = 0\.361 s/)
  })

  it("takes the master's interval in version 3, as the backup learns it from the adverts", () => {
    const master = anInstance({ version: 3, advertInterval: 500 })
    const backup = anInstance({ version: 3, advertInterval: 100, priority: 128 })
    expect(crashBound(master, backup)).toMatchObject({ minMs: 1250, maxMs: 1750 })
  })

  it('keeps stop below crash and the lower end below the upper', () => {
    fc.assert(
      fc.property(timers, timers, (master, backup) => {
        const crash = crashBound(master, backup)
        expect(stopBound(master, backup).maxMs).toBeLessThan(crash.maxMs)
        expect(crash.minMs).toBeLessThan(crash.maxMs)
        expect(crash.minMs).toBeGreaterThan(0)
      }),
    )
  })
})

describe('start and preemption', () => {
  it('waits the master-down interval, whatever the configured state; the owner does not wait', () => {
    expect(startBound(anInstance({ state: 'MASTER' }))).toMatchObject({ maxMs: 3609.375 })
    expect(startBound(anInstance({ priority: 255, state: 'MASTER' })).maxMs).toBe(0)
    expect(startBound(anInstance(), 10_000).formula).toBe('startup delay 10 s + 3 x 1 s + (256-100)/256 s = 13.61 s')
  })

  it('takes the VIP back after the master-down interval, later with preempt_delay, never with nopreempt', () => {
    const backup = anInstance()
    const back = anInstance({ priority: 150 })
    expect(preemptBound(back, backup)?.maxMs).toBeCloseTo(3414.06)
    expect(preemptBound({ ...back, preempt: false }, backup)).toBeUndefined()
    const late = preemptBound({ ...back, preemptDelay: 10_000 }, backup)
    expect(late?.formula).toBe('first advert 1 s + preempt_delay 10 s + 3 x 1 s + (256-150)/256 s = 14.41 s')
    expect(late?.minMs).toBeCloseTo(12_414.06)
  })
})

describe('outranking', () => {
  const backup = anInstance({ priority: 100 })

  it('runs from the last advert that was taken, only above the master and with preempt', () => {
    expect(outrankBound(anInstance({ priority: 99 }), backup)).toMatchObject({ minMs: 2609.375, maxMs: 3609.375 })
    expect(outrankBound(anInstance({ priority: 100 }), backup)).toBeUndefined()
    expect(outrankBound(anInstance({ priority: 99 }), { ...backup, preempt: false })).toBeUndefined()
  })

  it('waits no longer than a crash without a delay, and no shorter with one', () => {
    fc.assert(
      fc.property(timers, timers, fc.nat(20_000), (master, other, preemptDelay) => {
        const bound = outrankBound(master, { ...other, preemptDelay })
        expect(bound === undefined).toBe(other.priority <= master.priority)
        if (!bound) return
        expect(bound.minMs).toBeLessThanOrEqual(bound.maxMs)
        expect(bound.maxMs).toBeGreaterThanOrEqual(crashBound(master, other).maxMs + preemptDelay)
      }),
    )
  })
})

describe('silence', () => {
  it('is the same whatever the cause', () => {
    const [master, backup] = [anInstance({ priority: 150 }), anInstance()]
    for (const bound of [linkDownBound, freezeBound])
      expect(bound(master, backup)).toMatchObject({ maxMs: crashBound(master, backup).maxMs })
  })

  it('lasts longer with the interval in version 3, skew included, and with every advert that may be missed', () => {
    fc.assert(
      fc.property(timers, fc.integer({ min: 2, max: 5 }), (one, factor) => {
        const slow = { ...one, advertInterval: one.advertInterval * factor }
        if (one.version === 3) expect(skewTime(slow)).toBeCloseTo(skewTime(one) * factor)
        else expect(skewTime(slow)).toBe(skewTime(one))
        expect(masterDownInterval({ ...one, downTimerAdverts: one.downTimerAdverts + 1 })).toBeCloseTo(
          masterDownInterval(one) + one.advertInterval,
        )
      }),
    )
  })
})

describe('the interval on the wire', () => {
  it('has whole seconds in version 2, and hundredths in twelve bits in version 3', () => {
    expect(wireInterval(anInstance({ advertInterval: 1000 }))).toBe(1000)
    expect(wireInterval(anInstance({ advertInterval: 100, version: 3 }))).toBe(100)
    expect(wireInterval(anInstance({ advertInterval: 255_000, version: 3 }))).toBe(40_950)
  })
})

describe('how bounds are said', () => {
  it('rounds to what a reader needs', () => {
    expect([3687.5, 1000, 609.375, 60.9375, 0].map(seconds)).toEqual(['3.69 s', '1 s', '0.609 s', '0.0609 s', '0 s'])
    expect(describeBound(stopBound(anInstance(), anInstance()))).toBe('0.609 s to 0.609 s')
    expect(describeBound(startBound(anInstance()))).toBe('at most 3.61 s')
  })
})
