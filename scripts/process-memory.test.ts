import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, it } from 'vitest'
import { memoryOf } from './process-memory.ts'

it('counts a process with what it has started', async () => {
  const alone = memoryOf(process.pid)
  expect(alone).toBeGreaterThan(10e6)
  const child = spawn(process.execPath, [
    '-e',
    'const big = Buffer.alloc(64e6, 1); console.log(big.length); setInterval(() => {}, 1e9)',
  ])
  await once(child.stdout, 'data')
  expect(memoryOf(child.pid ?? 0)).toBeGreaterThan(64e6)
  expect(memoryOf(process.pid)).toBeGreaterThan(memoryOf(child.pid ?? 0))
  child.kill()
  await once(child, 'exit')
  expect(memoryOf(child.pid ?? 0)).toBe(0)
})
