import fc from 'fast-check'
import { expect, it } from 'vitest'
import { aServer, aService } from './examples.ts'
import { cycleShares } from './shares.ts'

const weighted = (weights: number[], scheduler = 'wrr') =>
  cycleShares(
    aService({ scheduler, realServers: weights.map((weight, i) => aServer(`10.0.0.${i}`, { weight })) }),
    server => server.address,
  )

it('gives one connection each with rr, and none to weight 0', () => {
  expect(weighted([5, 0, 1], 'rr')).toMatchObject({ cycle: 2, shares: { '10.0.0.0': 1, '10.0.0.2': 1 } })
})

it('gives weight / gcd with wrr', () => {
  expect(weighted([4, 2])).toMatchObject({ cycle: 3, shares: { '10.0.0.0': 2, '10.0.0.1': 1 } })
})

it('promises nothing for other schedulers and for persistent services', () => {
  expect(weighted([1, 1], 'wlc')).toBeUndefined()
  expect(cycleShares(aService({ persistence: 50_000 }), server => server.address)).toBeUndefined()
})

it('keeps the proportion of the weights', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 5 }), weights => {
      const result = weighted(weights)
      const total = weights.reduce((a, b) => a + b)
      weights.forEach((weight, i) => {
        expect((result?.shares[`10.0.0.${i}`] ?? 0) * total).toBe(weight * (result?.cycle ?? 0))
      })
    }),
  )
})
