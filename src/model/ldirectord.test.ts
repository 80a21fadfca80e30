import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  LDIRECTORD_DEFAULTS,
  type LdirectordCheck,
  ldirectordCheck,
  ldirectordDownBound,
  ldirectordFailed,
  ldirectordReloadBound,
  type LdirectordService,
  ldirectordTimeouts,
  ldirectordUpBound,
} from './ldirectord.ts'

const check = (changes: Partial<LdirectordCheck> = {}): LdirectordCheck => ({
  ...LDIRECTORD_DEFAULTS,
  type: 'negotiate',
  timeout: 30_000,
  ...changes,
})

describe('timeouts', () => {
  it("are each other's default, the own section before the global one", () => {
    expect(ldirectordTimeouts({}, {})).toEqual({ checkTimeout: 5000, negotiateTimeout: 30_000 })
    expect(ldirectordTimeouts({ negotiateTimeout: 7000 }, { checkTimeout: 1000 })).toEqual({
      checkTimeout: 7000,
      negotiateTimeout: 7000,
    })
    expect(ldirectordTimeouts({}, { checkTimeout: 1000 })).toEqual({ checkTimeout: 1000, negotiateTimeout: 1000 })
  })
})

describe('the check of a service', () => {
  const own: LdirectordService = {
    service: {
      ...{ name: '10.0.0.1:80/TCP', protocol: 'TCP', scheduler: 'wrr', forwarding: 'DR', quorum: 1, hysteresis: 0 },
      ...{ alpha: false, realServers: [], at: { file: 'ldirectord.cf', line: 1, column: 1 } },
    },
    ...{ checkType: 'negotiate', protocol: 'http', asked: [], httpMethod: 'GET', others: [] },
  }

  it('has the defaults of ldirectord, then those of the file, then its own', () => {
    expect(ldirectordCheck(own, { global: {}, fork: false })).toEqual({
      type: 'negotiate',
      timeout: 30_000,
      ...LDIRECTORD_DEFAULTS,
    })
    const global = { checkTimeout: 3000, interval: 1000, failureCount: 2, quiescent: false }
    expect(ldirectordCheck(own, { global, fork: false })).toMatchObject({
      timeout: 3000,
      interval: 1000,
      failureCount: 2,
    })
    const connect = { ...own, checkType: 'connect' as const, negotiateTimeout: 4000, failureCount: 5, quiescent: true }
    expect(ldirectordCheck(connect, { global, fork: false })).toMatchObject({
      timeout: 4000,
      failureCount: 5,
      quiescent: true,
    })
  })

  it('has an interval of its own where it has a process of its own', () => {
    const often = { ...own, interval: 2000 }
    expect(ldirectordCheck(often, { global: {}, fork: false })?.interval).toBe(10_000)
    expect(ldirectordCheck(often, { global: {}, fork: true })?.interval).toBe(2000)
  })

  it('is not known for other kinds', () => {
    for (const checkType of ['combined', 'external', 'on', 'off'] as const)
      expect(ldirectordCheck({ ...own, checkType }, { global: {}, fork: false })).toBeUndefined()
    // nobody is asked
    expect(ldirectordCheck({ ...own, protocol: 'none' }, { global: {}, fork: false })).toBeUndefined()
  })
})

describe('ldirectord', () => {
  it('counts rounds: the pause, the other servers, and the attempt', () => {
    expect(ldirectordDownBound(check(), 'refused')).toMatchObject({
      formula: '1 x (checkinterval 10 s) = 10 s',
      minMs: 0,
      maxMs: 10_000,
    })
    expect(ldirectordDownBound(check({ failureCount: 3, timeout: 5000 }), 'silent', 5000)).toMatchObject({
      formula: '3 x (checkinterval 10 s + other servers 5 s + timeout 5 s) = 60 s',
      minMs: 45_000,
      maxMs: 60_000,
    })
    expect(ldirectordUpBound(check({ failureCount: 3 }), 'silent')?.maxMs).toBe(40_000)
  })

  it('sees a wrong answer by negotiating only, and a hanging one within its timeout', () => {
    expect(ldirectordDownBound(check({ type: 'connect', timeout: 5000 }), 'wrong-answer')).toBeUndefined()
    expect(ldirectordDownBound(check({ type: 'connect', timeout: 5000 }), 'hanging')).toBeUndefined()
    expect(ldirectordDownBound(check(), 'wrong-answer')?.maxMs).toBe(10_000)
    expect(ldirectordDownBound(check(), 'slow-drip')?.maxMs).toBe(40_000)
  })

  it('pings as often as checkcount says', () => {
    const ping = check({ type: 'ping', timeout: 2000, checkCount: 3 })
    expect(ldirectordDownBound(ping, 'silent')?.maxMs).toBe(16_000)
    expect(ldirectordDownBound(ping, 'refused')).toBeUndefined()
  })

  it('removes a failed server, and keeps it with weight 0 where quiescent is on', () => {
    expect(ldirectordFailed(check())).toBe('gone')
    expect(ldirectordFailed(check({ quiescent: true }))).toEqual({ weight: 0 })
  })

  it('looks at its configuration once in a round, and checks what it has read', () => {
    expect(ldirectordReloadBound(check())).toMatchObject({ formula: 'checkinterval 10 s = 10 s', maxMs: 10_000 })
    expect(ldirectordReloadBound(check({ interval: 1000 }), 3000)).toMatchObject({
      formula: 'checkinterval 1 s + 2 x checks 3 s = 7 s',
      maxMs: 7000,
    })
  })

  it('never takes less time with more to wait for', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), fc.nat(9000), fc.nat(9000), (failureCount, timeout, others) => {
        const one = check({ failureCount, timeout })
        const silent = ldirectordDownBound(one, 'silent', others)
        expect(silent?.maxMs).toBeGreaterThanOrEqual(ldirectordDownBound(one, 'refused', others)?.maxMs ?? Number.NaN)
        expect(silent?.minMs).toBeLessThanOrEqual(silent?.maxMs ?? Number.NaN)
      }),
    )
  })
})
