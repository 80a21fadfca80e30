/**
 * Measures what labs cost, in one run, since absolute times drift from one to the next.
 *
 *   npm run bench -- forks                       forks: one at a time, two at a time; what an emulator translates for one
 *   npm run bench -- forks --baseline SCRIPT     and the same pair deployed by a shell script on the same engine
 *
 * SCRIPT gets an image name, and DOCKER_HOST in its environment; it prints `ready_ms=N`, the time until the VIP serves from
 * both real servers. It needs the docker command line.
 */
import { $ } from 'zx'
import { terminalSteps } from '../../src/cli/steps.ts'
import { forkEngine, type VmEngine } from '../../src/engine/vm/vm-engine.ts'
import { requestsOf } from '../../src/history/queries.ts'
import { imageName } from '../../src/lab/images.ts'
import { ensureTemplate, forkLab, type LabTemplate, type PreparedEngine, prepareEngine } from '../../src/lab/vm-labs.ts'
import { loadTopology } from '../../src/topology/load.ts'
import { type Plan, planTopology } from '../../src/verify/plan.ts'
import { benchOptions, clock, file, noPair, text, whole } from '../bench-options.ts'
import { repeat } from '../repeat.ts'

const values = benchOptions({
  topology: text.default('topologies/keepalived-dr'),
  clock: clock.default('default'),
  forks: whole(1).default(40),
  baseline: file.optional(),
  rounds: whole(1).default(5),
})

using steps = terminalSteps(process.stderr)
const plan = planTopology(loadTopology(values.topology))

const quantile = (sorted: number[], q: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN

const summary = (times: number[]): string => {
  const sorted = times.toSorted((a, b) => a - b)
  const ms = (q: number): string => `${(quantile(sorted, q) / 1000).toFixed(2)} s`
  return `median ${ms(0.5)}, 95th percentile ${ms(0.95)}, longest ${ms(1)}`
}

const print = (what: string, { results: times, errors: failed }: { results: number[]; errors: string[] }): void => {
  console.log(`${what}: ${summary(times)} (${times.length} runs, ${failed.length} failed)`)
  for (const why of failed) console.log(`  ${why}`)
}

/** From nothing to a lab whose agent has looked at every director. */
const forkTime = (prepared: PreparedEngine, template: LabTemplate, of: Plan) => async (): Promise<number> => {
  const started = performance.now()
  await using _lab = await forkLab(prepared, template, of.topology, 'bench')
  return performance.now() - started
}

/** From nothing to the first requests that both real servers have served through IPVS. */
const servedTime = (prepared: PreparedEngine, template: LabTemplate, of: Plan) => async (): Promise<number> => {
  const started = performance.now()
  await using lab = await forkLab(prepared, template, of.topology, 'bench')
  const service = of.services[0]
  if (!service) throw noPair(of.topology.name)
  const probe = await lab.http({ probe: 'first', client: of.client, url: service.url, rate: 100, count: 4 })
  await probe.ended()
  const served = new Set(
    requestsOf(lab.history, 'first')
      .filter(e => e.outcome === 'answered')
      .map(e => e.server),
  )
  if (served.size < service.servers.length) throw new Error(`only ${[...served].join(', ')} served`)
  return performance.now() - started
}

/** An emulator translates what a guest runs, and begins anew in each fork. Prints its own count of the blocks, as a fork goes on. */
const printTranslated = async (prepared: PreparedEngine, template: LabTemplate, of: Plan): Promise<void> => {
  const [service, director] = [of.services[0], of.directors[0]]
  if (!service || director === undefined) throw noPair(of.topology.name)
  await using lab = await forkLab(prepared, template, of.topology, 'bench')
  const { monitor } = (lab.engine as VmEngine).instance
  const translated = async (after: string): Promise<string> => {
    const said = await monitor.command('info jit')
    const count = /TB count\s+(\d+)/.exec(said)?.[1]
    if (count === undefined) throw new Error(`QEMU's \`info jit\` has no TB count: ${said}`)
    return `${count} ${after}`
  }
  const counts = [await translated('when it answers')]
  await lab.sleep(10_000)
  counts.push(await translated('after 10 s'))
  const probe = await lab.http({ probe: 'p', client: of.client, url: service.url, rate: 50, count: 150 })
  await probe.ended()
  counts.push(await translated('after 150 requests'))
  await lab.exec(director, ['ipvsadm', '-Ln'])
  counts.push(await translated('after a command'))
  console.log(`blocks that a fork had translated: ${counts.join(', ')}`)
}

const prepared = await prepareEngine({ clock: values.clock, steps })
const template = await ensureTemplate(prepared, plan.topology, plan.readiness, { steps })
console.log(
  `${plan.topology.name}, ${prepared.spec.accelerator}, ${prepared.spec.clock} clock, ${prepared.spec.cpus} processor(s)`,
)

const { forks } = values
print('fork, one at a time', await repeat(forks, 1, forkTime(prepared, template, plan)))
print('fork, two at a time', await repeat(forks, 2, forkTime(prepared, template, plan)))
const served = await repeat(values.rounds, 1, servedTime(prepared, template, plan))
print('first requests served through IPVS, from a fork', served)

if (prepared.spec.accelerator === 'tcg') await printTranslated(prepared, template, plan)

if (values.baseline !== undefined) {
  // the script waits on the host's clock, so it gets an engine on that clock
  const real = await prepareEngine({ clock: 'real', steps })
  const base = imageName('base', 'rootfs') // as it was imported: the script brings its own commands
  await using engine = await forkEngine(real.build, real.spec, real.images, 'private')
  const baseline = await repeat(values.rounds, 1, async () => {
    const run = await $({
      quiet: true,
      env: { ...process.env, ...engine.environment },
    })`bash ${values.baseline} ${base}`
    const ready = /ready_ms=(\d+)/.exec(run.stdout)?.[1]
    if (ready === undefined) throw new Error(`the script printed no ready_ms: ${run.stdout}`)
    return Number(ready)
  })
  print(`first requests served through IPVS, by ${values.baseline}`, baseline)
  const median = (times: number[]): number =>
    quantile(
      times.toSorted((a, b) => a - b),
      0.5,
    )
  console.log(`the fork is ${(median(baseline.results) / median(served.results)).toFixed(1)} times sooner`)
}
