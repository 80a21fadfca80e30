/**
 * Compares the models of the schedulers with the kernel's: the same random sequences of connections into both.
 *
 *   npm run bench -- schedulers                        200 cases for each scheduler
 *   npm run bench -- schedulers --scheduler wrr,sh --cases 1000 --seed 7
 *   npm run bench -- schedulers --case '{"scheduler":"rr",...}'   one case, as a difference printed it
 *
 * A quarter of the cases of a scheduler that counts connections goes on after their entries have expired.
 */
import { z } from 'zod'
import type { SchedulerAnswer, SchedulerCase } from '../../src/agent/scheduler-case.ts'
import { terminalSteps } from '../../src/cli/steps.ts'
import { ensureTemplate, forkLab, prepareEngine } from '../../src/lab/vm-labs.ts'
import { SCHEDULER_NAMES } from '../../src/model/schedulers/registry.ts'
import { loadTopology } from '../../src/topology/load.ts'
import { planTopology } from '../../src/verify/plan.ts'
import { benchOptions, json, list, oneOf, whole } from '../bench-options.ts'
import { EXACT, firstDifference, predict, randomCases, TWOS_LIMIT, twosEvenness } from '../../suites/scheduler-cases.ts'

const address = z.ipv4()
const port = z.int().min(1).max(65_535)
const [index, weight] = [z.int().nonnegative(), z.int().nonnegative()]

/** As a difference prints it. */
const schedulerCase = z.strictObject({
  scheduler: z.enum(SCHEDULER_NAMES),
  flags: z.array(z.string()),
  service: z.string(),
  port,
  servers: z.array(z.strictObject({ address, weight })).min(1),
  steps: z.array(
    z.discriminatedUnion('do', [
      z.strictObject({ do: z.literal('connect'), source: address, port, destination: address }),
      z.strictObject({ do: z.literal('close'), connection: index }),
      z.strictObject({ do: z.enum(['weight', 'add']), server: index, weight }),
      z.strictObject({ do: z.literal('remove'), server: index }),
      z.strictObject({ do: z.literal('expire') }),
    ]),
  ),
})

const values = benchOptions({
  cases: whole(1).default(200),
  seed: whole().default(() => Math.floor(Math.random() * 2 ** 31)),
  scheduler: list(oneOf(SCHEDULER_NAMES)).default([...SCHEDULER_NAMES]),
  case: json(schedulerCase).optional(),
})

const { seed, cases: count, scheduler: names } = values

using steps = terminalSteps(process.stderr)
const plan = planTopology(loadTopology('topologies/keepalived-dr'))
const prepared = await prepareEngine({ clock: 'default', steps })
const template = await ensureTemplate(prepared, plan.topology, plan.readiness, { steps })
await using lab = await forkLab(prepared, template, plan.topology, 'schedulers')

if (values.case !== undefined) {
  const one: SchedulerCase = values.case
  const [kernel] = await lab.schedule([one])
  console.log(`model  ${JSON.stringify(predict(one))}\nkernel ${JSON.stringify(kernel)}`)
  process.exitCode = kernel && firstDifference(one, kernel) ? 1 : 0
} else {
  console.log(`seed ${seed}, Linux ${prepared.build.versions.kernel ?? ''}`)
  for (const name of names) await compare(name)
}

/** Cases that expire wait for it together, so they are a batch of their own. */
function casesOf(name: (typeof names)[number]): SchedulerCase[][] {
  const expiring = Math.floor(count / 4)
  return [randomCases(name, count - expiring, seed), randomCases(name, expiring, seed + 1, { expiry: true })]
}

async function compare(name: (typeof names)[number]): Promise<void> {
  const started = performance.now()
  const batches = casesOf(name)
  const cases = batches.flat()
  const answers: SchedulerAnswer[] = []
  for (const batch of batches) answers.push(...(await lab.schedule(batch)))
  const connections = answers.reduce((sum, answer) => sum + answer.length, 0)
  const dropped = answers.flat().filter(server => server === null).length
  const took = `${((performance.now() - started) / 1000).toFixed(1)} s`
  const what = `${name.padEnd(5)} ${cases.length} cases, ${connections} connections (${dropped} that nobody got)`
  if (!EXACT.includes(name)) {
    const { observations, chiSquare, degrees } = twosEvenness(cases, answers)
    if (chiSquare > TWOS_LIMIT) process.exitCode = 1
    const figures = `chi-square ${chiSquare.toFixed(1)}, ${degrees} degrees of freedom, at most ${TWOS_LIMIT}`
    console.log(`${what}: ${figures}, of ${observations} choices, ${took}`)
    return
  }
  const differences = cases.flatMap((one, n) => firstDifference(one, answers[n] ?? []) ?? [])
  console.log(`${what}: ${cases.length - differences.length} equal, ${differences.length} different, ${took}`)
  const smallest = differences.toSorted((a, b) => a.upTo.steps.length - b.upTo.steps.length)[0]
  if (!smallest) return
  process.exitCode = 1
  console.log(`  connection ${smallest.connection}: model ${smallest.model}, kernel ${smallest.kernel}; the case:`)
  console.log(`  ${JSON.stringify(smallest.upTo)}`)
}
