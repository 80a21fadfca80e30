import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { RealServer, VirtualService } from '../model/types.ts'
import { type Backend, farmsOf } from './farms.ts'

const service = (name: string) => ({ name }) as VirtualService
const backend = (address: string, services: VirtualService[]): Backend => ({
  ...{ address, sorry: [], methods: ['DR'], vips: [] },
  serves: services.map(one => ({ service: one, server: { address } as RealServer })),
})
const addresses = (farms: Backend[][]) => farms.map(farm => farm.map(one => one.address).join(' '))

describe('farms', () => {
  const [a, b] = [service('a'), service('b')]
  const four = [backend('a1', [a]), backend('a2', [a]), backend('b1', [b]), backend('b2', [b])]

  it('take one real server of each service', () => {
    expect(addresses(farmsOf(four, () => 'lan DR'))).toEqual(['a1 b1', 'a2 b2'])
  })

  it('take those of one network and method alone, and leave out who stays by himself', () => {
    expect(addresses(farmsOf(four, one => one.address[0]))).toEqual([])
    expect(addresses(farmsOf(four, one => (one.address === 'a1' ? undefined : 'lan DR')))).toEqual(['a2 b1'])
  })

  it('never have two real servers of one service, and every real server once at most', () => {
    const services = Array.from({ length: 6 }, (_, n) => service(`s${n}`))
    fc.assert(
      fc.property(fc.array(fc.subarray(services, { minLength: 1 }), { maxLength: 30 }), pools => {
        const all = pools.map((some, n) => backend(`rs${n}`, some))
        const farms = farmsOf(all, () => 'lan DR')
        for (const farm of farms) {
          const served = farm.flatMap(one => one.serves.map(its => its.service))
          expect(new Set(served).size).toBe(served.length)
          expect(farm.length).toBeGreaterThan(1)
        }
        expect(new Set(farms.flat()).size).toBe(farms.flat().length)
      }),
    )
  })
})
