import fc from 'fast-check'
import { type SchedulerAnswer, type SchedulerCase, type SchedulerStep } from '../src/agent/scheduler-case.ts'
import { SCHEDULERS, type SchedulerName } from '../src/model/schedulers/registry.ts'
import { createScheduler, type Scheduler } from '../src/model/schedulers/scheduler.ts'
import { twosChances } from '../src/model/schedulers/twos.ts'
import type { SchedulerFlag } from '../src/model/schedulers/types.ts'

/**
 * Random sequences for the schedulers, and their comparison: the same case into the model and into the kernel.
 */

const FLAGS: Partial<Record<SchedulerName, SchedulerFlag[]>> = {
  sh: ['sh-port', 'sh-fallback'],
  mh: ['mh-port', 'mh-fallback'],
}

/** They look at the address that the client asked for: their services need many. */
const BY_DESTINATION = new Set<SchedulerName>(['dh', 'lblc', 'lblcr'])

/** They look at the counters. */
const BY_LOAD = new Set<SchedulerName>(['lc', 'wlc', 'sed', 'nq', 'ovf', 'lblc', 'lblcr', 'twos'])

/** Where all cases that have an expiry have it: cases go side by side in the lab. */
const EXPIRY_AT = 20

/** A model at work on a case. */
interface Player {
  scheduler: Scheduler
  /** Who got each connection, and whether it was closed. */
  connections: { server: number | null; closed: boolean }[]
  /** @param actual who got it, where the model only knows chances */
  play(step: SchedulerStep, actual?: number | null): void
}

const serverOf = (one: SchedulerCase, n: number, weight: number) => ({
  address: one.servers[n]?.address ?? '',
  port: one.service.includes('/') ? 0 : one.port,
  weight,
})

const createPlayer = (one: SchedulerCase): Player => {
  const scheduler = createScheduler(
    one.scheduler as SchedulerName,
    one.servers.map(({ weight }, n) => serverOf(one, n, weight)),
    { flags: one.flags as SchedulerFlag[] },
  )
  const connections: Player['connections'] = []
  const play: Player['play'] = (step, actual) => {
    if (step.do === 'connect') {
      const { source, port: sourcePort, destination } = step
      if (typeof actual === 'number') scheduler.count(actual)
      const server = actual ?? scheduler.connect({ source, sourcePort, destination }) ?? null
      connections.push({ server, closed: false })
    } else if (step.do === 'close') {
      const connection = connections[step.connection]
      if (!connection || connection.server === null) return
      scheduler.close(connection.server)
      connection.closed = true
    } else if (step.do === 'expire') {
      for (const { server, closed } of connections) if (closed && server !== null) scheduler.expire(server)
      for (const connection of connections) connection.closed = false
    } else if (step.do === 'weight') scheduler.setWeight(step.server, step.weight)
    else if (step.do === 'remove') scheduler.remove(step.server)
    else scheduler.add(serverOf(one, step.server, step.weight))
  }
  return { scheduler, connections, play }
}

const ip = (number: number): string => [24, 16, 8, 0].map(shift => (number >>> shift) & 255).join('.')

const weights = fc.oneof(
  { arbitrary: fc.constant(0), weight: 2 },
  { arbitrary: fc.integer({ min: 1, max: 5 }), weight: 6 },
  { arbitrary: fc.integer({ min: 1, max: 300 }), weight: 2 },
  { arbitrary: fc.integer({ min: 1, max: 65535 }), weight: 1 },
)

const twelveBits = fc.nat(0xfff)

/** What a case is made of; which steps make sense only its course tells. */
const ingredients = fc.record({
  weights: fc.array(weights, { minLength: 1, maxLength: 8 }),
  servers: fc.uniqueArray(fc.nat(0xf_ffff), { minLength: 8, maxLength: 8 }),
  sources: fc.array(fc.nat(0xfff_ffff), { minLength: 6, maxLength: 6 }),
  destinations: fc.array(twelveBits, { minLength: 5, maxLength: 5 }),
  flags: fc.nat(3),
  halfOpen: fc.nat(9).map(n => n === 0),
  actions: fc.array(
    fc.record({
      roll: fc.nat(99),
      pick: fc.nat(999_999),
      port: fc.integer({ min: 1024, max: 65535 }),
      weight: weights,
    }),
    { minLength: 12, maxLength: 40 },
  ),
})

type Ingredients = typeof ingredients extends fc.Arbitrary<infer T> ? T : never

