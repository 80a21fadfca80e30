import { expect, it } from 'vitest'
import { largePair } from './large-pair.ts'

it('is the same pair for the same seed, and another one for another', () => {
  const size = { services: 3, servers: 2 }
  expect(largePair({ ...size, seed: 1 })).toEqual(largePair({ ...size, seed: 1 }))
  expect(largePair({ ...size, seed: 1 })).not.toEqual(largePair({ ...size, seed: 2 }))
})

it('has so many services, each with so many real servers', () => {
  const { d1, d2 } = largePair({ services: 7, servers: 3, seed: 1 })
  for (const text of [d1, d2]) {
    expect(text.match(/^virtual_server /gm)).toHaveLength(7)
    expect(text.match(/real_server /g)).toHaveLength(21)
    expect(text.match(/10\.20\.0\.\d+\/16/g)).toHaveLength(7)
  }
  expect(d1.replaceAll('priority 150', 'priority 100').replaceAll('router_id d1', 'router_id d2')).toBe(d2)
})
