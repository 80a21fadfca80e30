import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createBudget, longestFirst, oneOfEachKindFirst } from './budget.ts'

describe('a budget of 60 s', () => {
  /** One that began at 1000 ms, with a clock that the test sets. */
  const budget = () => {
    const clock = { now: 1_000 }
    return { clock, ...createBudget(60_000, 1_000, () => clock.now) }
  }

  it('begins the first scenario while there is any time at all: nothing is known yet', () => {
    const { clock, allows } = budget()
    clock.now = 60_999
    expect(allows('shares-10.0.0.1:80/TCP')).toBe(true)
    clock.now = 61_000
    expect(allows('shares-10.0.0.1:80/TCP')).toBe(false)
  })

  it('expects of a scenario what the longest of its kind took', () => {
    const { clock, allows, ended } = budget()
    ended('shares-10.0.0.1:80/TCP', 9_000)
    ended('shares-10.0.0.2:80/TCP', 4_000)
    ended('failover-stop-10.0.0.1', 20_000)
    clock.now = 52_000
    expect(allows('shares-10.0.0.3:80/TCP')).toBe(true)
    expect(allows('failover-stop-10.0.0.2')).toBe(false)
    clock.now = 52_001
    expect(allows('shares-10.0.0.3:80/TCP')).toBe(false)
  })

  it('expects of the first of a kind what the longest of any took', () => {
    const { clock, allows, ended } = budget()
    ended('configuration', 2_000)
    ended('shares-10.0.0.1:80/TCP', 9_000)
    clock.now = 52_000
    expect(allows('sorry-10.0.0.1:80/TCP')).toBe(true)
    clock.now = 52_500
    expect(allows('sorry-10.0.0.1:80/TCP')).toBe(false)
    expect(allows('configuration')).toBe(true)
  })
})

describe('one of each kind first', () => {
  const order = (names: string[]): string[] => oneOfEachKindFirst(names.map(name => ({ name }))).map(({ name }) => name)

  it('goes through the kinds in their order, then through the second of each', () => {
    expect(
      order(['configuration', 'shares-1', 'shares-2', 'shares-3', 'failover-stop-1', 'server-1', 'server-2']),
    ).toEqual(['configuration', 'shares-1', 'failover-stop-1', 'server-1', 'shares-2', 'server-2', 'shares-3'])
  })

  it('keeps every scenario, and the order within a kind', () => {
    const scenario = fc.tuple(fc.constantFrom('shares', 'server', 'sorry'), fc.nat()).map(([kind, n]) => `${kind}-${n}`)
    fc.assert(
      fc.property(fc.uniqueArray(scenario), names => {
        const result = order(names)
        expect(result.toSorted()).toEqual(names.toSorted())
        for (const kind of ['shares', 'server', 'sorry']) {
          const of = (all: string[]) => all.filter(name => name.startsWith(kind))
          expect(of(result)).toEqual(of(names))
        }
      }),
    )
  })
})

it('what takes long in a large lab begins first, the rest in its order', () => {
  const names = [
    'configuration',
    'servers-of-farm1',
    'shares-of-all',
    'failover-stop-10.0.0.1',
    'failover-link-eth0-10.0.0.1',
  ]
  const order = longestFirst([...names, 'backup-d2', 'release-10.0.0.1:80/TCP'].map(name => ({ name })))
  expect(order.map(({ name }) => name)).toEqual([
    'release-10.0.0.1:80/TCP',
    'servers-of-farm1',
    'shares-of-all',
    'failover-link-eth0-10.0.0.1',
    'configuration',
    'failover-stop-10.0.0.1',
    'backup-d2',
  ])
})
