import { lstat, readdir, readFile, readlink, realpath } from 'node:fs/promises'
import path from 'node:path'
import { type CacheKind, cacheDir, entryLockFile } from './cache.ts'
import { tryLockFile } from './file-lock.ts'

/** Something in the cache that a killed process may have left. */
export interface Leftover {
  /** Its place in the cache: `run/1a2b3c4d`, `templates/.part-...`. */
  what: string
  dir: string
  bytes: number
  /** Why it must stay; undefined: nobody needs it any more. */
  inUse: string | undefined
}

/** Where nothing tells whether somebody still works on it, it does for so long; ms. */
const GRACE_MS = 3_600_000

/** From the making of an instance's folder to its guard's start, with a lot to spare; ms. */
const START_MS = 60_000

/** What a `.part-` folder of engines/, images/ or templates/ is a part of. */
export const partKey = (name: string): string | undefined => /^\.part-(.+?)-(removed-\d+|[0-9a-f]{8})$/.exec(name)?.[1]

/**
 * Visits everything half-made: `.part-` folders of builds and downloads, and the folders of running engines. The lock
 * of a `.part-` folder that nobody needs is held while it is visited, so that no builder can come in between.
 */
export const visitLeftovers = async (visit: (leftover: Leftover) => Promise<void>): Promise<void> => {
  for (const name of await list('debs')) {
    if (!name.startsWith('.part-')) continue
    const young = (await ageMs(cacheDir('debs', name))) < GRACE_MS
    await visit(await leftover('debs', name, young ? 'a download younger than an hour' : undefined))
  }
  for (const kind of ['engines', 'images', 'templates'] as const) {
    for (const name of await list(kind)) if (name.startsWith('.part-')) await visitPart(kind, name, visit)
  }
  for (const name of await list('run'))
    await visit(await leftover('run', name, await whyRunning(cacheDir('run', name))))
}

/** What nobody needs any more, for a look. */
export const findLeftovers = async (): Promise<Leftover[]> => {
  const found: Leftover[] = []
  await visitLeftovers(async one => {
    if (one.inUse === undefined) found.push(one)
  })
  return found
}

const visitPart = async (
  kind: CacheKind,
  name: string,
  visit: (leftover: Leftover) => Promise<void>,
): Promise<void> => {
  const key = partKey(name)
  if (key === undefined) {
    const young = (await ageMs(cacheDir(kind, name))) < GRACE_MS
    return visit(await leftover(kind, name, young ? 'younger than an hour' : undefined))
  }
  // whoever builds or removes an entry holds its lock all the while, and the kernel frees it with the process
  await using lock = await tryLockFile(entryLockFile(kind, key), 'exclusive')
  await visit(await leftover(kind, name, lock ? undefined : 'its builder is at work'))
}

const leftover = async (kind: string, name: string, inUse: string | undefined): Promise<Leftover> => {
  const dir = cacheDir(kind, name)
  return { what: `${kind}/${name}`, dir, bytes: await bytesOf(dir), inUse }
}

const whyRunning = async (dir: string): Promise<string | undefined> => {
  const text = await readFile(path.join(dir, 'guard.pid'), 'utf8').catch(() => undefined)
  // the guard makes the file, then writes into it
  if (!text?.trim()) return (await ageMs(dir)) < START_MS ? 'it is being started' : undefined
  return (await isGuard(Number(text), dir)) ? 'its engine runs' : undefined
}

/** Whether a process is the guard of an instance's folder: process IDs are given out again. */
const isGuard = async (pid: number, dir: string): Promise<boolean> => {
  if (!(pid > 0)) return false
  const words = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0')
  // by its end: one folder may have several names
  return words.some(word => word.endsWith(`/run/${path.basename(dir)}/guard`))
}

/**
 * Processes that an instance's guard left behind when it was killed outright: those whose working folder it is.
 *
 * @returns process IDs
 */
export const orphansOf = async (dir: string): Promise<number[]> => {
  const text = await readFile(path.join(dir, 'pids'), 'utf8').catch(() => '')
  const pids = text
    .split(/\s+/)
    .map(Number)
    .filter(pid => pid > 0)
  const real = await realpath(dir).catch(() => dir)
  const folders = pids.map(pid => readlink(`/proc/${pid}/cwd`).catch(() => undefined))
  const theirs = await Promise.all(folders)
  return pids.filter((_, i) => theirs[i] === real)
}

const list = (kind: string): Promise<string[]> => readdir(cacheDir(kind)).catch(() => [])

/** ms since a file or folder was last changed, moved or written into; an old date from a server does not count. */
export const ageMs = async (file: string): Promise<number> =>
  Date.now() -
  (await lstat(file).then(
    found => found.ctimeMs,
    () => Date.now(),
  ))

/** What a file, or a folder with all in it, takes on disk; bytes. What disappears meanwhile counts nothing. */
export const bytesOf = async (file: string): Promise<number> => {
  const found = await lstat(file).catch(() => undefined)
  if (!found) return 0
  if (!found.isDirectory()) return found.blocks * 512
  let sum = found.blocks * 512
  for (const name of await readdir(file).catch(() => [])) sum += await bytesOf(path.join(file, name))
  return sum
}
