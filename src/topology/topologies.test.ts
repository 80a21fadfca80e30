import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { drawText } from './draw.ts'
import { loadTopology } from './load.ts'
import { nodeFiles } from './node-files.ts'
import { nodeScript } from './node-script.ts'

const ROOT = join(import.meta.dirname, '../../topologies')
const dirs = readdirSync(ROOT).filter(name => existsSync(join(ROOT, name, 'topology.yaml')))

test.each(dirs)('%s can be built', name => {
  const topology = loadTopology(join(ROOT, name))
  expect(topology.name).toBe(name)
  for (const node of topology.nodes) {
    nodeScript(topology, node)
    // A probe tells by the first word of a page which node answered.
    const page = nodeFiles(node).find(file => file.path === '/var/www/html/index.html')
    if (page) expect(page.content.toString().split(/\s/)[0]).toBe(node.name)
  }
})

test.each(dirs)('the picture in the README of %s is up to date', name => {
  const dir = join(ROOT, name)
  expect(readFileSync(join(dir, 'README.md'), 'utf8')).toContain(drawText(loadTopology(dir)))
})
