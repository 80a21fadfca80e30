import { createHash } from 'node:crypto'
import type { Hash } from 'node:crypto'
import { lstat, readdir, readFile, readlink } from 'node:fs/promises'
import { join } from 'node:path'

import { nodeScript } from './node-script.ts'
import type { Topology } from './types.ts'

/**
 * What decides how a lab of this topology comes up, as a hex SHA-256: the topology, the script that sets up each
 * node, and every file below the node folders (its path, whether it is executable, its content; a link by its
 * target). It does not depend on where the folder lies nor on file times, nor on what is expected of the lab.
 *
 * @throws the file system's own error when a file cannot be read
 */
export const topologyKey = async (topology: Topology): Promise<string> => {
  const hash = createHash('sha256')
  const { dir: _, expect: _expect, nodes, ...rest } = topology
  add(hash, 'topology', canonical({ ...rest, nodes: nodes.map(({ files: __, ...node }) => node) }))
  for (const node of nodes) {
    add(hash, `script ${node.name}`, nodeScript(topology, node))
    if (node.files !== undefined) await addTree(hash, node.name, node.files, '')
  }
  return hash.digest('hex')
}

/** Every part goes in with its name and length before it, so that no two different inputs give the same bytes. */
const add = (hash: Hash, name: string, content: string | Buffer): void => {
  hash.update(`${JSON.stringify([name, Buffer.byteLength(content)])}\n`).update(content)
}

/** JSON with the keys of objects sorted; the order of nodes and interfaces means something and stays. */
const canonical = (value: unknown): string =>
  JSON.stringify(value, (_, its: unknown) =>
    typeof its === 'object' && its !== null && !Array.isArray(its)
      ? Object.fromEntries(Object.entries(its).sort(([a], [b]) => (a < b ? -1 : 1)))
      : its,
  )

const addTree = async (hash: Hash, node: string, root: string, relative: string): Promise<void> => {
  const path = join(root, relative)
  const stat = await lstat(path)
  if (stat.isDirectory()) {
    for (const name of (await readdir(path)).sort()) {
      await addTree(hash, node, root, relative === '' ? name : `${relative}/${name}`)
    }
  } else if (stat.isFile()) {
    add(hash, `${stat.mode & 0o100 ? 'executable' : 'file'} ${node} ${relative}`, await readFile(path))
  } else if (stat.isSymbolicLink()) {
    add(hash, `link ${node} ${relative}`, await readlink(path))
  } else {
    add(hash, `special ${node} ${relative}`, '')
  }
}
