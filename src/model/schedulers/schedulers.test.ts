import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SCHEDULER_NAMES, SCHEDULERS, type SchedulerName } from './registry.ts'
import { createScheduler, type Scheduler, type SchedulerOptions } from './scheduler.ts'
import { twosChances } from './twos.ts'

const serversOf = (weights: number[]) => weights.map((weight, n) => ({ address: `10.0.0.${n + 1}`, port: 80, weight }))

const schedulerOf = (name: SchedulerName, weights: number[], options?: SchedulerOptions): Scheduler =>
  createScheduler(name, serversOf(weights), options)

/** Who gets so many connections, each from another client to another address. */
const play = (scheduler: Scheduler, count: number): (number | undefined)[] =>
  Array.from({ length: count }, (_, n) =>
    scheduler.connect({ source: `10.1.${n >> 8}.${n & 255}`, sourcePort: 1024 + n, destination: `10.2.0.${n & 255}` }),
  )

const countBy = (servers: (number | undefined)[], weights: number[]): number[] =>
  weights.map((_, n) => servers.filter(server => server === n).length)

const someWeights = fc.array(fc.nat(9), { minLength: 1, maxLength: 8 })
const sum = (numbers: number[]): number => numbers.reduce((a, b) => a + b, 0)

/** Greatest common divisor, found the slow way. */
const divisorOf = (weights: number[]): number =>
  [9, 8, 7, 6, 5, 4, 3, 2, 1].find(d => weights.every(weight => weight % d === 0)) ?? 1

describe('every scheduler', () => {
  it.each(SCHEDULER_NAMES)('%s never chooses weight 0, nor anybody where nobody is there', name => {
    fc.assert(
      fc.property(someWeights, weights => {
        for (const server of play(schedulerOf(name, weights), 30))
          if (server !== undefined) expect(weights[server]).toBeGreaterThan(0)
      }),
    )
    expect(play(schedulerOf(name, []), 3)).toEqual([undefined, undefined, undefined])
    expect(play(schedulerOf(name, [0, 0]), 3)).toEqual([undefined, undefined, undefined])
  })

  it.each(SCHEDULER_NAMES)('%s chooses nobody who was removed, and whoever was added again', name => {
    const scheduler = schedulerOf(name, [1, 1])
    scheduler.remove(0)
    expect(new Set(play(scheduler, 3).filter(server => server !== undefined))).toEqual(new Set([1]))
    expect(scheduler.add({ address: '10.0.0.1', port: 80, weight: 1 })).toBe(0)
    scheduler.remove(1)
    expect(play(scheduler, 1)).toEqual([0])
  })

  it.each(SCHEDULER_NAMES.filter(name => SCHEDULERS[name].exact))('%s does the same again', name => {
    fc.assert(
      fc.property(someWeights, weights => {
        expect(play(schedulerOf(name, weights), 30)).toEqual(play(schedulerOf(name, weights), 30))
      }),
    )
  })
})

describe('counters', () => {
  it('count as active from the SYN on, as inactive after the close, as nothing after the expiry', () => {
    const scheduler = schedulerOf('lc', [1])
    const counters = () => scheduler.destinations.map(({ active, inactive }) => [active, inactive])
    play(scheduler, 2)
    expect(counters()).toEqual([[2, 0]])
    scheduler.close(0)
    expect(counters()).toEqual([[1, 1]])
    scheduler.expire(0)
    expect(counters()).toEqual([[1, 0]])
  })

  it('are kept while a server is away, and closes are not seen then', () => {
    const scheduler = schedulerOf('lc', [1, 1])
    play(scheduler, 4)
    scheduler.remove(0)
    scheduler.close(0)
    scheduler.add({ address: '10.0.0.1', port: 80, weight: 1 })
    expect(scheduler.destinations.map(({ index, active }) => [index, active])).toEqual([
      [0, 2],
      [1, 2],
    ])
  })
})

describe('rr', () => {
  it('is fair to one connection, and starts with the server added last', () => {
    fc.assert(
      fc.property(someWeights, fc.nat(50), (weights, count) => {
        const able = weights.filter(weight => weight > 0).length
        const counts = countBy(play(schedulerOf('rr', weights), count), weights).filter((_, n) => weights[n])
        for (const one of counts) expect(Math.abs(one - count / able)).toBeLessThan(1)
      }),
    )
    expect(play(schedulerOf('rr', [1, 1, 1]), 4)).toEqual([2, 1, 0, 2])
  })

  it('goes on behind its place when the server of the last connection is removed', () => {
    const scheduler = schedulerOf('rr', [1, 1, 1])
    play(scheduler, 2) // 2, 1
    scheduler.remove(1)
    expect(play(scheduler, 2)).toEqual([0, 2])
  })
})

describe('wrr', () => {
  it('gives each its weight, exactly, in every full cycle', () => {
    fc.assert(
      fc.property(someWeights, fc.nat(20), (weights, before) => {
        fc.pre(weights.some(weight => weight > 0))
        const scheduler = schedulerOf('wrr', weights)
        play(scheduler, before)
        const divisor = divisorOf(weights)
        const shares = weights.map(weight => weight / divisor)
        expect(countBy(play(scheduler, sum(shares)), weights)).toEqual(shares)
      }),
    )
  })

  it('begins where the additions left its threshold, not at the highest weight', () => {
    // alone, the first has the threshold 1, which a heavier second does not raise
    expect(play(schedulerOf('wrr', [1, 3]), 5)).toEqual([1, 0, 1, 1, 1])
  })
})

