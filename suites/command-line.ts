import { spawn } from 'node:child_process'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { onTestFinished } from 'vitest'

export interface Finished {
  code: number | null
  stdout: string
  stderr: string
}

/** A run of the command line, as a user starts it. */
export interface Running {
  finished: Promise<Finished>
  kill: (signal: NodeJS.Signals) => void
  /** Resolves when standard error has this text, or the run is over. */
  says: (text: string) => Promise<void>
}

/** Starts `lvslab` with these arguments. */
export const startLvslab = (args: string[], environment: Record<string, string> = {}): Running => {
  const child = spawn('sh', ['scripts/lvslab', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
  })
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString()
  })
  const finished = new Promise<Finished>(resolve => child.on('close', code => resolve({ code, stdout, stderr })))
  const said = (text: string): Promise<void> =>
    new Promise(resolve => {
      const look = (): void => void (stderr.includes(text) && resolve())
      child.stderr.on('data', look)
      look()
    })
  return {
    finished,
    kill: signal => void child.kill(signal),
    says: text => Promise.race([said(text), finished.then(() => {})]),
  }
}

/** Runs `lvslab` to its end. */
export const lvslab = (args: string[], environment?: Record<string, string>): Promise<Finished> =>
  startLvslab(args, environment).finished

/** A folder that is gone after the test. */
export const temporaryDir = async (): Promise<string> => {
  const dir = await mkdtemp(path.join(os.tmpdir(), 'lvslab-suite-'))
  onTestFinished(() => rm(dir, { recursive: true, force: true }))
  return dir
}

/** A copy of a topology, with a file of it changed. */
export const changedTopology = async (
  from: string,
  file: string,
  change: (text: string) => string,
): Promise<string> => {
  const dir = path.join(await temporaryDir(), path.basename(from))
  await cp(from, dir, { recursive: true })
  const changed = path.join(dir, file)
  const before = await readFile(changed, 'utf8')
  const after = change(before)
  if (after === before) throw new Error(`${file} does not have what was to be changed`)
  await writeFile(changed, after)
  return dir
}
