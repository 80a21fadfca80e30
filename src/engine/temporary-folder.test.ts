import os from 'node:os'
import { afterEach, expect, it, vi } from 'vitest'
import { beginIn } from './temporary-folder.ts'

afterEach(() => void vi.unstubAllEnvs())

it.each([undefined, '/var/tmp'])('is another while something begins, and then what it was: %s', async before => {
  vi.stubEnv('TMPDIR', before)
  const usual = os.tmpdir()
  const begun = beginIn('/somewhere', async () => {
    const first = os.tmpdir()
    await Promise.resolve()
    return [first, os.tmpdir()]
  })
  expect(os.tmpdir()).toBe(usual)
  expect(await begun).toEqual(['/somewhere', usual])
  expect(() =>
    beginIn('/somewhere', () => {
      throw new Error('no')
    }),
  ).toThrow('no')
  expect([os.tmpdir(), process.env['TMPDIR']]).toEqual([usual, before])
})
