import { existsSync, readdirSync, statSync } from 'node:fs'
import { hostname } from 'node:os'
import { basename, dirname, extname, join } from 'node:path'
import { LvslabError } from '../errors.ts'
import { shortPath } from './find.ts'

/** Folder of keepalived's configuration on a node. */
export const KEEPALIVED = '/etc/keepalived'
/** The file in it that keepalived begins with. */
export const MAIN = 'keepalived.conf'

/** Where a director's configuration stands, and what of the node is beside it. */
export interface DirectorFiles {
  name: string
  /** Folder that stands for the node's `mount`. */
  root: string
  mount: string
  /** Absolute path on the node. */
  file: string
  /** Whether other files of the node are given as well: scripts. */
  whole: boolean
}

/**
 * The directors whose configurations a file is, or a folder holds: its own keepalived.conf, or a folder or a .conf file for each
 * director.
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
  const folder = dirname(path)
  if (folder.endsWith(KEEPALIVED)) {
    const root = folder.slice(0, -KEEPALIVED.length) || '/'
    const name = root === '/' ? hostname() : basename(root)
    return { name, root, mount: '/', file: join(KEEPALIVED, basename(path)), whole: true }
  }
  const name = basename(path) === MAIN ? basename(folder) : basename(path, extname(path))
  return { name, root: folder, mount: KEEPALIVED, file: join(KEEPALIVED, basename(path)), whole: false }
}

/** The director whose files a folder holds, laid over its root or over /etc/keepalived. */
const ofDirectorFolder = (dir: string): DirectorFiles | undefined => {
  if (existsSync(join(dir, KEEPALIVED, MAIN)))
    return { ...ofFile(join(dir, KEEPALIVED, MAIN)), name: basename(dir), whole: true }
  if (existsSync(join(dir, MAIN))) return { ...ofFile(join(dir, MAIN)), name: basename(dir), whole: true }
  return undefined
}

const ofFolder = (dir: string): DirectorFiles[] => {
  const entries = readdirSync(dir, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))
  const inside = entries.flatMap(entry => (entry.isDirectory() ? (ofDirectorFolder(join(dir, entry.name)) ?? []) : []))
  const own = ofDirectorFolder(dir)
  if (own && inside.length > 0)
    throw noDirectorFiles(`${shortPath(dir)} holds the files of a director, and so does its folder ${inside[0]?.name}`)
  if (own) return [own]
  const files = entries.filter(entry => entry.isFile() && entry.name.endsWith('.conf'))
  const [folder, file] = [inside[0], files[0]]
  if (folder && file)
    throw noDirectorFiles(
      `${shortPath(dir)} has folders of directors (${folder.name}) and .conf files (${file.name}): which are meant?`,
      'leave one kind there, a folder or a .conf file for each director, and move the rest away',
    )
  if (inside.length > 0) return inside
  if (files.length === 0) throw noDirectorFiles(`${shortPath(dir)} holds no keepalived configuration`)
  return files.map(entry => ofFile(join(dir, entry.name)))
}

const WHAT_IS_READ =
  'give keepalived.conf files; or a folder with topology.yaml; or one with a folder (its keepalived.conf, or etc/keepalived/keepalived.conf) or a .conf file for each director'

/** What is no director's configuration. */
export const noDirectorFiles = (message: string, remedy = WHAT_IS_READ): LvslabError =>
  new LvslabError('DIRECTOR_FILES', message, { remedy, exitCode: 2 })
