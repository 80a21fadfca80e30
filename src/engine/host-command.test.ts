import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterEach, expect, it, vi } from 'vitest'
import { host } from './host-command.ts'

afterEach(() => void vi.unstubAllEnvs())

it.each([undefined, '0', '1', '7'])("runs nothing of the user's .bashrc, SHLVL %s", async level => {
  const dir = await mkdtemp(path.join(os.tmpdir(), 'lvslab-test-'))
  await writeFile(path.join(dir, '.bashrc'), 'echo from .bashrc >&2\n')
  vi.stubEnv('HOME', dir)
  vi.stubEnv('SHLVL', level)
  const { stdout, stderr } = await host()`echo done`
  expect([stdout, stderr]).toEqual(['done\n', ''])
  await rm(dir, { recursive: true })
})
