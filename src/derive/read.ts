import { basename, join, relative, resolve } from 'node:path'
import { interpret } from '../config/keepalived/director.ts'
import { loadTree } from '../config/keepalived/load.ts'
import { LvslabError } from '../errors.ts'
import type { DirectorConfig } from '../model/types.ts'
import { type DirectorFiles, directorFiles, KEEPALIVED, MAIN } from '../topology/director-files.ts'
import { deriveTopology } from './derive.ts'
import type { Draft } from './draft.ts'
import type { Brought } from './write.ts'

/** A draft, and what the directors bring to its folder. */
export interface Derived {
  draft: Draft
  directors: Brought[]
}

/**
 * Derives a topology from the configurations that a path leads to: a folder with a folder or a .conf file for each director, or
 * one director's own.
 *
 * @throws LvslabError DIRECTOR_FILES, DERIVE_NOTHING, DERIVE_NAMES, and those of the reader
 */
export const deriveFrom = (path: string): Derived => {
  const found = directorFiles(resolve(path)).map(files => ({ ...files, name: hostName(files.name) }))
  const twice = found.find((one, n) => found.findIndex(other => other.name === one.name) !== n)
  if (twice)
    throw new LvslabError('DERIVE_NAMES', `two directors would be called ${twice.name}`, {
      remedy: 'give their folders, or files, names that differ in letters and digits',
      exitCode: 2,
    })
  const configs = found.map(({ name, root, mount, file }) => interpret(name, loadTree(root, file, { mount })))
  return {
    draft: deriveTopology(hostName(basename(resolve(path)).replace(/\.conf$/, '')), configs),
    directors: found.map((files, n) => brought(files, configs[n] as DirectorConfig)),
  }
}

/** A node is called like a host. */
const hostName = (name: string): string =>
  name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 32)
    .replace(/^-+|-+$/g, '') || 'd1'

/** Everything that was given of the node; of a single file, that and what it includes. */
const brought = ({ name, root, mount, file, whole }: DirectorFiles, { files }: DirectorConfig): Brought => {
  // of this machine, its configuration alone
  if (root === '/') return { node: name, from: { [KEEPALIVED]: KEEPALIVED } }
  if (whole) return { node: name, from: { [mount]: root } }
  const main = join(root, relative(mount, file))
  const included = files.filter(one => one !== main).map(one => [join(mount, relative(root, one)), one])
  return { node: name, from: { [join(KEEPALIVED, MAIN)]: main, ...Object.fromEntries(included) } }
}