describe('lc, wlc, sed, nq', () => {
  it('lc spreads held connections evenly, whatever the weights', () => {
    expect(countBy(play(schedulerOf('lc', [1, 5, 9]), 9), [1, 5, 9])).toEqual([3, 3, 3])
  })

  it('wlc spreads held connections by weight', () => {
    fc.assert(
      fc.property(someWeights, weights => {
        fc.pre(weights.some(weight => weight > 0))
        expect(countBy(play(schedulerOf('wlc', weights), sum(weights)), weights)).toEqual(weights)
      }),
    )
  })

  it('an open connection of wlc counts 257 closed ones', () => {
    const next = (weight: number): number | undefined => {
      const scheduler = schedulerOf('wlc', [100, 0])
      const [closed] = play(scheduler, 1)
      scheduler.close(closed as number)
      scheduler.setWeight(0, 0)
      scheduler.setWeight(1, weight)
      play(scheduler, 1)
      scheduler.setWeight(0, 100)
      return play(scheduler, 1)[0]
    }
    expect([25_699, 25_701].map(next)).toEqual([0, 1])
  })

  it('sed gives short connections to the highest weight alone, nq to the first idle server', () => {
    const short = (name: SchedulerName) => {
      const scheduler = schedulerOf(name, [1, 3, 1])
      return Array.from({ length: 5 }, () => {
        const [server] = play(scheduler, 1)
        scheduler.close(server as number)
        return server
      })
    }
    expect(short('sed')).toEqual([1, 1, 1, 1, 1])
    expect(short('nq')).toEqual([2, 2, 2, 2, 2])
  })

  it('nq leaves nobody idle', () => {
    const weights = [1, 100, 1]
    expect(countBy(play(schedulerOf('nq', weights), 3), weights)).toEqual([1, 1, 1])
  })
})

describe('fo and ovf', () => {
  it('fo takes the highest weight only', () => {
    fc.assert(
      fc.property(someWeights, weights => {
        const highest = Math.max(...weights)
        for (const server of play(schedulerOf('fo', weights), 20))
          if (server !== undefined) expect(weights[server]).toBe(highest)
      }),
    )
  })

  it('ovf lets one more than its weight onto a server, then nobody', () => {
    const weights = [1, 2]
    expect(play(schedulerOf('ovf', weights), 7)).toEqual([1, 1, 1, 0, 0, undefined, undefined])
  })
})

describe('sh', () => {
  const from = (scheduler: Scheduler, source: string, sourcePort = 5000) =>
    scheduler.connect({ source, sourcePort, destination: '10.0.0.100' })

  it('gives a client the same server, whatever its port, unless sh-port says otherwise', () => {
    const scheduler = schedulerOf('sh', [1, 2, 3])
    const byPort = schedulerOf('sh', [1, 2, 3], { flags: ['sh-port'] })
    const ports = Array.from({ length: 50 }, (_, n) => 5000 + n)
    expect(new Set(ports.map(port => from(scheduler, '10.1.2.3', port))).size).toBe(1)
    expect(new Set(ports.map(port => from(byPort, '10.1.2.3', port))).size).toBeGreaterThan(1)
  })

  it('drops the clients of a server with weight 0, or gives them to another with sh-fallback', () => {
    const dropped = play(schedulerOf('sh', [1, 0]), 256)
    expect(dropped.filter(server => server === undefined).length).toBeGreaterThan(64)
    expect(play(schedulerOf('sh', [1, 0], { flags: ['sh-fallback'] }), 256)).toEqual(Array(256).fill(0))
  })

  it('gives the others what they had when one gets weight 0', () => {
    const flags = ['sh-fallback'] as const
    const [all, without] = [schedulerOf('sh', [1, 1, 1], { flags }), schedulerOf('sh', [1, 1, 1], { flags })]
    without.setWeight(1, 0)
    const [before, after] = [play(all, 200), play(without, 200)]
    before.forEach((server, n) => server !== 1 && expect(after[n]).toBe(server))
  })
})

describe('dh', () => {
  it('chooses by the address that was asked for alone, evenly, whatever the weights', () => {
    const scheduler = schedulerOf('dh', [1, 9])
    const to = (n: number, source: string) =>
      scheduler.connect({ source, sourcePort: 5000, destination: `10.0.${n >> 8}.${n & 255}` })
    const servers = Array.from({ length: 4096 }, (_, n) => to(n, '10.1.0.1'))
    expect(servers).toEqual(Array.from({ length: 4096 }, (_, n) => to(n, `10.1.0.${n % 250}`)))
    expect(countBy(servers, [1, 9])[0]).toBeGreaterThan(1900)
  })
})

