import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { stopUntil } from './stop-until.ts'

const started: number[] = []
const sleeper = (): number => {
  const pid = spawn('sleep', ['60'], { stdio: 'ignore' }).pid as number
  started.push(pid)
  return pid
}
afterEach(() => {
  for (const pid of started.splice(0)) process.kill(pid, 'SIGKILL')
})

/** `T` is stopped: proc_pid_stat(5). */
const state = (pid: number): string => readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ')[2] ?? ''
const states = (pids: number[]): string => pids.map(state).join('')
const listening = (then: string): string[] => ['sh', '-c', `echo listening on it >&2; ${then}`]

test('they stand still until the command ends', async () => {
  const pids = [sleeper(), sleeper()]
  const folder = mkdtempSync(path.join(tmpdir(), 'stop-until-'))
  await stopUntil(listening(`while [ -e ${folder} ]; do sleep 0.01; done`), pids)
  await expect.poll(() => states(pids)).toBe('TT')
  rmdirSync(folder)
  await expect.poll(() => states(pids)).toBe('SS')
})

test('woken, they go on at once', async () => {
  const pids = [sleeper()]
  const { wake } = await stopUntil(listening('exec sleep 61'), pids)
  await expect.poll(() => states(pids)).toBe('T')
  wake()
  await expect.poll(() => states(pids)).toBe('S')
  wake()
})

test('a command that ends before it is ready says why, and nothing was stopped', async () => {
  const pids = [sleeper()]
  await expect(stopUntil(['sh', '-c', 'echo no such device >&2; exit 1'], pids)).rejects.toThrow(
    '`sh` ended: no such device',
  )
  expect(state(pids[0] as number)).not.toBe('T')
})

test('one that has ended meanwhile does not keep the others from going on', async () => {
  const [gone, other] = [sleeper(), sleeper()]
  const { wake } = await stopUntil(listening('exec sleep 61'), [gone, other])
  await expect.poll(() => states([gone, other])).toBe('TT')
  process.kill(started.shift() as number, 'SIGKILL')
  await sleep(10)
  wake()
  await expect.poll(() => states([other])).toBe('S')
})
