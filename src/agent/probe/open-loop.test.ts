import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { type LoopClock, openLoop } from './open-loop.ts'
import type { Sent } from './running.ts'

/** A clock that goes on when it is told to, and calls back late by what it is told. */
const handClock = () => {
  let [time, timer]: [number, { at: number; call: () => void } | undefined] = [1000, undefined]
  const clock: LoopClock = {
    now: () => time,
    after: (ms, call) => {
      timer = { at: time + ms, call }
      return () => {
        timer = undefined
      }
    },
  }
  /** Lets time pass up to the next callback, which comes so many ms late. */
  const step = (lateMs = 0): void => {
    const due = timer
    timer = undefined
    if (!due) return
    time = due.at + lateMs
    due.call()
  }
  return { clock, step, idle: () => timer === undefined }
}

const settled = async (): Promise<void> => {
  for (let i = 0; i < 5; i++) await Promise.resolve()
}

describe('the open loop', () => {
  test('sends at its rate, whether or not anything is answered', () => {
    const { clock, step } = handClock()
    const times: number[] = []
    openLoop(
      { rate: 50, send: () => (times.push(clock.now()), new Promise(() => {})), ended: () => expect.unreachable() },
      clock,
    )
    for (let i = 0; i < 4; i++) step()
    expect(times).toEqual([1000, 1020, 1040, 1060, 1080])
  })

  test('held up, it sends all that were due at once, with the moments at which they were, and counts the late ones', async () => {
    const { clock, step, idle } = handClock()
    const due: number[] = []
    let sent: Sent | undefined
    const send = (_n: number, scheduled: number): Promise<void> => {
      due.push(scheduled)
      return Promise.resolve()
    }
    openLoop({ rate: 100, count: 6, send, ended: is => (sent = is) }, clock)
    step()
    step(25)
    expect(due).toEqual([1000, 1010, 1020, 1030, 1040])
    step()
    await settled()
    // 1020 left 25 ms after it was due, 1030 15 ms: later than the slot of 10 ms; 1040 only 5 ms
    expect(sent).toEqual({ sent: 6, late: 2, lateAfterMs: 10 })
    expect(idle()).toBe(true)
  })

  test('waits for the next one before it sends one', () => {
    const { clock, step, idle } = handClock()
    const waiting: boolean[] = []
    openLoop({ rate: 50, count: 3, send: async () => void waiting.push(!idle()), ended: () => {} }, clock)
    step()
    step()
    expect(waiting).toEqual([true, true, false])
  })

  test('waits for whole milliseconds: of others Node cuts the rest off, and its loop is woken too soon', () => {
    const wait = vi.spyOn(globalThis, 'setTimeout')
    openLoop({ rate: 0.3, send: () => new Promise(() => {}), ended: () => {} })()
    expect(wait.mock.calls.map(([, ms]) => Number.isInteger(ms))).toEqual([true])
    wait.mockRestore()
  })

  test('ends once, when the last answer is in, also one that failed', async () => {
    const { clock, step } = handClock()
    let ends = 0
    let fail = (): void => {}
    const send = (): Promise<void> => new Promise((_, reject) => (fail = () => reject(new Error('no'))))
    const stop = openLoop({ rate: 1, send, ended: () => void ends++ }, clock)
    stop()
    stop()
    step()
    await settled()
    expect(ends).toBe(0)
    fail()
    await settled()
    expect(ends).toBe(1)
  })

  test('leaves none out and shifts none, however late it is called', () => {
    const delays = fc.array(fc.integer({ min: 0, max: 500 }), { minLength: 1, maxLength: 50 })
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1000 }), delays, (rate, lateness) => {
        const { clock, step } = handClock()
        const due: number[] = []
        const send = (n: number, scheduled: number): Promise<void> => {
          expect(n).toBe(due.length)
          expect(scheduled).toBeLessThanOrEqual(clock.now())
          due.push(scheduled)
          return Promise.resolve()
        }
        openLoop({ rate, send, ended: () => {} }, clock)
        for (const late of lateness) step(late)
        due.forEach((t, n) => expect(t).toBeCloseTo(1000 + (n * 1000) / rate, 6))
      }),
    )
  })
})
