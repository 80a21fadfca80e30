import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { keysAt, topologySchemaJson } from './schema.ts'

test('the schema that editors read is the one that the loader checks', () => {
  const file = join(import.meta.dirname, '../../topologies/topology.schema.json')
  const command = 'node_modules/.bin/node src/topology/write-schema.ts'
  expect(JSON.parse(readFileSync(file, 'utf8')), `it is out of date: run ${command}`).toEqual(topologySchemaJson())
})

test('the keys of a place are known through mappings of any name', () => {
  expect(keysAt(['nodes', 'd1', 'interfaces', 'eth0'])).toEqual(['network', 'address', 'addresses', 'metric'])
  expect(keysAt(['networks', 'lan'])).toEqual(['subnet', 'gateway', 'driver'])
  expect(keysAt(['nodes', 'd1', 'tunnels'])).toEqual(['tunl0', 'ip6tnl0'])
  expect(keysAt(['nodes', 'd1', 'sysctls'])).toEqual([])
  expect(keysAt(['nowhere', 'at', 'all'])).toEqual([])
})
