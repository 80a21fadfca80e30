/**
 * Measures what the virtual clock promises: idle time is leapt over, and a run from a saved lab is the same run every time,
 * whatever else the host has to do.
 *
 *   npm run bench -- clock                      60 s of idling, 20 crashes, half of them on a busy host
 *   npm run bench -- clock --runs 6 --clock real
 *   npm run bench -- clock --runs 0            the idling alone
 */
import { spawn } from 'node:child_process'
import os from 'node:os'
import { terminalSteps } from '../../src/cli/steps.ts'
import { LvslabError } from '../../src/errors.ts'
import { eventsOf, longestGap, requestsOf } from '../../src/history/queries.ts'
import { ensureTemplate, forkLab, prepareEngine } from '../../src/lab/vm-labs.ts'
import { loadTopology } from '../../src/topology/load.ts'
import { planTopology } from '../../src/verify/plan.ts'
import { benchOptions, clock, noPair, number, text, whole } from '../bench-options.ts'

const values = benchOptions({
  topology: text.default('topologies/keepalived-dr'),
  clock: clock.default('default'),
  runs: whole().default(20),
  idle: number().default(60),
})

using steps = terminalSteps(process.stderr)
const plan = planTopology(loadTopology(values.topology))
const prepared = await prepareEngine({ clock: values.clock, steps })
const template = await ensureTemplate(prepared, plan.topology, plan.readiness, { steps })
console.log(`${plan.topology.name}, ${prepared.spec.accelerator}, ${prepared.spec.clock} clock`)

/** What the virtual clock promises: the same times whatever the host does, ms. How long idling takes is the machine's affair. */
const ADVERT_SPREAD_MS = 5

const promised = (what: string, value: number, limit: number): void => {
  if (prepared.spec.clock !== 'virtual' || value < limit) return
  console.log(
    `FAIL ${what}: ${value.toFixed(1)} ms, less than ${limit.toFixed(0)} ms are promised: two forks of one lab did not go the same way`,
  )
  process.exitCode = 1
}

{
  await using lab = await forkLab(prepared, template, plan.topology, 'idle')
  /** Interrupts of the guest's processors by their own timers so far: what an idle lab costs is what wakes it. */
  const timerInterrupts = async (): Promise<number> => {
    const { stdout } = await lab.exec(plan.client, ['grep', 'LOC:', '/proc/interrupts'])
    return (stdout.match(/\b\d+\b/g) ?? []).reduce((sum, count) => sum + Number(count), 0)
  }
  const interrupts = await timerInterrupts()
  const [started, before] = [performance.now(), await lab.now()]
  await lab.sleep(values.idle * 1000)
  const [took, passed] = [performance.now() - started, (await lab.now()) - before]
  const woken = ((await timerInterrupts()) - interrupts) / (passed / 1000)
  console.log(
    `${(passed / 1000).toFixed(2)} s of an idle converged pair took ${(took / 1000).toFixed(2)} s of real time; ` +
      `${woken.toFixed(0)} timer interrupts a second`,
  )
}

/** ms after the origin of the fork: when the probe starts, when the MASTER crashes, when it is over. */
const [PROBE_AT, CRASH_AT, END_AT] = [8_000, 10_000, 16_000]
const RATE = 50

const [vip] = plan.vips
const [master, backup] = vip?.members ?? []
const service = plan.services[0]
if (!master || !backup || !service) throw noPair(plan.topology.name)

const run = async (name: string): Promise<{ advert: number; gap: number; opened: number; took: number }> => {
  const started = performance.now()
  await using lab = await forkLab(prepared, template, plan.topology, name)
  const opened = (await lab.now()) - lab.origin
  const probe = { probe: 'clients', client: plan.client, url: service.url, rate: RATE }
  await Promise.all([
    lab.at(lab.origin + PROBE_AT, () => lab.http({ ...probe, count: ((END_AT - PROBE_AT) * RATE) / 1000 })),
    lab.at(lab.origin + CRASH_AT, () => lab.inject('keepalived-crash', master.node)),
    lab.at(lab.origin + END_AT + 1_000, () => lab.mark('over')),
  ])
  const crash = eventsOf(lab.history, 'fault')[0]
  const advert = eventsOf(lab.history, 'advert').find(event => event.node === backup.node && event.t > (crash?.t ?? 0))
  const gap = longestGap(requestsOf(lab.history, 'clients'), crash?.t ?? 0)
  if (!crash || !advert || !gap) throw new LvslabError('BENCH_NO_FAILOVER', `${name}: no failover was seen`)
  return { advert: advert.t - crash.t, gap: gap.length, opened, took: performance.now() - started }
}

/** Prints from where to where, and holds it against a limit. */
const spread = (what: string, numbers: number[], limit: number): void => {
  const [least, most] = [Math.min(...numbers), Math.max(...numbers)]
  console.log(
    `${numbers.length} runs, ${what}: ${least.toFixed(2)} to ${most.toFixed(2)} ms, spread ${(most - least).toFixed(2)} ms`,
  )
  promised(`spread of ${what}`, most - least, limit)
}

/** Keeps every processor of the host busy until it is disposed. */
const busyHost = (): Disposable => {
  const burners = os.cpus().map(() => spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' }))
  return { [Symbol.dispose]: () => burners.forEach(burner => burner.kill('SIGKILL')) }
}

const { runs } = values
const found: Awaited<ReturnType<typeof run>>[] = []
for (let n = 0; n < runs; n++) {
  using _busy = n % 2 === 1 ? busyHost() : undefined
  const one = await run(`crash-${n}`)
  found.push(one)
  const host = n % 2 === 1 ? 'busy' : 'idle'
  console.log(
    `  ${n} (${host} host): first advert of ${backup.node} ${one.advert.toFixed(2)} ms after the crash, ` +
      `client gap ${one.gap.toFixed(2)} ms; open at origin + ${one.opened.toFixed(0)} ms, ${(one.took / 1000).toFixed(2)} s`,
  )
}
if (runs > 0) {
  const step = 1000 / RATE
  spread(
    'crash to first advert',
    found.map(one => one.advert),
    ADVERT_SPREAD_MS,
  )
  spread(
    `client gap (a probe step is ${step} ms)`,
    found.map(one => one.gap),
    step,
  )
}
