/**
 * Measures how fast a client's probe can go: the share of requests that left late at rising rates, each on a fork of its own,
 * the ceiling, the highest rate up to which less than 1% were late and all were answered, and what a request costs the host.
 *
 *   npm run bench -- probes [--clock real|virtual] [--seconds 5] [--http 50,100,150] [--https 10,20]
 */
import { terminalSteps } from '../../src/cli/steps.ts'
import { requestsOf } from '../../src/history/queries.ts'
import { ensureTemplate, forkLab, type LabTemplate, prepareEngine } from '../../src/lab/vm-labs.ts'
import { loadTopology } from '../../src/topology/load.ts'
import { type Plan, planTopology } from '../../src/verify/plan.ts'
import { benchOptions, clock as clockOption, list, number } from '../bench-options.ts'
import { usageOf } from '../process-usage.ts'

const values = benchOptions({
  clock: clockOption.default('default'),
  seconds: number(1).default(5),
  http: list(number(1)).default([50, 100, 150, 200, 250, 300, 400]),
  https: list(number(1)).default([10, 20, 30, 40, 50, 75, 100]),
})
const CASES = [
  { topology: 'topologies/keepalived-dr', url: 'http://10.0.0.100/', rates: values.http },
  { topology: 'topologies/keepalived-tcp-udp', url: 'https://10.0.0.100/', rates: values.https },
]

/** A probe that is this far behind goes no further. */
const HOPELESS = 0.2

/** What a client's HTTP probe promises on either clock, requests/s: fewer than {@link LATE} of them late, all answered. */
const PROMISED = 100
const LATE = 0.01

using steps = terminalSteps(process.stderr)
const prepared = await prepareEngine({ clock: values.clock, steps })
const { accelerator, clock, cpus } = prepared.spec
console.log(`${accelerator}, ${clock} clock, ${cpus} processor(s), ${values.seconds} s at each rate`)

/** Median, 99th percentile and longest. */
const spread = (times: number[]): string => {
  const sorted = times.toSorted((a, b) => a - b)
  const at = (q: number): string => (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? 0).toFixed(1)
  return `${at(0.5)} / ${at(0.99)} / ${at(1)} ms`
}

/** Of this process and the emulator that it has started, s. */
const processorTime = (): number => [...usageOf(process.pid).cpu.values()].reduce((total, cpu) => total + cpu, 0)

/** Runs a probe at a rate and prints how it went; the share that left late, 1 where one was not answered. */
const measure = async (plan: Plan, template: LabTemplate, url: string, rate: number): Promise<number> => {
  await using lab = await forkLab(prepared, template, plan.topology, `bench ${rate}`)
  const before = processorTime()
  const probe = await lab.http({ probe: 'bench', client: plan.client, url, rate })
  await lab.sleep(values.seconds * 1000)
  await probe.stop()
  const spent = processorTime() - before
  const requests = [...requestsOf(lab.history, 'bench')]
  const start = requests[0]?.scheduled ?? 0
  const late = requests.filter(r => r.t - r.scheduled > 1000 / rate)
  const failed = requests.filter(r => r.outcome !== 'answered').length
  const share = late.length / requests.length
  console.log(
    `${String(rate).padStart(4)}/s  ${(share * 100).toFixed(2).padStart(6)}% late ` +
      `(${late.filter(r => r.scheduled - start < 1000).length} of ${late.length} in the first second), ${failed} not answered; ` +
      `left after ${spread(requests.map(r => r.t - r.scheduled))}, answered after ${spread(requests.map(r => r.done - r.scheduled))}; ` +
      `${((spent / requests.length) * 1000).toFixed(1)} ms of the host's processors for each`,
  )
  return failed > 0 ? 1 : share
}

for (const { topology, url, rates } of CASES) {
  if (rates.length === 0) continue
  const plan = planTopology(loadTopology(topology))
  const template = await ensureTemplate(prepared, plan.topology, plan.readiness, { steps })
  console.log(`${url} (times after a request was due: median / 99th percentile / longest)`)
  let [ceiling, below] = [0, true]
  for (const rate of rates) {
    const share = await measure(plan, template, url, rate)
    below &&= share < LATE
    if (below) ceiling = rate
    if (share > HOPELESS) break
  }
  console.log(`${url} ceiling: ${ceiling}/s`)
  if (url.startsWith('https:') || !rates.some(rate => rate <= PROMISED && rate > ceiling)) continue
  console.log(`FAIL: ${PROMISED}/s are promised; is the machine busy with something else? uptime`)
  process.exitCode = 1
}
