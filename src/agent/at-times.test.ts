import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { atTimes } from './at-times.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** Something that takes 10 ms, and knows when it began. */
const slow = (): { began: number[]; run: () => Promise<number> } => {
  const began: number[] = []
  const start = performance.now()
  const run = async (): Promise<number> => {
    began.push(performance.now() - start)
    await new Promise(resolve => setTimeout(resolve, 10))
    return began.length
  }
  return { began, run }
}

it('begins at once where it has rested', async () => {
  const { began, run } = slow()
  const read = atTimes(run, 3)
  void read()
  await vi.advanceTimersByTimeAsync(100)
  void read()
  await vi.advanceTimersByTimeAsync(100)
  expect(began).toEqual([0, 100])
})

it('rests after each run, and begins one for all who asked meanwhile', async () => {
  const { began, run } = slow()
  const read = atTimes(run, 3)
  const first = read()
  await vi.advanceTimersByTimeAsync(5)
  const others = [read(), read()]
  await vi.advanceTimersByTimeAsync(20)
  others.push(read())
  await vi.advanceTimersByTimeAsync(100)
  expect(await Promise.all([first, ...others])).toEqual([1, 2, 2, 2])
  expect(began).toEqual([0, 40])
})

it('has who asks while the next one runs wait for one after it', async () => {
  const { began, run } = slow()
  const read = atTimes(run, 3)
  const all = [read(), read()]
  await vi.advanceTimersByTimeAsync(45)
  all.push(read())
  await vi.advanceTimersByTimeAsync(100)
  expect(await Promise.all(all)).toEqual([1, 2, 3])
  expect(began).toEqual([0, 40, 80])
})

it('goes on after a run that failed', async () => {
  let runs = 0
  const read = atTimes(async () => {
    if (++runs === 1) throw new Error('no table')
    return runs
  }, 0)
  await expect(read()).rejects.toThrow('no table')
  await vi.advanceTimersByTimeAsync(1)
  expect(await read()).toBe(2)
})
