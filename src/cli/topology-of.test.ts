import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, expect, it, vi } from 'vitest'
import { printTopologyOf, topologyOf } from './topology-of.ts'

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

it('says of a copied file where it stands, be it of a whole folder of a director or not', async () => {
  const text =
    'vrrp_instance V {\n  interface eth0\n  virtual_router_id 1\n  virtual_ipaddress {\n    10.0.0.100/24\n  }\n}\n'
  const folder = path.join(dir, 'whole')
  mkdirSync(path.join(folder, 'd1/etc/keepalived'), { recursive: true })
  writeFileSync(path.join(folder, 'd1/etc/keepalived/keepalived.conf'), text)
  mkdirSync(path.join(folder, 'd2'))
  writeFileSync(path.join(folder, 'd2/keepalived.conf'), text)
  using written = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
  using _told = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  await printTopologyOf(folder, ({ nodes }) =>
    nodes.map(({ files }) => `${files}/etc/keepalived/keepalived.conf:1:1\n`).join(''),
  )
  expect(written.mock.calls.join('')).toContain(`${folder}/d1/etc/keepalived/keepalived.conf:1:1\n`)
  expect(written.mock.calls.join('')).toContain(`${folder}/d2/keepalived.conf:1:1\n`)
})
