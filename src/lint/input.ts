import { accessSync, constants, existsSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { interpret } from '../config/keepalived/director.ts'
import { loadTree } from '../config/keepalived/load.ts'
import type { LvslabError } from '../errors.ts'
import { type DirectorFiles, directorFiles, KEEPALIVED, MAIN, noDirectorFiles } from '../topology/director-files.ts'
import { shortPath, TOPOLOGY_FILE_NAME } from '../topology/find.ts'
import { loadTopology } from '../topology/load.ts'
import type { Node, Topology } from '../topology/types.ts'
import { withoutOddBlanks } from './odd-blanks.ts'
import type { Director, LintInput } from './rule.ts'
import { type Program, programOf, readTable } from './tables.ts'

/** A director's files, with its node where a topology has it. */
type Source = DirectorFiles & { node?: Node; program?: Program }

/**
 * Reads what the arguments name. A folder with topology.yaml, or with more than one director, is judged by itself; all files and
 * folders of one director each are judged together.
 *
 * @throws LvslabError DIRECTOR_FILES, TOPOLOGY_INVALID, CONFIG_NOT_FOUND; exit code 2
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
const read = ({ name, root, mount, file, whole, node, program: known }: Source): Director => {
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
  const program = known ?? programOf(readFileSync(main, 'utf8'))
  if (program !== 'keepalived') return readTable(name, main, program, node)
  const loaded = loadTree(root, file, {
    instance: name.replace(/\..*/s, ''),
    mount,
    onError,
    edit: (text, path) => withoutOddBlanks(text, path, onError),
  })
  return {
    name,
    program,
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
  if (stat?.isFile() && basename(path) === TOPOLOGY_FILE_NAME) return ofTopology(dirname(path))
  if (stat?.isDirectory() && existsSync(join(path, TOPOLOGY_FILE_NAME))) return ofTopology(path)
  return { sources: directorFiles(path) }
}

/** What a director of a topology starts with; keepalived.conf may be missing where its folder is not. */
const FILES: { program: Program; file: string; where: string }[] = [
  { program: 'keepalived', file: join(KEEPALIVED, MAIN), where: KEEPALIVED },
  { program: 'ipvsadm', file: '/etc/ipvsadm.rules', where: '/etc/ipvsadm.rules' },
  { program: 'ldirectord', file: '/etc/ha.d/ldirectord.cf', where: '/etc/ha.d/ldirectord.cf' },
]

const ofTopology = (dir: string): { sources: Source[]; topology: Topology } => {
  const topology = loadTopology(dir)
  const sources = topology.nodes.flatMap((node): Source[] => {
    const { name, role, files: root } = node
    if (role !== 'director' || root === undefined) return []
    return FILES.filter(({ where }) => existsSync(join(root, where))).map(({ file, program }) => ({
      ...{ name, root, mount: '/', file, whole: true, node, program },
    }))
  })
  if (sources.length === 0)
    throw noDirectorFiles(
      `no director of ${topology.name} has a folder etc/keepalived, nor etc/ipvsadm.rules or etc/ha.d/ldirectord.cf`,
      'put the configuration into the folder of the node that has it, at its path on the node',
    )
  return { topology, sources }
}
