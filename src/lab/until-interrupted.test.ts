import { expect, it } from 'vitest'
import { untilInterrupted } from './until-interrupted.ts'

const NEVER = new Promise<never>(() => {})

it('is what the work comes to', async () => {
  const { signal } = new AbortController()
  expect(await untilInterrupted(Promise.resolve(1), signal)).toBe(1)
  expect(await untilInterrupted(Promise.resolve(2), undefined)).toBe(2)
  await expect(untilInterrupted(Promise.reject(new Error('broken')), signal)).rejects.toThrow('broken')
})

it('ends with the interrupt, before it or while it goes on, and what the work comes to later bothers nobody', async () => {
  const controller = new AbortController()
  const work = Promise.withResolvers<never>()
  const waiting = untilInterrupted(work.promise, controller.signal)
  controller.abort(new Error('interrupted'))
  await expect(waiting).rejects.toThrow('interrupted')
  await expect(untilInterrupted(NEVER, controller.signal)).rejects.toThrow('interrupted')
  work.reject(new Error('its engine is gone')) // unhandled, it would end this process
})
