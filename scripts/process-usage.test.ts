import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, it } from 'vitest'
import { usageOf } from './process-usage.ts'

const memory = (pid: number | undefined): number => usageOf(pid ?? 0).memory

it('counts a process with what it has started', async () => {
  const alone = memory(process.pid)
  expect(alone).toBeGreaterThan(10e6)
  const child = spawn(process.execPath, [
    '-e',
    'const big = Buffer.alloc(64e6, 1); console.log(big.length); setInterval(() => {}, 1e9)',
  ])
  await once(child.stdout, 'data')
  expect(memory(child.pid)).toBeGreaterThan(64e6)
  expect(memory(process.pid)).toBeGreaterThan(memory(child.pid))
  child.kill()
  await once(child, 'exit')
  expect(memory(child.pid)).toBe(0)
})

it('counts the processor time of each', () => {
  for (let n = 0, end = performance.now() + 30; performance.now() < end; n++);
  expect(usageOf(process.pid).cpu.get(process.pid)).toBeGreaterThan(0.02)
})
