import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { soonAfter } from './soon-after.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const runsOf = (ms: number, calls: number[]): number[] => {
  const began = performance.now()
  const runs: number[] = []
  const soon = soonAfter(ms, () => runs.push(performance.now() - began))
  for (const at of calls) setTimeout(soon, at)
  vi.runAllTimers()
  return runs
}

it('runs so long after each call', () => {
  expect(runsOf(100, [10, 60, 300])).toEqual([110, 160, 400])
  expect(runsOf(5, [10])).toEqual([15])
})

it('runs once for all calls of one moment, and not before the time of the last', () => {
  expect(
    runsOf(
      20,
      Array.from({ length: 1000 }, () => 50),
    ),
  ).toEqual([70])
  const calls = Array.from({ length: 200 }, (_, n) => n)
  const runs = runsOf(20, calls)
  expect(runs.length).toBeLessThan(15)
  expect(runs.at(-1)).toBe(219)
})
