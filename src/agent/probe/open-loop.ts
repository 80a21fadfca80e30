import { now } from '../clock.ts'
import type { Sent, StopProbe } from './running.ts'

/** A request counts as late when it left after its own slot, the time until the next one, was over; ms. */
export const lateAfterMs = (rate: number): number => 1000 / rate

/** The clock that a loop goes by. */
export interface LoopClock {
  now(): number
  /** Calls back once, in so many ms; returns what takes that back. */
  after(ms: number, call: () => void): () => void
}

const LAB_CLOCK: LoopClock = {
  now,
  // Node cuts fractions of a millisecond off: woken too soon, its loop would wait for another one, and be woken twice for a request
  after: (ms, call) => {
    const timer = setTimeout(call, Math.ceil(ms))
    return () => clearTimeout(timer)
  },
}

export interface OpenLoop {
  /** requests/s */
  rate: number
  /** End by itself after so many requests. */
  count?: number
  /** Sends request n, which was due at `scheduled` (ms on the lab's clock); resolves when its end is known. */
  send: (n: number, scheduled: number) => Promise<unknown>
  /** Called once, when no more are sent and the end of all is known. */
  ended: (sent: Sent) => void
}

/**
 * Sends request n at start + n / rate, whatever became of those before it. One that could not leave in time leaves as soon as
 * it can, and none is left out: each has the moment at which it was due, so that time that the loop was kept waiting is part
 * of every measurement and never hidden (no coordinated omission).
 */
export const openLoop = ({ rate, count, send, ended }: OpenLoop, clock: LoopClock = LAB_CLOCK): StopProbe => {
  const interval = lateAfterMs(rate)
  const start = clock.now()
  let [n, late, open, stopping] = [0, 0, 0, false]
  let takeBack = (): void => {}
  const stop = (): void => {
    if (stopping) return
    stopping = true
    takeBack()
    end()
  }
  const end = (): void => {
    if (stopping && open === 0) ended({ sent: n, late, lateAfterMs: interval })
  }
  const settle = (): void => {
    open--
    end()
  }
  const waitUntil = (due: number): boolean => {
    const wait = due - clock.now()
    if (wait > 0) takeBack = clock.after(wait, tick)
    return wait > 0
  }
  const tick = (): void => {
    while (!stopping) {
      const due = start + n * interval
      if (waitUntil(due)) return
      if (clock.now() - due > interval) late++
      open++
      const last = ++n === count
      // before it is sent: Node's timers do not see the time that sending takes
      const waiting = !last && waitUntil(start + n * interval)
      void send(n - 1, due).then(settle, settle)
      if (last) stop()
      if (waiting) return
    }
  }
  tick()
  return stop
}
