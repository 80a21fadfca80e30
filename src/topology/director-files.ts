import { accessSync, closeSync, constants, existsSync, openSync, readdirSync, readSync, statSync } from 'node:fs'
import { hostname } from 'node:os'
import { basename, dirname, extname, join, relative } from 'node:path'
import { programOf, type TableProgram } from '../config/table.ts'
import { LvslabError } from '../errors.ts'
import { nearest } from './did-you-mean.ts'
import { shortPath } from './find.ts'

/** Folder of keepalived's configuration on a node. */
export const KEEPALIVED = '/etc/keepalived'
/** The file in it that keepalived begins with. */
export const MAIN = 'keepalived.conf'

/** What reads the file. */
export type Program = 'keepalived' | TableProgram

/**
 * Where each has its file on a node; the first is where a node of a lab has it. `ipvsadm-save` files stand where the package of
 * Debian and that of Red Hat restore them from; ldirectord looks in both places (ldirectord ld_init).
 */
export const PLACES: Record<Program, readonly [string, ...string[]]> = {
  keepalived: [`${KEEPALIVED}/${MAIN}`],
  ldirectord: ['/etc/ha.d/ldirectord.cf', '/etc/ha.d/conf/ldirectord.cf'],
  ipvsadm: ['/etc/ipvsadm.rules', '/etc/sysconfig/ipvsadm'],
}

/** Where a director's configuration stands, and what of the node is beside it. */
export interface DirectorFiles {
  name: string
  program: Program
  /** Folder that stands for the node's `mount`. */
  root: string
  mount: string
  /** Absolute path on the node. */
  file: string
  /** Whether other files of the node are given as well: scripts. */
  whole: boolean
}

/**
 * The directors whose configurations a file is, or a folder holds: its own keepalived.conf, ldirectord.cf and ipvsadm.rules, or a
 * folder, or a .conf file, for each director. Where a director has files of more than one program, each is there, keepalived's
 * first.
 *
 * @throws LvslabError DIRECTOR_FILES, exit code 2
 */
export const directorFiles = (path: string): DirectorFiles[] => {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (!stat) throw noDirectorFiles(`${shortPath(path)} does not exist`)
  if (stat.isFile()) return [ofFile(path)]
  if (!stat.isDirectory()) throw noDirectorFiles(`${shortPath(path)} is neither a folder nor a file`)
  return ofFolder(path)
}

/** One file; a path that ends as on a node brings that node's other files with it, be it this machine. */
const ofFile = (path: string): DirectorFiles => {
  const table = ofTableFile(path)
  if (table) return table
  const program = 'keepalived'
  const folder = dirname(path)
  if (folder.endsWith(KEEPALIVED)) {
    const root = folder.slice(0, -KEEPALIVED.length) || '/'
    const name = root === '/' ? hostname() : basename(root)
    return { name, program, root, mount: '/', file: join(KEEPALIVED, basename(path)), whole: true }
  }
  const name = basename(path) === MAIN ? basename(folder) : basename(path, extname(path))
  return { name, program, root: folder, mount: KEEPALIVED, file: join(KEEPALIVED, basename(path)), whole: false }
}

/** A file that is known by its name: ldirectord.cf, ipvsadm.rules, and Red Hat's `ipvsadm`; of another name, by what it says. */
const ofTableFile = (path: string): DirectorFiles | undefined => {
  for (const program of ['ldirectord', 'ipvsadm'] as const) {
    const alike = PLACES[program].filter(place => basename(place) === basename(path))
    const [file] = alike
    if (file === undefined) continue
    const place = alike.find(one => path.endsWith(one))
    if (place === undefined) {
      const root = dirname(path)
      return { name: basename(root), program, root, mount: dirname(file), file, whole: false }
    }
    const root = path.slice(0, -place.length) || '/'
    return { name: root === '/' ? hostname() : basename(root), program, root, mount: '/', file: place, whole: true }
  }
  if (basename(path) === MAIN) return undefined
  const program = programOf(beginningOf(path))
  if (program === 'keepalived') return undefined
  const mount = dirname(PLACES[program][0])
  const name = basename(path, extname(path))
  return { name, program, root: dirname(path), mount, file: join(mount, basename(path)), whole: false }
}

/** What stands at the beginning of a file, as far as it can be read: whoever reads it says what is wrong. */
const beginningOf = (path: string): string => {
  try {
    if (!statSync(path).isFile()) return ''
    const bytes = Buffer.alloc(4096)
    const opened = openSync(path, 'r')
    try {
      return bytes.toString('utf8', 0, readSync(opened, bytes))
    } finally {
      closeSync(opened)
    }
  } catch {
    return ''
  }
}

/** Where its file is here. */
export const pathOf = ({ root, mount, file }: DirectorFiles): string => join(root, relative(mount, file))

