import { expect, it } from 'vitest'
import { History, historyOf } from '../history/history.ts'
import { bound, fault } from './examples.ts'
import { allowed, breach, duration, fromFault, schedulingOf, withScheduling } from './limit.ts'

const native = new History()

it('keeps a bound to the millisecond, at both ends where it has two', () => {
  const both = bound(20, 10)
  expect([9, 10, 20, 21].map(value => breach(value, both))).toEqual(['early', undefined, undefined, 'late'])
  expect([0, 20, 21].map(value => breach(value, bound(20)))).toEqual([undefined, undefined, 'late'])
  expect(allowed(both)).toBe('(0.01 s to 0.02 s allowed: 20 ms)')
})

it('moves the upper end by what the fault took, and both by scheduling', () => {
  const slow = fault(0, 'netem', 'd1', 'heal', 300)
  expect(fromFault(native, bound(1000, 500), slow, 100)).toMatchObject({
    minMs: 400,
    maxMs: 1400,
    formula: '1000 ms, + 0.3 s that the heal took, + 0.1 s scheduling',
  })
  expect(fromFault(native, bound(1000, 50), slow, 100).minMs).toBe(0)
  expect(fromFault(native, bound(1000), fault(0, 'netem', 'd1'), 0)).toEqual(bound(1000))
  expect(fromFault(native, bound(1000), slow, 100)).not.toHaveProperty('minMs')
})

it("leaves an emulated processor four times as much where its clock is the host's", () => {
  const on = (processor: 'native' | 'emulated', clock: 'real' | 'virtual') =>
    historyOf([{ kind: 'machine', t: 0, processor, clock }])
  expect(schedulingOf(native, 100)).toBe(100)
  expect(schedulingOf(on('native', 'real'), 100)).toBe(100)
  expect(schedulingOf(on('emulated', 'virtual'), 100)).toBe(100)
  expect(schedulingOf(on('emulated', 'real'), 100)).toBe(400)
  expect(withScheduling(on('emulated', 'real'), bound(1000), 100)).toMatchObject({
    maxMs: 1400,
    formula: '1000 ms, + 0.4 s scheduling of an emulated processor in real time',
  })
  expect(fromFault(on('emulated', 'real'), bound(1000, 500), fault(0, 'netem', 'd1'), 100)).toMatchObject({
    minMs: 100,
  })
})

it('puts a duration beside its bound where it has one', () => {
  expect(duration('gap', 5)).toStrictEqual({ name: 'gap', value: 5, unit: 'ms' })
  expect(duration('gap', 5, bound(9))).toEqual({ name: 'gap', value: 5, unit: 'ms', bound: bound(9) })
})
