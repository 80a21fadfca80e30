import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { onOwnProcessor, parseProcessors, processorsToTry } from './processors.ts'

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
    const end = async (): Promise<void> => {
      child.stdin.end()
      if (child.exitCode === null) await once(child, 'exit')
    }
    return { on: parseProcessors(/list: (.*)/.exec(said)?.[1] ?? ''), batch: said.includes('SCHED_BATCH'), end }
  }

  test('has it alone, and another goes elsewhere until it has ended', async () => {
    const all = await processorsToTry()
    const first = all.slice(0, 1)
    const one = await start(first)
    expect(one).toMatchObject({ on: first, batch: true })
    const other = await start(first)
    expect(other).toMatchObject({ on: all.toSorted((a, b) => a - b), batch: false })
    await one.end()
    const next = await start(first)
    expect(next).toMatchObject({ on: first, batch: true })
    await other.end()
    await next.end()
  })

  test('runs anywhere where the lock cannot be made', async () => {
    const script = onOwnProcessor(['echo', "it's on"], [0], path.join(locks, 'missing'))
    const { stdout, status } = spawnSync('sh', ['-c', script], { encoding: 'utf8' })
    expect([stdout, status]).toEqual(["it's on\n", 0])
  })
})
