/** Help for this folder's unit tests; nothing else imports it. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

import { expect, onTestFinished } from 'vitest'

import { LvslabError } from '../errors.ts'
import { loadTopology } from './load.ts'
import type { Node, Topology } from './types.ts'

/** A new folder with these files (path to content), removed when the test ends. */
export const folderWith = (files: Record<string, string>): string => {
  const dir = mkdtempSync(join(tmpdir(), 'lvslab-topology-'))
  onTestFinished(() => rmSync(dir, { recursive: true }))
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, name)), { recursive: true })
    writeFileSync(join(dir, name), content)
  }
  return dir
}

/** A node of a topology that no file describes. */
export const aNode = (node: Partial<Node> = {}): Node => ({
  name: 'd1',
  role: 'director',
  interfaces: [{ name: 'eth0', network: 'lan', address: '10.0.0.200', addresses: [] }],
  loopback: [],
  tunnels: [],
  sysctls: {},
  routes: [],
  ...node,
})

/** A topology that no file describes, of these nodes on one network. */
export const aTopology = (nodes: Node[], topology: Partial<Topology> = {}): Topology => ({
  name: 'pair',
  dir: '/nowhere',
  networks: [{ name: 'lan', subnet: '10.0.0.0/24' }],
  nodes,
  ...topology,
})

/** A topology with nothing wrong in it. */
export const PAIR = `name: pair
summary: A pair
networks:
  lan: { subnet: 10.0.0.0/24, gateway: 10.0.0.1 }
  wan: { subnet: 192.168.0.0/24 }
  dmz: { subnet: 172.16.0.0/24 }
nodes:
  d1:
    role: director
    interfaces:
      eth0: { network: lan, address: 10.0.0.200 }
      eth1: { network: wan, address: 192.168.0.5, addresses: [172.17.0.1/16], metric: 100 }
  rs1:
    role: realserver
    interfaces: { eth0: { network: lan, address: 10.0.0.10 } }
    loopback: [10.0.0.100/32]
    sysctls: { net.ipv4.conf.all.arp_ignore: 1, net.ipv4.ip_local_port_range: 1024 65000 }
    routes: ['10.9.0.0/16  via 10.0.0.1']
    tunnels: { tunl0: [10.0.0.100/32] }
`

/** What is thrown when a folder is loaded. */
export const failure = (dir: string): LvslabError => {
  try {
    loadTopology(dir)
  } catch (error) {
    if (error instanceof LvslabError) return error
    throw error
  }
  throw new Error('it loaded')
}

/** The problems of a text, without the file's name: `4:11 Invalid option ...`. */
export const problems = (yaml: string, files: Record<string, string> = {}): string[] => {
  const error = failure(folderWith({ 'topology.yaml': yaml, ...files }))
  expect(error).toMatchObject({
    code: 'TOPOLOGY_INVALID',
    exitCode: 2,
    remedy: expect.stringContaining('topology.schema.json'),
  })
  return error.message.split('\n').map(line => line.replace(/^\S*topology\.yaml:/, ''))
}

/** PAIR with one piece of it written otherwise. */
export const changed = (from: string | RegExp, to: string): string[] => {
  const yaml = PAIR.replace(from, to)
  expect(yaml).not.toBe(PAIR)
  return problems(yaml)
}