/** Shares of the steps in %; the rest are connections. */
const mixOf = (name: SchedulerName) =>
  name === 'twos'
    ? { close: 30, weight: 0, remove: 0, add: 0 } // an edit may leave nobody
    : { close: BY_LOAD.has(name) ? 30 : 5, weight: BY_LOAD.has(name) ? 6 : 15, remove: 4, add: 4 }

/** Small ones where only a server with more connections than its weight shows what the scheduler does. */
const startWeight = (name: SchedulerName, weight: number): number => {
  if (name === 'twos') return Math.max(1, weight)
  return BY_DESTINATION.has(name) ? weight % 6 : weight
}

const caseOf = (name: SchedulerName, from: Ingredients, n: number, withExpiry: boolean): SchedulerCase => {
  const marked = BY_DESTINATION.has(name)
  const network = 2 ** 31 + ((n * 977) % 2 ** 18) * 2 ** 12
  const vip = ip(0x0a00_0001 + n * 8)
  const halfOpen = from.halfOpen && !withExpiry
  const one: SchedulerCase = {
    scheduler: name,
    flags: (FLAGS[name] ?? []).filter((_, bit) => from.flags & (1 << bit)),
    service: marked ? `${ip(network)}/20` : vip,
    port: halfOpen ? 81 : 80,
    servers: from.weights.map((weight, server) => ({
      address: ip(0xac10_0000 + (from.servers[server] ?? 0)),
      weight: startWeight(name, weight),
    })),
    steps: [],
  }
  const player = createPlayer(one)
  const used = new Set<string>()
  const mix = mixOf(name)
  for (const action of from.actions) {
    if (withExpiry && one.steps.length === EXPIRY_AT) add({ do: 'expire' })
    const step = stepOf(action)
    if (step) add(step)
  }
  return one

  function add(step: SchedulerStep): void {
    player.play(step)
    one.steps.push(step)
  }

  function stepOf({ roll, pick, port, weight }: Ingredients['actions'][number]): SchedulerStep | undefined {
    const there = player.scheduler.destinations.map(({ index }) => index)
    const gone = one.servers.map((_, server) => server).filter(server => !there.includes(server))
    const open = player.connections.flatMap(({ server, closed }, connection) => {
      const left = one.steps.some(step => step.do === 'close' && step.connection === connection)
      // an entry whose server was removed sees no FIN; nor does one whose client gave up
      return server !== null && there.includes(server) && !closed && !left && !halfOpen ? [connection] : []
    })
    const choose = (of: number[]): number | undefined => of[pick % of.length]
    let left = roll
    if ((left -= mix.close) < 0) {
      const connection = choose(open)
      if (connection !== undefined) return { do: 'close', connection }
    } else if ((left -= mix.weight) < 0) {
      const server = choose(there)
      // to 0 more often than by chance, as `inhibit_on_failure` does
      if (server !== undefined) return { do: 'weight', server, weight: port % 2 === 0 ? 0 : weight }
    } else if ((left -= mix.remove) < 0) {
      const server = choose(there)
      if (server !== undefined) return { do: 'remove', server }
    } else if ((left -= mix.add) < 0) {
      const server = choose(gone)
      if (server !== undefined) return { do: 'add', server, weight }
    }
    const source = ip(0x1000_0000 + (from.sources[pick % from.sources.length] ?? 0))
    if (used.has(`${source}:${port}`)) return undefined
    used.add(`${source}:${port}`)
    // few where servers get overloaded only by many connections to one address
    const destinations = BY_LOAD.has(name) ? from.destinations.slice(0, 2) : from.destinations
    const offset = destinations[Math.floor(pick / 7) % destinations.length] ?? 0
    return { do: 'connect', source, port, destination: marked ? ip(network + offset) : vip }
  }
}

/**
 * Random cases for a scheduler, the same for the same seed.
 *
 * @param expiry closed connections expire in the middle of each case; takes two minutes of lab time
 * @param first number of the first case: cases of other numbers and seeds can go into one batch
 */
export const randomCases = (
  name: SchedulerName,
  count: number,
  seed: number,
  { expiry = false, first = 0 }: { expiry?: boolean; first?: number } = {},
): SchedulerCase[] =>
  fc
    .sample(ingredients, { seed, numRuns: count, unbiased: true })
    .map((from, n) => caseOf(name, from, first + n, expiry && BY_LOAD.has(name)))

/**
 * A connection of `wlc` that has the choice between a server of this weight with one open connection, and one of weight 100 with one
 * that is closed: it goes to the first where the weight is more than 100 times what an open one counts.
 *
 * @param n number of the case among those of this kind
 */
