/** Help for this folder's unit tests; nothing else imports it. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

import { onTestFinished } from 'vitest'

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
