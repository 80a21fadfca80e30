/**
 * Feeds mutated configurations to the readers of keepalived.conf, ipvsadm-save files and ldirectord.cf: each must end, with a
 * result or an error of its own, in 10 s of processor time. Needs no engine.
 *
 *   npm run bench -- fuzz                          a minute, from the files of topologies/
 *   npm run bench -- fuzz --minutes 10 --samples /usr/share/doc/keepalived/samples
 *   npm run bench -- fuzz --reader ldirectord      one reader alone; also ipvsadm, keepalived
 *   npm run bench -- fuzz --seed 7 --case 1234     one case again, as a finding printed it
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { readIpvsadm } from '../../src/config/ipvsadm.ts'
import { readDirector } from '../../src/config/keepalived/director.ts'
import { loadTree } from '../../src/config/keepalived/load.ts'
import type { Statement } from '../../src/config/keepalived/parse.ts'
import { readLdirectord } from '../../src/config/ldirectord.ts'
import { LvslabError, type Position } from '../../src/errors.ts'
import { benchOptions, number, oneOf, text, whole } from '../bench-options.ts'
import { type FuzzCase, fuzzCase, type FuzzReader, READERS, type Sample, samplesIn } from '../fuzz-cases.ts'
import { scratchFolder } from '../scratch-folder.ts'

/** A case that takes more of the processor than this is a finding, ms; how busy the host is does not count. */
const TOO_SLOW_MS = 10_000

const cpuMs = ({ user, system }: NodeJS.CpuUsage): number => (user + system) / 1000

/** Orders for the thread that reads, so that one that hangs can be ended and named. */
interface Orders {
  folders: string[]
  /** One of them alone. */
  reader: FuzzReader | undefined
  seed: number
  first: number
  /** Number of the case that is being read. */
  current: SharedArrayBuffer
  /** A folder that an include may look through. */
  root: string
}

interface Finding {
  case: number
  what: string
}

/** What the reading thread says after every case. */
interface Done {
  case: number
  bytes: number
  ms: number
  outcome: string
  finding?: string
}

const CONFIG = 'etc/keepalived/keepalived.conf'

/** Reads a case; returns `read`, or the code of the error, and throws whatever else happens. */
const readCase = ({ reader, bytes }: FuzzCase, root: string): string => {
  const file = path.join(root, CONFIG)
  writeFileSync(file, bytes)
  try {
    if (reader === 'ipvsadm') readIpvsadm(bytes.toString(), file)
    else if (reader === 'ldirectord') readLdirectord(bytes.toString(), file)
    else {
      checkPlaces(loadTree(root, `/${CONFIG}`, { instance: 'd1' }).statements, file, bytes)
      readDirector({ node: 'd1', root })
    }
    return 'read'
  } catch (error) {
    if (error instanceof LvslabError && error.exitCode === 2) return error.code
    throw error
  }
}

/** Nothing may stand elsewhere than it says: a word that no parameter made is found at its place. */
const checkPlaces = (statements: Statement[], file: string, bytes: Buffer): void => {
  const source = bytes.toString()
  if (/[$~\\]/.test(source) || source.includes('\uFFFD')) return
  const lines = source.split('\n')
  const inPlace = ({ file: name, line, column }: Position, word: string): boolean => {
    const rest = lines[line - 1]?.slice(column - 1)
    return name !== file || rest?.startsWith(word) === true || rest?.startsWith(`"${word}"`) === true
  }
  const open = [...statements]
  for (let one = open.pop(); one; one = open.pop()) {
    for (const { text: word, at } of one.words)
      if (!inPlace(at, word)) throw new Error(`${JSON.stringify(word)} is not at ${at.line}:${at.column}`)
    for (const inner of one.block ?? []) open.push(inner)
  }
}

const allSamples = ({ folders, reader }: Pick<Orders, 'folders' | 'reader'>): Sample[] => {
  const samples = folders.flatMap(samplesIn).filter(one => reader === undefined || one.reader === reader)
  if (samples.length > 0) return samples
  throw new LvslabError(
    'BENCH_NO_SAMPLES',
    `no configuration${reader ? ` of ${reader}` : ''} stands below ${folders.join(', ')}`,
    { exitCode: 2 },
  )
}

const runCase = (samples: Sample[], seed: number, n: number, root: string): Done => {
  const one = fuzzCase(samples, seed, n)
  const started = cpuMs(process.threadCpuUsage())
  const done = { case: n, bytes: one.bytes.length }
  try {
    const outcome = readCase(one, root)
    return { ...done, ms: cpuMs(process.threadCpuUsage()) - started, outcome }
  } catch (error) {
    const finding = `${one.from} (${one.reader}): ${error instanceof Error ? error.stack : String(error)}`
    return { ...done, ms: cpuMs(process.threadCpuUsage()) - started, outcome: 'finding', finding }
  }
}