export const openOrClosed = (weight: number, n: number): SchedulerCase => {
  const service = ip(0x0a64_0001 + n)
  const connect = (port: number): SchedulerStep => ({
    ...{ do: 'connect', source: ip(0x1fff_ff00 + n), port, destination: service },
  })
  return {
    ...{ scheduler: 'wlc', flags: [], service, port: 80 },
    servers: [100, 0].map((first, server) => ({ address: ip(0xac1f_ff00 + 2 * n + server), weight: first })),
    steps: [
      ...[connect(1024), { do: 'close' as const, connection: 0 }],
      ...[
        { do: 'weight' as const, server: 0, weight: 0 },
        { do: 'weight' as const, server: 1, weight },
      ],
      connect(1025),
      { do: 'weight', server: 0, weight: 100 },
      connect(1026),
    ],
  }
}

/**
 * 64 clients ask so many addresses in turn, each connection over before the next, of three servers with unequal weights.
 *
 * @param n number of the case among those of this kind
 */
export const byDestination = (scheduler: 'dh' | 'lblc' | 'lblcr', destinations: number, n: number): SchedulerCase => {
  const network = 2 ** 31 + n * 2 ** 12
  return {
    ...{ scheduler, flags: [], service: `${ip(network)}/20`, port: 80 },
    servers: [3, 1, 2].map((weight, server) => ({ address: ip(0xac1e_0000 + 8 * n + server), weight })),
    steps: Array.from({ length: 64 }, (_, client): SchedulerStep[] => [
      {
        ...{ do: 'connect', source: ip(0x1ff0_0000 + 64 * n + client), port: 1024 + client },
        destination: ip(network + 1 + 61 * (client % destinations)),
      },
      { do: 'close', connection: client },
    ]).flat(),
  }
}

/** Who gets the connections of a case, as the model has it. */
export const predict = (one: SchedulerCase): SchedulerAnswer => {
  const player = createPlayer(one)
  for (const step of one.steps) player.play(step)
  return player.connections.map(({ server }) => server)
}

export interface Difference {
  /** Which connection of the case, from 0. */
  connection: number
  model: number | null
  kernel: number | null
  /** The case up to this connection. */
  upTo: SchedulerCase
}

/** The first connection in which model and kernel disagree. */
export const firstDifference = (one: SchedulerCase, kernel: SchedulerAnswer): Difference | undefined => {
  const model = predict(one)
  const connection = model.findIndex((server, n) => server !== kernel[n])
  if (connection < 0) return undefined
  const places = one.steps.flatMap((step, place) => (step.do === 'connect' ? [place] : []))
  return {
    connection,
    model: model[connection] ?? null,
    kernel: kernel[connection] ?? null,
    upTo: { ...one, steps: one.steps.slice(0, (places[connection] ?? 0) + 1) },
  }
}

/** Counts of what must be spread evenly, and how far from even they are. */
export interface Evenness {
  observations: number
  chiSquare: number
  /** One less than there are bins. */
  degrees: number
}

const BINS = 10

/**
 * Holds the kernel's choices by `twos` against the model's chances, which change with every connection. Each choice becomes a
 * number between 0 and 1: a random point of its own part of the chances laid end to end. Where the chances are right these are
 * spread evenly, whatever the chances were (randomized probability integral transform).
 */
export const twosEvenness = (cases: SchedulerCase[], answers: SchedulerAnswer[], random = Math.random): Evenness => {
  const bins = Array.from({ length: BINS }, () => 0)
  cases.forEach((one, n) => {
    const player = createPlayer(one)
    for (const step of one.steps) {
      const actual = step.do === 'connect' ? answers[n]?.[player.connections.length] : undefined
      if (typeof actual === 'number') {
        const chances = [...twosChances(player.scheduler.destinations)]
        const place = chances.findIndex(([server]) => server === actual)
        const before = chances.slice(0, place).reduce((sum, [, chance]) => sum + chance, 0)
        const bin = Math.min(BINS - 1, Math.floor((before + random() * (chances[place]?.[1] ?? 0)) * BINS))
        bins[bin] = (bins[bin] ?? 0) + 1
      }
      player.play(step, actual)
    }
  })
  const observations = bins.reduce((sum, count) => sum + count, 0)
  const even = observations / BINS
  const chiSquare = bins.reduce((sum, count) => sum + (count - even) ** 2 / even, 0)
  return { observations, chiSquare, degrees: BINS - 1 }
}

/** Chi-square with 9 degrees of freedom is above this once in a million runs. */
export const TWOS_LIMIT = 45.08

export const EXACT = (Object.keys(SCHEDULERS) as SchedulerName[]).filter(name => SCHEDULERS[name].exact)
