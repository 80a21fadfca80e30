import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { interpret } from '../config/keepalived/director.ts'
import { configId, loadTree } from '../config/keepalived/load.ts'
import type { LvslabError } from '../errors.ts'
import { readTable } from '../config/table.ts'
import {
  type DirectorFiles,
  directorFiles,
  noDirectorFiles,
  filesOfNode,
  refuseMisspelt,
} from '../topology/director-files.ts'
import { shortPath, TOPOLOGY_FILE_NAME } from '../topology/find.ts'
import { loadTopology } from '../topology/load.ts'
import { nodeFiles } from '../topology/node-files.ts'
import type { Node, Topology } from '../topology/types.ts'
import { withoutOddBlanks } from './odd-blanks.ts'
import type { Director, LintInput } from './rule.ts'

/** A director's files, with its node where a topology has it. */
type Source = DirectorFiles & {
  node?: Node
  /** What its host is called, where `name` is more than that. */
  host?: string
}

/**
 * Reads what the arguments name. A folder with topology.yaml, or with more than one director, is judged by itself; all files and
 * folders of one director each are judged together.
 *
 * @throws LvslabError DIRECTOR_FILES, TOPOLOGY_INVALID, CONFIG_NOT_FOUND; exit code 2
 */
export const readInputs = (paths: string[]): LintInput[] => {
  const groups: LintInput[] = []
  const single: Source[] = []
  for (const path of new Set(paths.map(one => resolve(one)))) {
    const found = sourcesOf(path)
    if (found.topology) groups.push({ topology: found.topology, directors: found.sources.map(read) })
    else if (found.sources.length > 1) groups.push({ directors: found.sources.map(read) })
    else single.push(...found.sources)
  }
  return single.length === 0 ? groups : [{ directors: named(single).map(read) }, ...groups]
}

/** Reads one director as far as it goes: what is wrong in it is kept, not thrown. */
const read = ({ name, host = name, program, root, mount, file, whole, node }: Source): Director => {
  const errors: LvslabError[] = []
  const onError = (error: LvslabError): void => {
    if (!error.at) throw error // there is no place to report it at
    errors.push(error)
  }
  const main = join(root, relative(mount, file))
  try {
    accessSync(main, constants.R_OK)
  } catch (error) {
    throw noDirectorFiles(`${shortPath(main)} cannot be read: ${(error as Error).message}`)
  }
  const common = {
    name,
    instance: configId(host),
    program,
    errors,
    fileOf: (path: string) =>
      whole && (mount === '/' || path.startsWith(`${mount}/`)) ? join(root, relative(mount, path)) : undefined,
    ...(node ? { node } : {}),
  }
  if (program !== 'keepalived') {
    const config = readTable(name, program, main)
    return { ...common, statements: [], config, ...(config.ldirectord ? { ldirectord: config.ldirectord } : {}) }
  }
  const loaded = loadTree(root, file, {
    instance: common.instance,
    mount,
    onError,
    edit: (text, path) => withoutOddBlanks(text, path, onError),
  })
  return { ...common, statements: loaded.statements, config: interpret(name, loaded, onError) }
}

/** Two files of one name are told apart by their folder. */
const named = (sources: Source[]): Source[] =>
  sources.map(source =>
    sources.some(other => other !== source && other.name === source.name)
      ? { ...source, host: source.name, name: shortPath(join(source.root, relative(source.mount, source.file))) }
      : source,
  )

const sourcesOf = (path: string): { sources: Source[]; topology?: Topology } => {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat?.isFile() && basename(path) === TOPOLOGY_FILE_NAME) return ofTopology(dirname(path))
  if (stat?.isDirectory() && existsSync(join(path, TOPOLOGY_FILE_NAME))) return ofTopology(path)
  return { sources: directorFiles(path) }
}

const ofTopology = (dir: string): { sources: Source[]; topology: Topology } => {
  const topology = loadTopology(dir)
  for (const node of topology.nodes) nodeFiles(node)
  const sources = topology.nodes.flatMap((node): Source[] => {
    if (node.role !== 'director' || node.files === undefined) return []
    const found = filesOfNode(node.name, node.files)
    if (found.length === 0) refuseMisspelt(node.files)
    return found.map(files => ({ ...files, node }))
  })
  if (sources.length === 0)
    throw noDirectorFiles(
      `no director of ${topology.name} has etc/keepalived, etc/ha.d/ldirectord.cf or etc/ipvsadm.rules`,
      'put the configuration into the folder of the node that has it, at its path on the node',
    )
  return { topology, sources }
}
