import fc from 'fast-check'
import { expect, test } from 'vitest'
import { contains, parseIpv4, parseSubnet } from '../topology/ipv4.ts'
import { loadTopology } from '../topology/load.ts'
import { addressesFrom, coveringBlocks, freeAddresses, takenAddresses } from './sources.ts'

const topology = loadTopology('topologies/keepalived-dr')

test('free are the addresses of the network that neither the topology nor the journal gives to anybody', () => {
  const taken = takenAddresses(topology, [
    { kind: 'address', t: 1, change: 'remove', node: 'd1', device: 'eth0', address: '10.0.0.1', prefix: 24 },
    {
      ...{ kind: 'advert', t: 1, network: 'lan', source: '10.0.0.200', destination: '233.6.6.6', version: 2, vrid: 50 },
      ...{ priority: 100, interval: 1000, addresses: ['10.0.0.2'] },
    },
  ])
  const free = freeAddresses('10.0.0.0/24', taken)
  expect(free.slice(0, 8).join(' ')).toBe('10.0.0.3 10.0.0.4 10.0.0.5 10.0.0.6 10.0.0.7 10.0.0.8 10.0.0.9 10.0.0.11')
  // 254 host addresses without five nodes, the VIP on lo of the real servers, and the two above
  expect(free).toHaveLength(254 - 5 - 1 - 2)
})

test('a range goes on over the end of an octet', () => {
  expect(addressesFrom('10.9.0.254', 4)).toEqual(['10.9.0.254', '10.9.0.255', '10.9.1.0', '10.9.1.1'])
  expect(() => addressesFrom('10.9.0', 4)).toThrow('from 10.9.0: an IPv4 address is needed')
})

test('the blocks of a range have all of its addresses in them and no other', () => {
  expect(coveringBlocks(addressesFrom('10.9.0.1', 7))).toEqual(['10.9.0.1/32', '10.9.0.2/31', '10.9.0.4/30'])
  fc.assert(
    fc.property(fc.nat(2 ** 31), fc.integer({ min: 1, max: 600 }), (first, count) => {
      const addresses = addressesFrom([24, 16, 8, 0].map(bits => (first >>> bits) & 255).join('.'), count)
      const blocks = coveringBlocks(addresses).map(block => parseSubnet(block) as { first: number; last: number })
      expect(blocks.reduce((sum, block) => sum + block.last - block.first + 1, 0)).toBe(count)
      for (const address of addresses)
        expect(blocks.some(block => contains({ ...block, prefix: 0 }, parseIpv4(address) as number))).toBe(true)
    }),
  )
})
