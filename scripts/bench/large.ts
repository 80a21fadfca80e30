/**
 * Measures how long `plan` and `verify` of a large configuration take, and how much memory: a pair of plain keepalived.conf files
 * with 100 services of 10 real servers each, made by chance from a seed.
 *
 *   npm run bench -- large
 *   npm run bench -- large --services 10 --servers 4 --seed 7
 *   npm run bench -- large --plan-alone true            without an engine
 *   npm run bench -- large --to FOLDER                  writes the files alone, to be looked at
 *
 * The time of `verify` is without the building of the engine where that is in the cache. Memory and
 * processor time are those of all processes together.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { LvslabError } from '../../src/errors.ts'
import { makeFolder } from '../../src/history/make-folder.ts'
import type { RunReport } from '../../src/report/run.ts'
import { benchOptions, clock, oneOf, text, whole } from '../bench-options.ts'
import { largePair } from '../large-pair.ts'
import { usageOf } from '../process-usage.ts'
import { scratchFolder } from '../scratch-folder.ts'

const values = benchOptions({
  services: whole(1).default(100),
  servers: whole(1).default(10),
  seed: whole().default(1),
  to: text.optional(),
  'plan-alone': oneOf(['true', 'false']).default('false'),
  clock: clock.default('default'),
})

let running: ChildProcess | undefined
// what is running cleans up; that it is told twice, by Ctrl-C, does no harm
const scratch = scratchFolder('large', signal => (running ? void running.kill(signal) : process.exit(130)))

const pair = values.to ?? path.join(scratch, 'large-pair')
await makeFolder(pair)
for (const [node, configuration] of Object.entries(largePair(values))) {
  mkdirSync(path.join(pair, node), { recursive: true })
  writeFileSync(path.join(pair, node, 'keepalived.conf'), configuration)
}
console.log(`${values.services} services x ${values.servers} real servers, seed ${values.seed}`)
if (values.to === undefined) {
  const plan = await lvslab('plan', pair, '--json')
  const { promises, untested } = JSON.parse(plan.stdout) as { promises: unknown[]; untested: unknown[] }
  console.log(`plan: ${said(plan)}; ${promises.length} promises, ${untested.length} untested`)
}
if (values.to === undefined && values['plan-alone'] === 'false') {
  const on = values.clock === 'default' ? [] : ['--clock', values.clock]
  const verify = await lvslab('verify', pair, '--json', '--reports', path.join(scratch, 'reports'), ...on)
  if (verify.code === 2 || verify.stdout === '')
    throw new LvslabError('BENCH_VERIFY', `verify ended with ${verify.code}`)
  const report = JSON.parse(verify.stdout) as RunReport
  const count = (outcome: string): number => report.results.filter(one => one.outcome === outcome).length
  const counts = ['PASS', 'FAIL', 'INCONCLUSIVE'].map(outcome => `${count(outcome)} ${outcome}`).join(', ')
  console.log(`verify: ${said(verify)}; ${counts}`)
  for (const { outcome, title, reason } of report.results)
    if (outcome !== 'PASS') console.log(`  ${outcome}  ${title}\n    ${reason}`)
  for (const { what, why } of report.untested) console.log(`  untested: ${what}: ${why}`)
}

interface Ended {
  code: number | null
  stdout: string
  tookMs: number
  /** bytes, at most */
  memory: number
  /** Processor time of all processes; what came in the last half second of one is not in it. */
  cpuSeconds: number
}

function said({ tookMs, memory, cpuSeconds }: Ended): string {
  return `${(tookMs / 1000).toFixed(2)} s, ${cpuSeconds.toFixed(1)} s of processor time, at most ${(memory / 2 ** 30).toFixed(2)} GiB`
}

/** Runs the command line; its progress is shown. */
async function lvslab(...args: string[]): Promise<Ended> {
  const started = performance.now()
  const child = spawn('sh', [path.join(import.meta.dirname, '../lvslab'), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  running = child
  let memory = 0
  const cpu = new Map<number, number>()
  const look = setInterval(() => {
    const usage = usageOf(child.pid ?? 0)
    memory = Math.max(memory, usage.memory)
    for (const [pid, seconds] of usage.cpu) cpu.set(pid, seconds || (cpu.get(pid) ?? 0))
  }, 500)
  let stdout = ''
  child.stdout.setEncoding('utf8').on('data', chunk => (stdout += chunk))
  const { promise, resolve } = Promise.withResolvers<number | null>()
  child.on('close', resolve)
  const code = await promise
  running = undefined
  clearInterval(look)
  const cpuSeconds = [...cpu.values()].reduce((total, seconds) => total + seconds, 0)
  return { code, stdout, memory, cpuSeconds, tookMs: performance.now() - started }
}
