import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { aCheck, aServer, aService } from './examples.ts'
import { changePool, type Pool, type PoolChange, poolTable, serverKey, startPool } from './pool.ts'

const sorryServer = { address: '127.0.0.1', port: 80, at: aCheck().at }
const hosts = ['a', 'b', 'c', 'd']
const service = aService({
  quorum: 3,
  hysteresis: 1,
  sorryServer,
  realServers: hosts.map(host => aServer(host)),
})
const down = (server: string): PoolChange => ({ server: `${server}:80`, alive: false })
const up = (server: string): PoolChange => ({ server: `${server}:80`, alive: true })
const after = (changes: PoolChange[], of = service): Pool =>
  changes.reduce((pool, change) => changePool(of, pool, change), startPool(of))
const destinations = (pool: Pool, of = service): string[] => Object.keys(poolTable(of, pool)).sort()

describe('quorum', () => {
  it('is lost below quorum - hysteresis, and gained at quorum + hysteresis only', () => {
    expect(after([down('a'), down('b')])).toMatchObject({ quorumUp: true, sorry: false })
    const lost = after([down('a'), down('b'), down('c')])
    expect(lost).toMatchObject({ quorumUp: false, sorry: true })
    expect(destinations(lost)).toEqual(['127.0.0.1:80'])
    const three = [up('a'), up('b')].reduce((pool, change) => changePool(service, pool, change), lost)
    expect(destinations(three)).toEqual(['127.0.0.1:80'])
    expect(destinations(changePool(service, three, up('c')))).toEqual(['a:80', 'b:80', 'c:80', 'd:80'])
  })

  it('leaves the living in the table where there is no sorry server', () => {
    const { sorryServer: _, ...plain } = service
    expect(destinations(after([down('a'), down('b'), down('c')], plain), plain)).toEqual(['d:80'])
  })

  it('has to be gained at the start, and alpha servers begin outside', () => {
    const few = { ...service, realServers: service.realServers.slice(0, 3) }
    expect(startPool(few)).toMatchObject({ quorumUp: false, sorry: true })
    const alpha = aService({ realServers: [aServer('a', { checks: [aCheck({ alpha: true })] }), aServer('b')] })
    expect(destinations(startPool(alpha), alpha)).toEqual(['b:80'])
  })

  it('counts weights, also those that a script sets', () => {
    expect(after([{ server: 'a:80', weight: 40 }, down('b'), down('c')]).quorumUp).toBe(true)
    expect(after([{ server: 'a:80', weight: 0 }]).quorumUp).toBe(true)
    expect(poolTable(service, after([{ server: 'a:80', weight: 0 }]))['a:80']).toBe(0)
  })

  it('keeps an inhibited server with weight 0, beside the sorry server too', () => {
    const inhibited = aService({
      sorryServer,
      realServers: [aServer('a', { inhibitOnFailure: true, weight: 5 }), aServer('b')],
    })
    expect(poolTable(inhibited, after([down('a')], inhibited))).toEqual({ 'a:80': 0, 'b:80': 1 })
    expect(poolTable(inhibited, after([down('a'), down('b')], inhibited))).toEqual({ 'a:80': 0, '127.0.0.1:80': 1 })
  })
})

describe('any sequence of failures and returns', () => {
  const services = fc
    .record({
      weights: fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 5 }),
      quorum: fc.integer({ min: 1, max: 6 }),
      hysteresis: fc.integer({ min: 0, max: 5 }),
      sorry: fc.boolean(),
    })
    .map(({ weights, quorum, hysteresis, sorry }) =>
      aService({
        quorum,
        hysteresis: Math.min(hysteresis, quorum - 1),
        realServers: weights.map((weight, n) => aServer(`rs${n}`, { weight })),
        ...(sorry ? { sorryServer } : {}),
      }),
    )
  const changes = fc.array(fc.record({ n: fc.nat(4), alive: fc.boolean() }), { maxLength: 20 })
  const weightOf = (pool: Pool, of: typeof service): number =>
    of.realServers.filter(s => pool.alive.includes(serverKey(s))).reduce((total, s) => total + s.weight, 0)

  it('never has the sorry server beside a living one, and never changes quorum between the two thresholds', () => {
    fc.assert(
      fc.property(services, changes, (of, steps) => {
        let pool = startPool(of)
        for (const { n, alive } of steps) {
          const server = of.realServers[n % of.realServers.length]
          if (!server) continue
          const before = pool
          pool = changePool(of, pool, { server: serverKey(server), alive })
          const weight = weightOf(pool, of)
          if (pool.quorumUp !== before.quorumUp)
            expect(
              pool.quorumUp ? weight >= of.quorum + of.hysteresis : weight < of.quorum - of.hysteresis || weight === 0,
            ).toBe(true)
          const table = poolTable(of, pool)
          expect(pool.sorry).toBe('127.0.0.1:80' in table)
          if (pool.sorry) expect(Object.keys(table)).toEqual(['127.0.0.1:80'])
          else expect(Object.keys(table).sort()).toEqual([...pool.alive].sort())
        }
      }),
    )
  })

  it('comes to the same table in whatever order servers fail, when there is no hysteresis', () => {
    fc.assert(
      fc.property(services, fc.shuffledSubarray([0, 1, 2, 3, 4]), (of, order) => {
        const plain = { ...of, hysteresis: 0 }
        const failing = order
          .flatMap(n => plain.realServers[n] ?? [])
          .map(s => ({ server: serverKey(s), alive: false }))
        const run = (steps: PoolChange[]): unknown =>
          poolTable(
            plain,
            steps.reduce((pool, step) => changePool(plain, pool, step), startPool(plain)),
          )
        expect(run(failing)).toEqual(run([...failing].reverse()))
      }),
    )
  })
})
