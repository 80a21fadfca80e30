import { expect, test } from 'vitest'
import { anInstance } from './examples.ts'
import { syncedBound } from './sync-group.ts'
import { linkDownBound, stopBound } from './vrrp.ts'

const fast = { version: 3, advertInterval: 200 } as const
const [master, backup] = [anInstance({ ...fast, priority: 150 }), anInstance({ ...fast, priority: 100 })]

test('members that move alike move when each would', () => {
  const stop = stopBound(master, backup)
  expect(syncedBound([stop])).toBe(stop)
  expect(syncedBound([stop, stop])).toMatchObject({ formula: stop.formula, minMs: stop.minMs, maxMs: stop.maxMs })
})

test('a member that hears a goodbye waits for the one that finds silence', () => {
  const [silence, goodbye] = [linkDownBound(master, backup), stopBound(master, backup)]
  for (const both of [
    [silence, goodbye],
    [goodbye, silence],
  ] as const) {
    const { formula, minMs, maxMs } = syncedBound(both)
    expect([minMs, maxMs]).toEqual([silence.minMs, silence.maxMs])
    expect(formula).toContain(silence.formula)
    expect(formula).toContain(goodbye.formula)
  }
})

test('the earliest moment is that of the member that is last at the earliest', () => {
  const member = { name: 'VIP', formula: '', source: '' }
  const bound = syncedBound([
    { ...member, minMs: 300, maxMs: 400 },
    { ...member, maxMs: 900 },
  ])
  expect([bound.minMs, bound.maxMs]).toEqual([300, 900])
})
