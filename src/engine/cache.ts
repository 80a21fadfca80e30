import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { mkdir, rename, rm, stat } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { LvslabError, messageOf } from '../errors.ts'
import { lockFile } from './file-lock.ts'

/**
 * Folder of everything that can be rebuilt: `LVSLAB_CACHE`, default `~/.cache/lvslab`. Its parts:
 * `debs/` downloaded packages by SHA-256, `engines/`, `images/` and `templates/` by key, `run/` one folder per running
 * engine, `locks/`. Whoever looks finds nothing where it is not there; only the first that writes makes it.
 */
export const cacheDir = (...parts: string[]): string =>
  path.resolve(process.env['LVSLAB_CACHE'] || path.join(homeDir(), '.cache', 'lvslab'), ...parts)

/** With an empty HOME, which leads to wherever one is, the home of the user's entry in passwd(5). */
const homeDir = (): string => os.homedir() || os.userInfo().homedir

/** Makes the cache folder. Only the owner may read it: it holds the keys of the engines. @throws LvslabError CACHE_UNWRITABLE */
export const makeCacheDir = (): void => {
  const root = cacheDir()
  try {
    mkdirSync(root, { recursive: true, mode: 0o700 })
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code ?? messageOf(cause)
    throw new LvslabError('CACHE_UNWRITABLE', `the cache folder ${root} cannot be made: ${why}`, {
      remedy: 'export LVSLAB_CACHE=/a/folder/of/yours',
      cause,
    })
  }
}

/** Whether there is such a file or folder. */
export const exists = async (file: string): Promise<boolean> => {
  try {
    await stat(file)
    return true
  } catch {
    return false
  }
}

/** Where a keyed entry of the cache stands, built or not. */
export const entryDir = (kind: CacheKind, key: string): string => cacheDir(kind, key)

export type CacheKind = 'engines' | 'images' | 'templates'

/** Whether an entry is there: an entry appears whole, by a rename, or not at all. */
export const hasEntry = (kind: CacheKind, key: string): Promise<boolean> => exists(entryDir(kind, key))

/** Lock of a keyed entry: held exclusively while it is built or removed, shared while it is used. */
export const entryLockFile = (kind: CacheKind, key: string): string => cacheDir('locks', `${kind}-${key}.lock`)

/**
 * Returns the folder of a keyed entry, building it first where it is missing. Builds aside and renames at the end, so a
 * build that fails, is interrupted or is killed leaves no half-built entry; of two builds at once, one waits for the other
 * and finds the result.
 *
 * @param build fills the empty folder it is given
 * @param onWait called once when another process is building the same entry
 */
export const buildEntry = async (
  kind: CacheKind,
  key: string,
  build: (dir: string) => Promise<void>,
  options: { signal?: AbortSignal | undefined; onWait?: () => void } = {},
): Promise<string> => {
  const dir = entryDir(kind, key)
  if (await exists(dir)) return dir
  makeCacheDir()
  await using _lock = await lockFile(entryLockFile(kind, key), 'exclusive', options)
  if (await exists(dir)) return dir
  const aside = cacheDir(kind, `.part-${key}-${randomBytes(4).toString('hex')}`)
  await mkdir(aside, { recursive: true, mode: 0o700 })
  try {
    await build(aside)
    options.signal?.throwIfAborted()
    await rename(aside, dir)
  } finally {
    await rm(aside, { recursive: true, force: true })
  }
  return dir
}
