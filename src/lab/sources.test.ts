import fc from 'fast-check'
import { expect, test } from 'vitest'
import { contains, parseIpv4, parseSubnet } from '../topology/ipv4.ts'
import { loadTopology } from '../topology/load.ts'
import type { AgentConnection } from './agent-connection.ts'
import {
  addressesFrom,
  addSources,
  coveringBlocks,
  freeAddresses,
  type SourceOptions,
  takenAddresses,
} from './sources.ts'

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

/** An agent that takes every command. */
const given: string[] = []
const agent = {
  call: (_op: string, { argv }: { argv: string[] }) => {
    given.push(argv.join(' '))
    return Promise.resolve({ code: 0 })
  },
} as unknown as AgentConnection
const add = (options: SourceOptions) => addSources(agent, topology, { events: [], given: new Set() }, 'c1', options)

test.each<[SourceOptions, string]>([
  [{ count: 0 }, 'count 0: '],
  [{ count: 2001 }, 'count 2001: '],
  [{ count: 4e9, from: '10.9.0.1' }, 'count 4000000000: from 1 to 2000 sources can be added at once'],
  [{ count: 2, from: '255.255.255.255' }, '2 sources from 255.255.255.255 on: '],
  [{ count: 250 }, 'lan (10.0.0.0/24) has 248 free addresses for sources of c1; 250 were asked for'],
])('%j are refused before a list of them is made', async (options, message) => {
  await expect(add(options)).rejects.toMatchObject({ exitCode: 2, message: expect.stringContaining(message) })
  expect(given).toEqual([])
})

test('of IPv6 they are of the network of whom they ask, beginning with what nobody has', async () => {
  const six = loadTopology('topologies/keepalived-ipv6')
  const addTo = (to: string, given: string[] = []) =>
    addSources(agent, six, { events: [], given: new Set(given) }, 'c1', { count: 2, to })
  given.length = 0
  expect(await addTo('fd00:0:0:2::100')).toEqual(['fd00:0:0:2::1', 'fd00:0:0:2::2'])
  expect(given.splice(0)).toEqual([expect.stringContaining('address add fd00:0:0:2::1/64 dev eth1 nodad\n')])
  expect(await addTo('fd00:0:0:1::100', ['fd00:0:0:1::1'])).toEqual(['fd00:0:0:1::2', 'fd00:0:0:1::3'])
  expect(await addTo('fd00:9::100')).toEqual(['fd00:0:0:1::1', 'fd00:0:0:1::2'])
  given.length = 0
  await expect(add({ count: 2, to: 'fd00::1' })).rejects.toMatchObject({
    message: expect.stringContaining('no address of IPv6'),
  })
  expect(await add({ count: 1, to: '10.0.0.100' })).toEqual(['10.0.0.1'])
  given.length = 0
})

test('of a small network there are as many as are free, where fewer will do', async () => {
  expect(await add({ count: 250, atMost: true })).toHaveLength(248)
  given.length = 0
  const none = addSources(
    agent,
    topology,
    { events: [], given: new Set(freeAddresses('10.0.0.0/24', new Set())) },
    'c1',
    {
      ...{ count: 5, atMost: true },
    },
  )
  expect(await none).toEqual([])
  expect(given).toEqual([])
})

test('of a large network no more is listed than is needed', () => {
  expect(freeAddresses('10.0.0.0/8', new Set(['10.0.0.2']), 3)).toEqual(['10.0.0.1', '10.0.0.3', '10.0.0.4'])
})

test('as many as can be added at once fit into one command', async () => {
  expect(await add({ count: 2000, from: '100.100.100.100' })).toHaveLength(2000)
  const [longest] = given.splice(0).toSorted((a, b) => b.length - a.length)
  expect(longest?.length).toBeLessThan(131_072 * 0.7) // MAX_ARG_STRLEN; names of devices may be longer
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
