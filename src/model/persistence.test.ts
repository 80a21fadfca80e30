import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  clientGroup,
  idleReleaseBound,
  releaseBound,
  shareTemplate,
  templateHolds,
  templateRelease,
  templateTimeout,
} from './persistence.ts'

describe('release of a persistent client', () => {
  it('is the timeout where no entry outlives it, and is put off by 60 s otherwise', () => {
    expect(templateRelease(360_000, 120_000)).toBe(360_000)
    expect(templateRelease(10_000, 120_000)).toBe(130_000)
    expect(templateRelease(150_000, 900_000)).toBe(930_000)
    expect(releaseBound(10_000, 120_000).formula).toBe(
      "persistence_timeout 10 s + 2 x 60 s while entries are left, up to 120 s = 130 s, + up to 1/8 by the kernel's timer wheel",
    )
    expect(releaseBound(150_000, 120_000).formula).toBe(
      "persistence_timeout 150 s = 150 s, + up to 1/8 by the kernel's timer wheel",
    )
  })

  it('of a client whose connections are closed counts the entries that outlive them', () => {
    expect(idleReleaseBound(360_000, 1_000, { servers: [{ forwarding: 'DR' }] })).toMatchObject({
      minMs: 360_000,
      maxMs: 405_000,
    })
    expect(idleReleaseBound(50_000, 1_000, { servers: [{ forwarding: 'DR' }] })).toMatchObject({
      minMs: 170_000,
      maxMs: 191_250,
    })
    // the last entry may be gone before the template's timer runs out for the second time, or after
    const either = idleReleaseBound(60_000, 1_000, { servers: [{ forwarding: 'DR' }] })
    expect(either).toMatchObject({ minMs: 120_000, maxMs: 202_500 })
    expect(either.formula).toContain('60 s + 2 x 60 s while entries are left, up to 136 s = 180 s')
    // one that lasted puts the template off once more
    expect(idleReleaseBound(60_000, 46_000, { servers: [{ forwarding: 'DR' }] })).toMatchObject({
      minMs: 120_000,
      maxMs: 270_000,
    })
  })

  it('counts them as lvs_timeouts has them, but for NAT', () => {
    const bound = (...methods: ('DR' | 'TUN' | 'NAT')[]) =>
      idleReleaseBound(50_000, 1_000, { servers: methods.map(forwarding => ({ forwarding })), finWait: 10_000 })
    expect(bound('DR', 'TUN')).toMatchObject({ minMs: 50_000, maxMs: 56_250 })
    expect(bound('NAT')).toMatchObject({ minMs: 170_000, maxMs: 191_250 })
    expect(bound('DR', 'NAT')).toMatchObject({ minMs: 50_000, maxMs: 191_250 })
  })

  it('has 60 s for good once it was put off', () => {
    expect(templateTimeout(150_000, 200_000)).toBe(60_000)
    expect(templateTimeout(150_000, 120_000)).toBe(150_000)
  })

  it('is never before the timeout nor before the last entry, and never 60 s too late', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3_000_000 }), fc.nat(3_000_000), (timeout, lastEntry) => {
        const at = templateRelease(timeout, lastEntry)
        expect(at).toBeGreaterThanOrEqual(Math.max(timeout, lastEntry))
        expect(at).toBeLessThan(Math.max(timeout, lastEntry) + 60_000)
        expect((at - timeout) % 60_000).toBe(0)
      }),
    )
  })
})

describe('client groups', () => {
  it('masks IPv4 and IPv6 addresses', () => {
    expect(clientGroup('10.1.2.3', 24)).toBe('10.1.2.0')
    expect(clientGroup('10.1.2.3', undefined)).toBe('10.1.2.3')
    expect(clientGroup('10.1.255.3', 20)).toBe('10.1.240.0')
    expect(clientGroup('10.1.2.3', 0)).toBe('0.0.0.0')
    expect(clientGroup('fd00::1:2', 64)).toBe('fd00::')
    expect(clientGroup('2001:db8:0:0:ffff::2', 64)).toBe('2001:db8::')
    expect(clientGroup('2001:db8:0:1::1', 64)).toBe('2001:db8:0:1::')
    expect(clientGroup('fd00:a:b:c:d:e:f:1', 120)).toBe('fd00:a:b:c:d:e:f:0')
    expect(clientGroup('::1', 128)).toBe('::1')
    expect(shareTemplate({ persistencePrefix: 24 }, '10.0.0.1', '10.0.0.254')).toBe(true)
    expect(shareTemplate({}, '10.0.0.1', '10.0.0.2')).toBe(false)
  })

  it('only grow when the prefix shrinks', () => {
    const address = fc.ipV4()
    fc.assert(
      fc.property(address, address, fc.integer({ min: 1, max: 32 }), (a, b, prefix) => {
        if (shareTemplate({ persistencePrefix: prefix }, a, b))
          expect(shareTemplate({ persistencePrefix: prefix - 1 }, a, b)).toBe(true)
      }),
    )
  })
})

describe('a template', () => {
  it('outlives weight 0 unless told otherwise, and never a deleted server', () => {
    const keeps = { expire_quiescent_template: 0 }
    expect(templateHolds({ inTable: true, weight: 0 }, keeps)).toBe(true)
    expect(templateHolds({ inTable: true, weight: 0 }, { expire_quiescent_template: 1 })).toBe(false)
    expect(templateHolds({ inTable: false, weight: 1 }, keeps)).toBe(false)
  })
})