describe('mh', () => {
  const clients = Array.from({ length: 500 }, (_, n) => `10.${n & 7}.${n >> 3}.9`)
  const map = (scheduler: Scheduler) =>
    clients.map(source => scheduler.connect({ source, sourcePort: 5000, destination: '10.0.0.100' }))

  it('moves few clients of the others when a server goes', () => {
    const scheduler = schedulerOf('mh', [1, 1, 1, 1])
    const before = map(scheduler)
    scheduler.remove(2)
    const after = map(scheduler)
    const moved = before.filter((server, n) => server !== 2 && after[n] !== server)
    expect(moved.length).toBeLessThan(clients.length / 20)
  })

  it('shares by weight', () => {
    const [one = 0, three = 0] = countBy(map(schedulerOf('mh', [1, 3])), [1, 3])
    expect(three / one).toBeGreaterThan(2)
    expect(three / one).toBeLessThan(4.5)
  })

  it('keeps the places of a server whose weight is set to 0, but none for one that was added so', () => {
    const scheduler = schedulerOf('mh', [1, 1])
    const before = map(scheduler)
    scheduler.setWeight(0, 0)
    expect(map(scheduler)).toEqual(before.map(server => (server === 0 ? undefined : server)))
    expect(map(schedulerOf('mh', [0, 1]))).toEqual(clients.map(() => 1))
  })
})

describe('lblc and lblcr', () => {
  const to = (scheduler: Scheduler, destination: string) =>
    scheduler.connect({ source: '10.1.0.1', sourcePort: 5000, destination })

  it.each(['lblc', 'lblcr'] as const)('%s stays with the first choice until it is overloaded', name => {
    const scheduler = schedulerOf(name, [2, 2])
    // more than 2 active on one, fewer than 1 on the other: the fourth goes there
    expect(Array.from({ length: 5 }, () => to(scheduler, '10.2.0.1'))).toEqual([1, 1, 1, 0, 0])
  })

  it('lblcr comes back to the first server where lblc has moved for good', () => {
    const course = (name: SchedulerName) => {
      const scheduler = schedulerOf(name, [2, 2])
      for (let n = 0; n < 4; n++) to(scheduler, '10.2.0.1')
      for (let n = 0; n < 3; n++) scheduler.close(1)
      return to(scheduler, '10.2.0.1')
    }
    expect([course('lblc'), course('lblcr')]).toEqual([0, 1])
  })
})

describe('twos', () => {
  /** Chi-square with 3 degrees of freedom is above this once in a million runs. */
  const LIMIT = 30.66

  it('follows its chances', () => {
    const weights = [3, 1, 2, 2]
    let seed = 1
    const random = () => {
      // a linear congruential generator will do, and is the same every time
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
      return seed / 2 ** 32
    }
    const scheduler = schedulerOf('twos', weights, { random })
    for (const [server, held] of [4, 1, 0, 2].entries()) for (let n = 0; n < held; n++) scheduler.count(server)
    const chances = twosChances(scheduler.destinations)
    expect(sum([...chances.values()])).toBeCloseTo(1)
    const rounds = 10_000
    const counts = weights.map(() => 0)
    for (let n = 0; n < rounds; n++) {
      const [server = -1] = play(scheduler, 1)
      counts[server] = (counts[server] ?? 0) + 1
      scheduler.close(server)
      scheduler.expire(server)
    }
    const chiSquare = sum(
      counts.map((count, server) => {
        const expected = rounds * (chances.get(server) ?? 0)
        return expected === 0 ? count : (count - expected) ** 2 / expected
      }),
    )
    expect(chiSquare).toBeLessThan(LIMIT)
  })

  it('gives two equal idle servers two thirds and one third: the first in the list has one ticket more', () => {
    const chances = twosChances(schedulerOf('twos', [1, 1]).destinations)
    expect(chances.get(1)).toBeCloseTo(2 / 3)
    expect(chances.get(0)).toBeCloseTo(1 / 3)
  })
})

describe('what Linux 6.12.117 did', () => {
  const servers = [
    { address: '172.16.199.109', port: 81, weight: 212 },
    { address: '172.23.71.51', port: 81, weight: 15290 },
    { address: '172.26.151.1', port: 81, weight: 9700 },
    { address: '172.27.2.138', port: 81, weight: 86 },
    { address: '172.26.136.87', port: 81, weight: 4 },
  ]
  const clients =
    '21.167.168.88:50441 23.64.16.75:57930 23.64.16.75:42923 23.64.16.75:47208 23.64.16.75:19170 26.189.108.124:65126 ' +
    '21.167.168.88:57836 23.64.16.75:46772 23.64.16.75:35811'
  it.each([
    ['mh', 'mh-port', [1, 2, 1, 1, 1, 1, 1, 0, 2]],
    ['sh', 'sh-port', [2, 2, 3, 2, 2, 3, 4, 2, 2]],
  ] as const)('%s with %s', (name, flag, measured) => {
    const scheduler = createScheduler(name, servers, { flags: [flag] })
    const got = clients.split(' ').map(client => {
      const [source = '', port] = client.split(':')
      return scheduler.connect({ source, sourcePort: Number(port), destination: '10.0.0.1' })
    })
    expect(got).toEqual(measured)
  })
})
