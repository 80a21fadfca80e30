/**
 * Measures how fast a probe can go: the share of requests that left late at rising rates, each on a fork of its own, and the
 * ceiling, the highest rate with less than 1% late.
 *
 *   sh scripts/run scripts/bench/probes.ts [--clock real|virtual] [--seconds 5] [--rates 50,100,150]
 */
import { parseArgs } from 'node:util'
import { clockOf } from '../../src/cli/engine-arguments.ts'
import { terminalSteps } from '../../src/cli/steps.ts'
import { eventsOf } from '../../src/history/queries.ts'
import { ensureTemplate, forkLab, prepareEngine } from '../../src/lab/vm-labs.ts'
import { loadTopology } from '../../src/topology/load.ts'
import { planTopology } from '../../src/verify/plan.ts'

const { values } = parseArgs({
  options: {
    topology: { type: 'string', default: 'topologies/keepalived-dr' },
    clock: { type: 'string' },
    seconds: { type: 'string', default: '5' },
    rates: { type: 'string', default: '50,100,150,200,250,300,400' },
    urls: { type: 'string', default: 'http://10.0.0.100/' },
  },
})

using steps = terminalSteps(process.stderr)
const plan = planTopology(loadTopology(values.topology))
const prepared = await prepareEngine({ clock: clockOf(values.clock), steps })
const template = await ensureTemplate(prepared, plan.topology, plan.readiness, { steps })
const { accelerator, clock, cpus } = prepared.spec
console.log(`${plan.topology.name}, ${accelerator}, ${clock} clock, ${cpus} processor(s), ${values.seconds} s each`)

const quantile = (sorted: number[], q: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN

for (const url of values.urls.split(',')) {
  let ceiling = 0
  for (const rate of values.rates.split(',').map(Number)) {
    await using lab = await forkLab(prepared, template, plan.topology, `bench ${rate}`)
    const probe = await lab.http({ probe: 'bench', client: plan.client, url, rate })
    await lab.sleep(Number(values.seconds) * 1000)
    await probe.stop()
    const requests = eventsOf(lab.events, 'request')
    const { sent = 0, late = 0 } = eventsOf(lab.events, 'probe').findLast(event => event.phase === 'stop') ?? {}
    const share = late / sent
    const sorted = (times: number[]): number[] => times.sort((a, b) => a - b)
    const delay = sorted(requests.map(r => r.t - r.scheduled))
    const answer = sorted(requests.map(r => r.done - r.scheduled))
    const failed = requests.filter(r => r.outcome !== 'answered').length
    if (share < 0.01 && failed === 0) ceiling = rate
    const ms = (times: number[]): string => [0.5, 0.99, 1].map(q => quantile(times, q).toFixed(1)).join('/')
    const firstSecond = requests.filter(
      r => r.t - r.scheduled > 1000 / rate && r.scheduled - (requests[0]?.scheduled ?? 0) < 1000,
    ).length
    console.log(
      `${url} ${rate}/s: ${(share * 100).toFixed(2)}% late of ${sent}, (${firstSecond} in the first second), ${failed} not answered; ` +
        `sent after ${ms(delay)} ms, answered after ${ms(answer)} ms (median/99%/longest)`,
    )
  }
  console.log(`${url} ceiling: ${ceiling}/s`)
}
