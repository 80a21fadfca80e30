import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { startOrder } from './order.ts'

describe('with a budget', () => {
  const order = (names: string[]): string[] =>
    startOrder(
      names.map(name => ({ name })),
      { budgeted: true, large: true },
    ).map(({ name }) => name)

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

describe('without a budget', () => {
  const names = [
    'configuration',
    'servers-of-farm1',
    'shares-of-all',
    'failover-stop-10.0.0.1',
    'failover-link-eth0-10.0.0.1',
    'backup-d2',
    'release-10.0.0.1:80/TCP',
  ]
  const order = (large: boolean): string[] =>
    startOrder(
      names.map(name => ({ name })),
      { budgeted: false, large },
    ).map(({ name }) => name)

  it('begins in a large lab with what takes long, the longest first', () => {
    expect(order(true)).toEqual([
      'release-10.0.0.1:80/TCP',
      'servers-of-farm1',
      'shares-of-all',
      'failover-link-eth0-10.0.0.1',
      'configuration',
      'failover-stop-10.0.0.1',
      'backup-d2',
    ])
  })

  it('changes nothing in any other', () => {
    expect(order(false)).toEqual(names)
  })
})