/** Makes a folder the root of the node, which an include may look through. */
const rootIn = (root: string): string => {
  mkdirSync(path.join(root, path.dirname(CONFIG)), { recursive: true })
  writeFileSync(path.join(root, path.dirname(CONFIG), 'other.conf'), 'priority 90\n')
  return root
}

const readForEver = ({ seed, first, current, root, ...from }: Orders): void => {
  const samples = allSamples(from)
  const number = new Int32Array(current)
  for (let n = first; ; n++) {
    Atomics.store(number, 0, n)
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, no window
    parentPort?.postMessage(runCase(samples, seed, n, root))
  }
}

const fuzz = async (from: Pick<Orders, 'folders' | 'reader'>, seed: number, minutes: number): Promise<Finding[]> => {
  const findings: Finding[] = []
  const outcomes = new Map<string, number>()
  let slowest: Done | undefined
  let count = 0
  let bytes = 0
  const current = new SharedArrayBuffer(4)
  const root = rootIn(scratchFolder('fuzz'))
  const end = Date.now() + minutes * 60_000
  let next = 0
  while (Date.now() < end) {
    const orders: Orders = { ...from, seed, first: next, current, root }
    const worker = new Worker(new URL(import.meta.url), { workerData: orders })
    let heard = cpuMs(process.cpuUsage())
    worker.on('message', (done: Done) => {
      heard = cpuMs(process.cpuUsage())
      count++
      bytes += done.bytes
      outcomes.set(done.outcome, (outcomes.get(done.outcome) ?? 0) + 1)
      if (!slowest || done.ms > slowest.ms) slowest = done
      if (done.finding) findings.push({ case: done.case, what: done.finding })
      if (done.ms > TOO_SLOW_MS) findings.push({ case: done.case, what: `took ${(done.ms / 1000).toFixed(1)} s` })
    })
    const stopped = await new Promise<string | undefined>(resolve => {
      worker.on('error', error => resolve(String(error)))
      const watch = setInterval(() => {
        if (Date.now() < end && cpuMs(process.cpuUsage()) - heard < 3 * TOO_SLOW_MS) return
        clearInterval(watch)
        resolve(Date.now() >= end ? undefined : `did not end in ${(3 * TOO_SLOW_MS) / 1000} s of processor time`)
      }, 200)
      worker.on('exit', () => clearInterval(watch))
    })
    await worker.terminate()
    next = Atomics.load(new Int32Array(current), 0) + 1
    if (stopped !== undefined) findings.push({ case: next - 1, what: stopped })
  }
  const list = [...outcomes].toSorted((a, b) => b[1] - a[1]).map(([outcome, n]) => `${outcome} ${n}`)
  console.log(`${count} cases, ${(bytes / 2 ** 20).toFixed(0)} MiB: ${list.join(', ')}`)
  if (slowest)
    console.log(
      `slowest: case ${slowest.case}, ${(slowest.bytes / 1024).toFixed(0)} KiB in ${slowest.ms.toFixed(0)} ms, ${slowest.outcome}`,
    )
  return findings
}

if (isMainThread) {
  const values = benchOptions({
    minutes: number().default(1),
    seed: whole().default(1),
    case: whole().optional(),
    samples: text.default(''),
    reader: oneOf(READERS).optional(),
  })
  const from = {
    folders: ['topologies', ...(values.samples === '' ? [] : [values.samples])],
    reader: values.reader,
  }
  const again = values.reader === undefined ? '' : ` --reader ${values.reader}`
  if (values.case === undefined) {
    const findings = await fuzz(from, values.seed, values.minutes)
    for (const one of findings)
      console.log(`FINDING, npm run bench -- fuzz --seed ${values.seed}${again} --case ${one.case}: ${one.what}`)
    console.log(`${findings.length} findings`)
    if (findings.length > 0) process.exitCode = 1
  } else {
    const root = rootIn(mkdtempSync(path.join(tmpdir(), 'lvslab-fuzz-'))) // stays where there is something to see in it
    const done = runCase(allSamples(from), values.seed, values.case, root)
    console.log(`${done.outcome}, ${done.bytes} bytes, ${done.ms.toFixed(0)} ms, ${path.join(root, CONFIG)}`)
    if (done.finding) console.log(done.finding)
    else rmSync(root, { recursive: true })
  }
} else readForEver(workerData as Orders)
