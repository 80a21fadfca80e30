import { accessSync, constants, existsSync, readdirSync, statSync } from 'node:fs'
import { hostname } from 'node:os'
import { basename, dirname, extname, join, relative, resolve } from 'node:path'
import { interpret } from '../config/keepalived/director.ts'
import { loadTree } from '../config/keepalived/load.ts'
import { LvslabError } from '../errors.ts'
import { shortPath, TOPOLOGY_FILE_NAME } from '../topology/find.ts'
import { loadTopology } from '../topology/load.ts'
import type { Node, Topology } from '../topology/types.ts'
import { withoutOddBlanks } from './odd-blanks.ts'
import type { Director, LintInput } from './rule.ts'

const FOLDER = '/etc/keepalived'
const MAIN = 'keepalived.conf'

/** Where a director's configuration stands, and what of the node is beside it. */
interface Source {
  name: string
  /** Folder that stands for the node's `mount`. */
  root: string
  mount: string
  /** Absolute path on the node. */
  file: string
  /** Whether other files of the node are given as well: scripts. */
  whole: boolean
  node?: Node
}

/**
 * Reads what the arguments name. A folder with topology.yaml, or with more than one director, is judged by itself; all files and
 * folders of one director each are judged together.
 *
 * @throws LvslabError LINT_INPUT, TOPOLOGY_INVALID, CONFIG_NOT_FOUND; exit code 2
 */
export const readInputs = (paths: string[]): LintInput[] => {
  const groups: LintInput[] = []
  const single: Source[] = []
  for (const path of paths) {
    const found = sourcesOf(resolve(path))
    if (found.topology) groups.push({ topology: found.topology, directors: found.sources.map(read) })
    else if (found.sources.length > 1) groups.push({ directors: found.sources.map(read) })
    else single.push(...found.sources)
  }
  return single.length === 0 ? groups : [{ directors: named(single).map(read) }, ...groups]
}

/** Reads one director as far as it goes: what is wrong in it is kept, not thrown. */
const read = ({ name, root, mount, file, whole, node }: Source): Director => {
  const errors: LvslabError[] = []
  const onError = (error: LvslabError): void => {
    if (!error.at) throw error // there is no place to report it at
    errors.push(error)
  }
  const main = join(root, relative(mount, file))
  try {
    accessSync(main, constants.R_OK)
  } catch (error) {
    throw wrong(`${shortPath(main)} cannot be read: ${(error as Error).message}`)
  }
  const loaded = loadTree(root, file, {
    instance: name.replace(/\..*/s, ''),
    mount,
    onError,
    edit: (text, path) => withoutOddBlanks(text, path, onError),
  })
  return {
    name,
    statements: loaded.statements,
    config: interpret(name, loaded, onError),
    errors,
    fileOf: path =>
      whole && (mount === '/' || path.startsWith(`${mount}/`)) ? join(root, relative(mount, path)) : undefined,
    ...(node ? { node } : {}),
  }
}

/** Two files of one name are told apart by their folder. */
const named = (sources: Source[]): Source[] =>
  sources.map(source =>
    sources.some(other => other !== source && other.name === source.name)
      ? { ...source, name: shortPath(join(source.root, relative(source.mount, source.file))) }
      : source,
  )

const sourcesOf = (path: string): { sources: Source[]; topology?: Topology } => {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (!stat) throw wrong(`${shortPath(path)} does not exist`)
  if (stat.isFile()) {
    if (basename(path) === TOPOLOGY_FILE_NAME) return ofTopology(dirname(path))
    return { sources: [ofFile(path)] }
  }
  if (!stat.isDirectory()) throw wrong(`${shortPath(path)} is neither a folder nor a file`)
  return existsSync(join(path, TOPOLOGY_FILE_NAME)) ? ofTopology(path) : { sources: ofFolder(path) }
}

const ofTopology = (dir: string): { sources: Source[]; topology: Topology } => {
  const topology = loadTopology(dir)
  const sources = topology.nodes.flatMap((node): Source[] =>
    node.role === 'director' && node.files !== undefined && existsSync(join(node.files, FOLDER))
      ? [{ name: node.name, root: node.files, mount: '/', file: join(FOLDER, MAIN), whole: true, node }]
      : [],
  )
  if (sources.length === 0)
    throw wrong(
      `no director of ${topology.name} has a folder etc/keepalived`,
      'lint reads keepalived.conf alone: put it into the etc/keepalived of the node that has it',
    )
  return { topology, sources }
}

/** One file; a path that ends as on a node brings that node's other files with it, be it this machine. */
const ofFile = (path: string): Source => {
  const folder = dirname(path)
  if (folder.endsWith(FOLDER)) {
    const root = folder.slice(0, -FOLDER.length) || '/'
    const name = root === '/' ? hostname() : basename(root)
    return { name, root, mount: '/', file: join(FOLDER, basename(path)), whole: true }
  }
  const name = basename(path) === MAIN ? basename(folder) : basename(path, extname(path))
  return { name, root: folder, mount: FOLDER, file: join(FOLDER, basename(path)), whole: false }
}

/** The director whose files a folder holds, laid over its root or over /etc/keepalived. */
const ofDirectorFolder = (dir: string): Source | undefined => {
  if (existsSync(join(dir, FOLDER, MAIN)))
    return { ...ofFile(join(dir, FOLDER, MAIN)), name: basename(dir), whole: true }
  if (existsSync(join(dir, MAIN))) return { ...ofFile(join(dir, MAIN)), name: basename(dir), whole: true }
  return undefined
}

const ofFolder = (dir: string): Source[] => {
  const entries = readdirSync(dir, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))
  const inside = entries.flatMap(entry => (entry.isDirectory() ? (ofDirectorFolder(join(dir, entry.name)) ?? []) : []))
  const own = ofDirectorFolder(dir)
  if (own && inside.length > 0)
    throw wrong(`${shortPath(dir)} holds the files of a director, and so does its folder ${inside[0]?.name}`)
  if (own) return [own]
  if (inside.length > 0) return inside
  const files = entries.filter(entry => entry.isFile() && entry.name.endsWith('.conf'))
  if (files.length === 0) throw wrong(`${shortPath(dir)} holds no keepalived configuration`)
  return files.map(entry => ofFile(join(dir, entry.name)))
}

const WHAT_IS_READ =
  'give keepalived.conf files; or a folder with topology.yaml; or one with a folder (its keepalived.conf, or etc/keepalived/keepalived.conf) or a .conf file for each director'

const wrong = (message: string, remedy = WHAT_IS_READ): LvslabError =>
  new LvslabError('LINT_INPUT', message, { remedy, exitCode: 2 })
