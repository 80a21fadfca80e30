import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { guardScript } from './instance.ts'

const parent = mkdtempSync(path.join(os.tmpdir(), 'lvslab-guard-'))
afterAll(() => rmSync(parent, { recursive: true }))

/** Whether a process runs; one that has ended and is not waited for has no words any more. */
const runs = (pid: string): boolean => {
  const file = `/proc/${pid}/cmdline`
  return existsSync(file) && readFileSync(file, 'utf8') !== ''
}

it('a guard that is told to end before it has started passt leaves neither that nor its folder', async () => {
  const [dir, said] = [path.join(parent, 'run'), path.join(parent, 'pid')]
  mkdirSync(dir)
  const passt = ['sh', '-c', `echo $$ >${said}; echo 'You can now start qemu'; exec sleep 1000`]
  const script = guardScript({
    ...{ dir, passt, qemu: 'exec sleep 1000', stateIn: '/dev/null', copies: [], locks: [], keep: false },
    unpack: 'kill -TERM $$',
  })
  const guard = spawn('sh', ['-c', script], { stdio: ['pipe', 'pipe', 'ignore'] })
  await once(guard, 'exit')
  expect(existsSync(dir)).toBe(false)
  await expect.poll(() => runs(readFileSync(said, 'utf8').trim())).toBe(false)
})
