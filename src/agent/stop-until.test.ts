import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { stopUntil } from './stop-until.ts'

let sleepers: ChildProcess[]
let pids: number[]
let folder: string
beforeEach(() => {
  sleepers = [1, 2].map(() => spawn('sleep', ['60'], { stdio: 'ignore' }))
  pids = sleepers.map(one => one.pid as number)
  folder = mkdtempSync(path.join(tmpdir(), 'stop-until-'))
})
afterEach(() => {
  for (const one of sleepers) one.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

/** Of each process, `T` where it is stopped (proc_pid_stat(5)); nothing where there is none. */
const states = (processes: number[]): string =>
  processes
    .map(pid => (existsSync(`/proc/${pid}`) ? readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ')[2] : ''))
    .join('')

/** Runs until the folder is gone, or for good. */
const listening = (): string[] => [
  'sh',
  '-c',
  `echo $$ >${folder}/pid; echo listening on it >&2; while [ -e ${folder} ]; do sleep 0.01; done`,
]

test('they stand still until the command ends', async () => {
  await stopUntil(listening(), pids)
  await expect.poll(() => states(pids)).toBe('TT')
  rmSync(folder, { recursive: true })
  await expect.poll(() => states(pids)).toBe('SS')
})

test('woken, they go on at once, and the command is gone', async () => {
  const { wake } = await stopUntil(listening(), pids)
  await expect.poll(() => states(pids)).toBe('TT')
  const command = Number(readFileSync(path.join(folder, 'pid'), 'utf8'))
  wake()
  await expect.poll(() => states(pids)).toBe('SS')
  await expect.poll(() => states([command])).toMatch(/^Z?$/)
  wake()
})

test('they go on when the command ends, even if whoever had them stopped has been killed', async () => {
  const program = `
    const { stopUntil } = await import(${JSON.stringify(path.join(import.meta.dirname, 'stop-until.ts'))})
    await stopUntil(${JSON.stringify(listening())}, ${JSON.stringify(pids)})
    process.kill(process.pid, 'SIGKILL')`
  const killed = spawn(process.execPath, ['--input-type=module', '--eval', program], { stdio: 'ignore' })
  expect(await once(killed, 'exit')).toEqual([null, 'SIGKILL'])
  expect(states(pids)).toBe('TT')
  rmSync(folder, { recursive: true })
  await expect.poll(() => states(pids)).toBe('SS')
})

test('they go on where the command ends as soon as it is ready, be it before they were stopped', async () => {
  for (let i = 0; i < 10; i++) {
    await stopUntil(['sh', '-c', 'echo listening on it >&2'], pids)
    await expect.poll(() => states(pids), { interval: 5 }).toBe('SS')
  }
})

test('a command that ends before it is ready says why, and nothing was stopped', async () => {
  const stopped = stopUntil(['sh', '-c', 'echo no such device >&2; exit 1'], pids)
  await expect(stopped).rejects.toThrow('`sh` ended: no such device')
  expect(states(pids)).not.toContain('T')
})

test('one that has ended meanwhile does not keep the others from going on', async () => {
  const { wake } = await stopUntil(listening(), pids)
  await expect.poll(() => states(pids)).toBe('TT')
  const last = sleepers[1] as ChildProcess // which is the first to go on
  last.kill('SIGKILL')
  await once(last, 'exit')
  wake()
  await expect.poll(() => states(pids)).toBe('S')
})
