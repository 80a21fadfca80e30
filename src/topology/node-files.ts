import { lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { LvslabError } from '../errors.ts'
import { shortPath } from './find.ts'
import { IPTABLES_FILE, iptablesFile } from './rules.ts'
import type { Node } from './types.ts'

/** One file to lay over a node's root. */
export interface NodeFile {
  /** Absolute path inside the node: `/etc/keepalived/keepalived.conf`. */
  path: string
  content: Buffer
  /** 0o755 where the owner may execute it, 0o644 otherwise: that bit is all that git keeps. */
  mode: 0o644 | 0o755
}

// The kernel's own trees, which no file can be laid over, and the folder that lvslab writes itself.
const REFUSED = ['dev', 'etc/lvslab', 'proc', 'sys']

/**
 * The files laid over a node's root, sorted by path: those of its folder, where it has one, and what topology.yaml has in place of
 * one. Folders without a file are left out.
 *
 * @throws {LvslabError} TOPOLOGY_FILE, exit code 2: a symbolic link or a special file (it could lead outside the folder,
 *   and means something else inside the node), a place that is not the user's, or a file that cannot be read.
 */
export const nodeFiles = (node: Node): NodeFile[] =>
  [...filesOfTopology(node), ...filesOfFolder(node)].sort((a, b) => (a.path < b.path ? -1 : 1))

const filesOfTopology = ({ iptables }: Node): NodeFile[] =>
  iptables ? [{ path: IPTABLES_FILE, content: Buffer.from(iptablesFile(iptables)), mode: 0o644 }] : []

const filesOfFolder = (node: Node): NodeFile[] => {
  if (node.files === undefined) return []
  const root = node.files
  const refuse = (path: string, message: string, remedy: string, cause?: unknown): never => {
    const options = { remedy, exitCode: 2 as const, cause }
    throw new LvslabError('TOPOLOGY_FILE', `${shortPath(path)} ${message}`, options)
  }
  const files: NodeFile[] = []
  const walk = (relative: string): void => {
    const path = join(root, relative)
    try {
      const stat = lstatSync(path)
      if (REFUSED.includes(relative)) {
        refuse(path, `would be laid over /${relative} of node ${node.name}, which is not a file's place`, 'remove it')
      }
      if (stat.isDirectory()) {
        for (const name of readdirSync(path).sort()) walk(relative === '' ? name : `${relative}/${name}`)
      } else if (!stat.isFile() || relative === '') {
        const kind = stat.isSymbolicLink() ? 'a symbolic link' : relative === '' ? 'not a folder' : 'a special file'
        refuse(
          path,
          `is ${kind}; only regular files are laid over a node's root`,
          'put a copy of the file in its place',
        )
      } else {
        files.push({ path: `/${relative}`, content: readFileSync(path), mode: stat.mode & 0o100 ? 0o755 : 0o644 })
      }
    } catch (error) {
      if (error instanceof LvslabError) throw error
      refuse(path, `cannot be read: ${(error as Error).message}`, 'check its permissions', error)
    }
  }
  walk('')
  return files
}