/** What the folder of a director's node has; a node with /etc/keepalived is meant to run keepalived, whatever is in there. */
export const filesOfNode = (name: string, root: string): DirectorFiles[] =>
  Object.entries(PLACES).flatMap(([program, [file]]) =>
    existsSync(join(root, program === 'keepalived' ? KEEPALIVED : file))
      ? [{ name, program: program as Program, root, mount: '/', file, whole: true }]
      : [],
  )

/** What stands in a folder that cannot be looked into is not missing. */
const refuseUnreadable = (dir: string): void => {
  for (const folder of [
    dir,
    ...Object.values(PLACES).flatMap(places => places.map(place => join(dir, dirname(place)))),
  ]) {
    try {
      if (existsSync(folder)) accessSync(folder, constants.R_OK | constants.X_OK)
    } catch {
      throw new LvslabError('DIRECTOR_UNREADABLE', `${shortPath(folder)} cannot be read`, {
        remedy: 'let whoever runs lvslab read it, or move it away',
        exitCode: 2,
      })
    }
  }
}

/** Where a director's configuration may stand in a folder of its own. */
const NAMES = [
  ...new Set([
    ...Object.values(PLACES).flat(),
    ...Object.values(PLACES)
      .flat()
      .map(place => basename(place)),
  ]),
]

/**
 * A director without a configuration may have one under a name that nobody reads.
 *
 * @throws LvslabError DIRECTOR_FILES
 */
export const refuseMisspelt = (dir: string): void => {
  const known = new Map<string, Set<string>>()
  for (const place of NAMES.map(name => join('/', name)))
    for (let path = place; path !== '/'; path = dirname(path)) {
      const names = known.get(dirname(path)) ?? new Set()
      known.set(dirname(path), names.add(basename(path)))
    }
  for (const [folder, names] of known)
    for (const name of listed(join(dir, folder))) {
      const meant = names.has(name) ? undefined : nearest(name, [...names])
      if (meant !== undefined)
        throw noDirectorFiles(
          `${shortPath(join(dir, folder, name))} is the configuration of no director; did you mean "${meant}"?`,
          `call it ${meant}, or move it away`,
        )
    }
}

const listed = (folder: string): string[] =>
  statSync(folder, { throwIfNoEntry: false })?.isDirectory() ? readdirSync(folder) : []

/** The files of the director that a folder is of: laid over its root, or beside each other. */
const ofDirectorFolder = (dir: string): DirectorFiles[] => {
  refuseUnreadable(dir)
  return Object.values(PLACES).flatMap(places => {
    const found = [...places, ...places.map(place => basename(place))]
      .map(place => join(dir, place))
      .find(file => existsSync(file) && !statSync(file).isDirectory())
    if (found === undefined) return []
    const files = ofFile(found)
    return [{ ...files, name: basename(dir), whole: files.whole || files.program === 'keepalived' }]
  })
}

const ofFolder = (dir: string): DirectorFiles[] => {
  const entries = readdirSync(dir, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))
  const own = ofDirectorFolder(dir)
  const inside = entries
    .flatMap(entry => (entry.isDirectory() ? ofDirectorFolder(join(dir, entry.name)) : []))
    // etc/ipvsadm.rules is found in etc as well
    .filter(one => !own.some(its => pathOf(its) === pathOf(one)))
  const [first] = inside
  if (own.length > 0 && first)
    throw noDirectorFiles(`${shortPath(dir)} holds the files of a director, and so does its folder ${first.name}`)
  if (own.some(one => one.program === 'keepalived')) return own
  const files = entries.filter(entry => entry.isFile() && entry.name.endsWith('.conf'))
  const file = files[0]
  if (first && file)
    throw noDirectorFiles(
      `${shortPath(dir)} has folders of directors (${first.name}) and .conf files (${file.name}): which are meant?`,
      'leave one kind there, a folder or a .conf file for each director, and move the rest away',
    )
  if (inside.length > 0) {
    for (const entry of entries)
      if (entry.isDirectory() && !inside.some(one => one.name === entry.name)) refuseMisspelt(join(dir, entry.name))
    return inside
  }
  if (files.length === 0 && own.length === 0)
    throw noDirectorFiles(`${shortPath(dir)} holds no configuration of a director`)
  return [...files.map(entry => ofFile(join(dir, entry.name))), ...own]
}

const WHAT_IS_READ =
  'give keepalived.conf, ldirectord.cf or ipvsadm.rules files; or a folder with topology.yaml; or one with a folder (its keepalived.conf, or etc/keepalived/keepalived.conf) or a .conf file for each director'

/** What is no director's configuration. */
export const noDirectorFiles = (message: string, remedy = WHAT_IS_READ): LvslabError =>
  new LvslabError('DIRECTOR_FILES', message, { remedy, exitCode: 2 })
