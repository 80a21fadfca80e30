import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { topologyOf } from './topology-of.ts'

const dir = mkdtempSync(path.join(os.tmpdir(), 'lvslab-topology-of-'))
afterAll(() => rmSync(dir, { recursive: true }))

it('derives a topology from one file, as from a folder', async () => {
  const file = path.join(dir, 'lb1.conf')
  writeFileSync(
    file,
    'vrrp_instance V {\n  interface eth0\n  virtual_router_id 1\n  virtual_ipaddress {\n    10.0.0.100/24\n  }\n}\n',
  )
  const told: string[] = []
  const topology = await topologyOf(
    file,
    name => path.join(dir, 'derived', name),
    line => told.push(line),
  )
  expect(topology.nodes.map(({ name, role }) => `${name} ${role}`)).toContain('lb1 director')
  expect(told[0]).toBe(`a topology is derived from ${file}, see \`lvslab derive ${file}\``)
})
