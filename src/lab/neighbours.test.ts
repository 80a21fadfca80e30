import { expect, it } from 'vitest'
import { aNode, aTopology } from '../topology/testing.ts'
import { hasManyNeighbours } from './neighbours.ts'

it('is the addresses that all directors together may come to know, against what one kernel keeps', () => {
  const addresses = Array.from({ length: 250 }, (_, n) => `10.1.0.${n + 1}/16`)
  const farm = aNode({
    name: 'farm1',
    role: 'realserver',
    interfaces: [{ name: 'eth0', network: 'lan', address: '10.0.0.10', addresses }],
  })
  const second = aNode({
    name: 'd2',
    interfaces: [{ name: 'eth0', network: 'lan', address: '10.0.0.201', addresses: [] }],
  })
  expect(hasManyNeighbours(aTopology([aNode(), farm]))).toBe(false)
  expect(hasManyNeighbours(aTopology([aNode(), second, farm]))).toBe(false)
  const more = addresses.concat('10.1.1.1/16', '10.1.1.2/16', '10.1.1.3/16', '10.1.1.4/16')
  farm.interfaces = [{ name: 'eth0', network: 'lan', address: '10.0.0.10', addresses: more }]
  expect(hasManyNeighbours(aTopology([aNode(), second, farm]))).toBe(true)
})
