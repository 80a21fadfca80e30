import { Refusal } from './refusal.ts'
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises'

/** ms on the lab's clock: the kernel's monotonic clock, the same for every process of the engine. */
export const now = (): number => Number(process.hrtime.bigint() / 1000n) / 1000

/** More than this between the two ways to read the wall clock, and somebody has set it since this process began; ms. */
const CLOCK_WAS_SET_MS = 2

/** Turns a wall-clock stamp of the same kernel (ms, as tcpdump writes it) into the lab's clock. */
export const fromWallClock = (wallMs: number): number => {
  const coarse = Date.now() // whole ms, follows every step of the wall clock
  const fine = performance.timeOrigin + performance.now() // the wall clock at this process's beginning, exact from there on
  const wall = Math.abs(fine - coarse) < CLOCK_WAS_SET_MS ? fine : coarse
  return now() - (wall - wallMs)
}

/** Timers of Node are whole milliseconds: the last one is waited for turn by turn. */
const TIMER_MS = 1

/** @throws Refusal where a moment of the lab's clock is past already */
export const refusePast = (at: number): void => {
  const late = now() - at
  if (late <= 0) return
  const remedy = 'hand it over earlier, or at a later moment: lab.origin + 5_000, or (await lab.now()) + 500'
  throw new Refusal(`the moment ${at.toFixed(1)} ms of the lab's clock was ${late.toFixed(1)} ms ago`, remedy)
}

/** Waits for a moment of the lab's clock; not at all where it is past. */
export const reach = async (at: number): Promise<void> => {
  while (at - now() > TIMER_MS) await sleep(Math.max(1, Math.floor(at - now() - TIMER_MS)))
  while (now() < at) await turn()
}
