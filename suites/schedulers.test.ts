import { describe, expect } from 'vitest'
import { AGENT_NODE, containerName } from '../src/lab/names.ts'
import type { SchedulerName } from '../src/model/schedulers/registry.ts'
import { labTest } from '../src/suite/lab-test.ts'
import {
  byDestination,
  EXACT,
  firstDifference,
  openOrClosed,
  randomCases,
  TWOS_LIMIT,
  twosEvenness,
} from './scheduler-cases.ts'
import { run } from './steps.ts'

const test = labTest('topologies/keepalived-dr')

/** scripts/bench/schedulers.ts plays many more. */
const CASES = 10

/** Another one in every run; a failure names it. */
const seed = Math.floor(Math.random() * 2 ** 31)

describe(`the models and the kernel, seed ${seed}`, () => {
  test('agree about who gets each connection', async ({ lab }) => {
    process.stderr.write(`schedulers: ${CASES} cases for each of ${EXACT.length}, seed ${seed}\n`)
    const cases = EXACT.flatMap((name, n) => randomCases(name, CASES, seed + n, { first: n * CASES }))
    const answers = await lab.schedule(cases)
    for (const name of EXACT) {
      const got = answers.filter((_, n) => cases[n]?.scheduler === name).flat()
      expect(
        got.some(server => server !== null),
        `somebody gets connections of ${name}`,
      ).toBe(true)
    }
    expect(cases.flatMap((one, n) => firstDifference(one, answers[n] ?? []) ?? [])).toEqual([])
  })

  test('agree where the address that is asked decides: 64 of them have every server, one has one', async ({ lab }) => {
    const cases = (['dh', 'lblc', 'lblcr'] as const).flatMap((name, n) =>
      [64, 1].map((destinations, m) => byDestination(name, destinations, 2 * n + m)),
    )
    const answers = await lab.schedule(cases)
    expect(cases.flatMap((one, n) => firstDifference(one, answers[n] ?? []) ?? [])).toEqual([])
    expect(answers.map(servers => new Set(servers).size)).toEqual([3, 1, 3, 1, 3, 1])
    // a kernel with other weights than the model would be noticed
    const others = cases.map(one => ({
      ...one,
      servers: one.servers.map(({ address }, n) => ({ address, weight: [1, 3, 2][n] ?? 0 })),
    }))
    const differing = others.filter((one, n) => firstDifference(one, answers[n] ?? [])).map(one => one.scheduler)
    expect(differing).toEqual(expect.arrayContaining(['lblc', 'lblcr']))
  })

  test('agree that an open connection of wlc counts 257 closed ones', async ({ lab }) => {
    const cases = [25_601, 25_699, 25_701].map(openOrClosed)
    const answers = await lab.schedule(cases)
    expect(answers.map(servers => servers.at(-1))).toEqual([0, 0, 1])
    expect(cases.flatMap((one, n) => firstDifference(one, answers[n] ?? []) ?? [])).toEqual([])
  })

  test('twos chooses as often as its chances say', async ({ lab }) => {
    const cases = randomCases('twos', CASES, seed)
    const { chiSquare, observations } = twosEvenness(cases, await lab.schedule(cases))
    expect(observations).toBeGreaterThan(CASES)
    expect(chiSquare).toBeLessThan(TWOS_LIMIT)
  })

  test('agree after the closed connections have expired', { meta: { labTime: 180 } }, async ({ lab }) => {
    const cases = randomCases('wlc', CASES, seed, { expiry: true })
    const answers = await lab.schedule(cases)
    expect(cases.flatMap((one, n) => firstDifference(one, answers[n] ?? []) ?? [])).toEqual([])
  })

  test('leave nothing behind, also when a case is refused', async ({ lab }) => {
    const [one] = randomCases('rr', 1, seed)
    const impossible = { ...one, scheduler: 'nonsense' } as NonNullable<typeof one>
    await expect(lab.schedule([impossible])).rejects.toThrow(/ipvsadm/)
    const agent = lab.engine.docker.getContainer(containerName(lab.topology, AGENT_NODE))
    const { Processes } = (await lab.engine.awake(() => agent.top())) as { Processes: string[][] }
    const commands = Processes.map(columns => columns.join(' '))
    expect(commands.some(command => command.includes('/usr/lib/lvslab/agent.cjs'))).toBe(true)
    // the namespaces live as long as these processes
    expect(commands.filter(command => command.includes('agent.cjs scheduler'))).toEqual([])
  })
})

test('what clients get is judged by the models: each connection goes where its scheduler sends it', async ({ lab }) => {
  const vip = '10.0.0.100'
  const sources = await lab.addSources('c1', { count: 10 })
  const placement = (probe: string, scheduler: SchedulerName) => ({
    ...{ probe, scheduler, director: 'd1', service: `TCP ${vip}:80`, destination: vip },
    names: { '10.0.0.10:80': 'rs1', '10.0.0.20:80': 'rs2' },
  })
  const edit = (line: string) => run(lab, 'd1', `ipvsadm ${line}`)
  await edit(`-e -t ${vip}:80 -r 10.0.0.10:80 -g -w 3`)
  for (const scheduler of ['wlc', 'sed', 'sh', 'mh'] as const) {
    await edit(`-E -t ${vip}:80 -s ${scheduler}`)
    await lab.snapshot()
    const options = { client: 'c1', url: `http://${vip}/`, rate: 20, count: 30, sources }
    await (await lab.http({ probe: scheduler, ...options })).ended()
    expect(lab.history).toPass('placement', placement(scheduler, scheduler))
  }
  expect(lab.history).not.toPass('placement', placement('wlc', 'lc'))
  expect(lab.history).not.toPass('placement', placement('sh', 'mh'))
})
