import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { LabEvent } from '../history/event.ts'
import { sayer } from './sayer.ts'

const event = (t: number) => ({ event: { kind: 'mark', t, label: 'x' } satisfies LabEvent, to: 'harness' })

const lines = (text: string): unknown[] =>
  text
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as unknown)

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
afterEach(() => void vi.useRealTimers())

test('events within a tenth of a second go out in one write, in their order', () => {
  const write = vi.fn<(text: string) => void>()
  const say = sayer(write)
  say(event(1))
  vi.advanceTimersByTime(60)
  say(event(2))
  vi.advanceTimersByTime(39)
  expect(write).not.toHaveBeenCalled()
  vi.advanceTimersByTime(1)
  expect(write.mock.calls.map(([text]) => lines(text))).toEqual([[event(1), event(2)]])
})

test('an event waits no longer for those that go on coming', () => {
  const write = vi.fn<(text: string) => void>()
  const say = sayer(write)
  for (let t = 0; t < 1000; t += 10) {
    say(event(t))
    vi.advanceTimersByTime(10)
  }
  expect(write).toHaveBeenCalledTimes(10)
})

test('a reply goes out at once, after the events that came before it, and with what is said in the same moment', async () => {
  const write = vi.fn<(text: string) => void>()
  const say = sayer(write)
  say(event(1))
  say({ id: 'a-7', result: { t: 2 } })
  say({ id: 'a-8', result: { t: 2 } })
  say(event(3))
  await new Promise(resolve => process.nextTick(resolve))
  expect(write.mock.calls.map(([text]) => lines(text))).toEqual([
    [event(1), { id: 'a-7', result: { t: 2 } }, { id: 'a-8', result: { t: 2 } }, event(3)],
  ])
  vi.advanceTimersByTime(1000)
  expect(write).toHaveBeenCalledTimes(1)
})

test('trouble waits for nothing', async () => {
  const write = vi.fn<(text: string) => void>()
  const trouble = { event: { kind: 'trouble', t: 2, what: 'x' } satisfies LabEvent, to: 'harness' }
  const say = sayer(write)
  say(event(1))
  say(trouble)
  await new Promise(resolve => process.nextTick(resolve))
  expect(write.mock.calls.map(([text]) => lines(text))).toEqual([[event(1), trouble]])
})
