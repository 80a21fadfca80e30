import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { allowedProcessors, onOwnProcessor, parseProcessors } from './processors.ts'

describe('processors', () => {
  test('are listed one by one and in ranges', () => {
    expect(parseProcessors('\t0-2,5\n')).toEqual([0, 1, 2, 5])
    expect(parseProcessors('7')).toEqual([7])
    expect(parseProcessors('')).toEqual([])
  })
})

describe('a command on a processor of its own', () => {
  let locks = ''
  beforeEach(() => {
    locks = mkdtempSync(path.join(os.tmpdir(), 'lvslab-processors-'))
  })
  afterEach(() => rmSync(locks, { recursive: true }))

  /** Where it may run, and by which policy. */
  const SAYS = ['sh', '-c', 'taskset --cpu-list --pid $$; chrt --pid $$; read _']

  /** Starts it, and waits until it has said where it is. */
  const start = async (processors: number[]) => {
    const child = spawn('sh', ['-c', onOwnProcessor(SAYS, processors, locks)], { stdio: ['pipe', 'pipe', 'inherit'] })
    let said = ''
    for await (const line of createInterface(child.stdout)) if ((said += `${line}\n`).includes('priority')) break
    return { said, end: () => child.stdin.end() }
  }

  test('it has that processor alone, and the next one goes elsewhere until it has ended', async () => {
    const allowed = await allowedProcessors()
    const [first = 0] = allowed
    const one = await start([first])
    expect(one.said).toMatch(new RegExp(`affinity list: ${first}\\n`))
    expect(one.said).toContain('SCHED_BATCH')
    const other = await start([first])
    expect(parseProcessors(/list: (.*)/.exec(other.said)?.[1] ?? '')).toEqual(allowed)
    other.end()
    one.end()
  })

  test('where the lock cannot be made, it runs anywhere', async () => {
    const script = onOwnProcessor(['echo', "it's on"], [0], path.join(locks, 'missing'))
    const { stdout, status } = spawnSync('sh', ['-c', script], { encoding: 'utf8' })
    expect([stdout, status]).toEqual(["it's on\n", 0])
  })
})
