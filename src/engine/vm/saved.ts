import { open, readdir, readFile, readlink, rename, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { LvslabError } from '../../errors.ts'
import { buildEntry, type CacheKind, cacheDir, entryDir, entryLockFile, exists, hasEntry } from '../cache.ts'
import { type FileLock, lockFile, tryLockFile } from '../file-lock.ts'
import { host } from '../host-command.ts'
import { bytesOf } from '../leftovers.ts'
import type { Steps } from '../progress.ts'
import { requireRoom } from '../room.ts'
import { INSTANCE_FILES, MEMORY_IS_A_FILE, STATE_OUT } from './machine.ts'
import { packedFile, packFile } from './packed.ts'
import type { SavedMachine, VmEngine } from './vm-engine.ts'

/** Kinds of cache entries that are saved machines. */
export type SavedKind = Extract<CacheKind, 'images' | 'templates'>

/** A saved machine in the cache, and what its maker wanted to be remembered of it. */
export interface SavedEntry<T> extends SavedMachine {
  key: string
  dir: string
  manifest: T
}

/** What a saved machine stands on: an engine, or a saved machine with a frozen disk. */
export interface Base {
  kind: CacheKind
  key: string
  locks: string[]
  disk?: string
}

/** Name of the link in an entry's folder that leads to the entry on which it stands. */
export const BASE_LINK = 'base'

/**
 * Returns a saved machine, making it first where it is missing. Nobody removes it as long as this process is there; what is
 * returned counts as used now.
 *
 * @param make starts an engine, brings it to the state to be saved, and says what to remember; the engine is saved and ended
 */
export const ensureSaved = async <T>(
  kind: SavedKind,
  key: string,
  base: Base,
  make: () => Promise<{ engine: VmEngine; manifest: T }>,
  { steps, ...options }: { steps: Steps; signal?: AbortSignal | undefined; onWait?: () => void },
): Promise<SavedEntry<T>> => {
  const build = (): Promise<string> =>
    buildEntry(
      kind,
      key,
      async dir => {
        await requireRoom(kind === 'images' ? 'the saved engine' : 'a template')
        const { engine, manifest } = await make()
        await using running = engine
        await steps.step(`Save ${kind === 'images' ? 'the engine' : 'the lab'}`, async () => {
          await save(running, dir, base.disk === undefined ? [...CHANGED, INSTANCE_FILES.disk] : CHANGED)
          const memory = path.join(dir, INSTANCE_FILES.memory)
          await packFile(running.build.tools, memory)
          if (kind === 'images') await rm(memory) // what stands on it is made of copies
        })
        await symlink(path.join('../..', base.kind, base.key), path.join(dir, BASE_LINK))
        await writeFile(path.join(dir, 'manifest.json'), JSON.stringify(manifest))
      },
      options,
    )
  for (const file of base.locks) await hold(file, options)
  while (!(await hold(entryLockFile(kind, key), options, () => hasEntry(kind, key)))) await build()
  const dir = entryDir(kind, key)
  const at = new Date()
  await utimes(dir, at, at)
  return {
    key,
    dir,
    locks: [...base.locks, entryLockFile(kind, key)],
    disk: base.disk ?? path.join(dir, INSTANCE_FILES.disk),
    overlay: path.join(dir, INSTANCE_FILES.overlay),
    memory: path.join(dir, INSTANCE_FILES.memory),
    state: path.join(dir, INSTANCE_FILES.state),
    manifest: JSON.parse(await readFile(path.join(dir, 'manifest.json'), 'utf8')) as T,
  }
}

/** Locks of the entries that this process uses, by their files, until it ends: between two labs of one, nobody else holds it. */
const held = new Map<string, FileLock>()

/** Keeps an entry from being removed while this process is there; false, and it does not, where it is gone already. */
const hold = async (
  file: string,
  options: { signal?: AbortSignal | undefined; onWait?: () => void },
  isThere = async () => true,
): Promise<boolean> => {
  const lock = held.get(file) ?? (await lockFile(file, 'shared', options))
  if (await isThere()) {
    lock.unref()
    held.set(file, lock)
    return true
  }
  // whoever makes it anew, perhaps this process, needs the lock
  held.delete(file)
  await lock[Symbol.asyncDispose]()
  return false
}

/** A whole save takes well under a second; a migration that is not done by then never will be. */
const SAVE_DEADLINE_MS = 30_000

/** What is every saved machine's own. */
const CHANGED = [INSTANCE_FILES.overlay, INSTANCE_FILES.memory, INSTANCE_FILES.state]

/** Stops a machine and moves its files into a folder. Memory and disks are files already: only devices are written. */
const save = async (engine: VmEngine, dir: string, names: string[]): Promise<void> => {
  engine.disconnect()
  const { monitor } = engine.instance
  await monitor.command('stop')
  await monitor.command(MEMORY_IS_A_FILE)
  await monitor.command(`migrate -d ${STATE_OUT}`)
  const deadline = performance.now() + SAVE_DEADLINE_MS
  for (;;) {
    const info = await monitor.command('info migrate')
    const [, status] = /^Status:\s+(\w+)/m.exec(info) ?? []
    if (status === 'completed') break
    if (status === 'failed' || performance.now() > deadline)
      throw new LvslabError('ENGINE_SAVE', `the lab could not be saved: ${info}`)
    await sleep(5)
  }
  await monitor.command('quit').catch(() => {}) // the connection may close before the answer
  await engine.ended
  for (const name of names) {
    const from = path.join(engine.instance.dir, name)
    await host()`fallocate --dig-holes ${from}`
    await using file = await open(from, 'r+')
    await file.sync() // a template that a power cut half-wrote would be found, and trusted, for ever
    await file.chmod(0o400)
    await rename(from, path.join(dir, name))
  }
}

/**
 * Most that saved labs, and the saved engines that they stand on, may take on disk, bytes: `LVSLAB_CACHE_LIMIT` in GB, default
 * 10, which all of the suites' labs together take less than, packed.
 */
export const cacheLimit = (): number => Number(process.env['LVSLAB_CACHE_LIMIT'] ?? 10) * 1e9

export interface CacheUse {
  kind: CacheKind
  key: string
  bytes: number
  used: Date
}

/** Every entry of the cache with what it really takes on disk, least recently used first. */
export const cacheUse = async (): Promise<CacheUse[]> => {
  const uses: CacheUse[] = []
  for (const kind of ['engines', 'images', 'templates'] as const) {
    for (const key of await readdir(cacheDir(kind)).catch(() => [])) {
      if (key.startsWith('.part-')) continue
      const dir = entryDir(kind, key)
      try {
        uses.push({ kind, key, bytes: await bytesOf(dir), used: (await stat(dir)).mtime })
      } catch (error) {
        // removed by another process meanwhile
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      }
    }
  }
  return uses.sort((a, b) => a.used.getTime() - b.used.getTime())
}

/** In the order of use, where using a saved machine is using what it stands on too, and that goes after it. */
const inOrderOfUse = async (saved: CacheUse[]): Promise<CacheUse[]> => {
  const name = (kind: string, key: string): string => `${kind}/${key}`
  const used = new Map(saved.map(use => [name(use.kind, use.key), use.used.getTime()]))
  const baseOf = new Map<string, string>()
  for (const { kind, key } of saved) {
    const link = await readlink(path.join(entryDir(kind, key), BASE_LINK)).catch(() => '')
    const base = link.split('/').slice(-2).join('/')
    if (used.has(base)) baseOf.set(name(kind, key), base)
  }
  for (const { kind, key, used: at } of saved) {
    let after = at.getTime()
    for (let base = baseOf.get(name(kind, key)); base !== undefined; base = baseOf.get(base)) {
      after += 0.5
      used.set(base, Math.max(used.get(base) ?? 0, after))
    }
  }
  const rank = ({ kind, key }: CacheUse): number => used.get(name(kind, key)) ?? 0
  return saved.toSorted((a, b) => rank(a) - rank(b))
}

/** Removes an entry unless somebody uses it; says whether it is gone. */
export const removeEntry = async (kind: CacheKind, key: string): Promise<boolean> => {
  await using lock = await tryLockFile(entryLockFile(kind, key), 'exclusive')
  if (!lock) return false
  const aside = cacheDir(kind, `.part-${key}-removed-${process.pid}`)
  if (!(await hasEntry(kind, key))) return true // another process was faster
  await rename(entryDir(kind, key), aside) // at once for whoever looks
  await rm(aside, { recursive: true, force: true })
  return true
}

const memoryOf = ({ kind, key }: Pick<CacheUse, 'kind' | 'key'>): string =>
  path.join(entryDir(kind, key), INSTANCE_FILES.memory)

/** What the memory of a saved machine takes that has it packed too, bytes. */
const unpackedBytes = async (saved: CacheUse): Promise<number> =>
  (await exists(packedFile(memoryOf(saved)))) ? bytesOf(memoryOf(saved)) : 0

/** Removes the memory of a saved machine that has it packed too, unless somebody uses it; says how many bytes are free again. */
const removeUnpacked = async (saved: CacheUse): Promise<number> => {
  const bytes = await unpackedBytes(saved)
  if (bytes === 0) return 0
  await using lock = await tryLockFile(entryLockFile(saved.kind, saved.key), 'exclusive')
  if (!lock) return 0
  await rm(memoryOf(saved), { force: true })
  return bytes
}

/** What is no longer in the cache, and what it took there. */
export interface Pruned {
  kind: CacheKind
  key: string
  bytes: number
  /** false: its memory alone, which is unpacked when it is next opened. */
  whole: boolean
}

/**
 * Makes room until what is saved is within the limit, from the least recently used on: first their memory goes where they have it
 * packed too, then they go themselves. Those in use stay; one that others stand on goes after them. Memory that stays unpacked, as
 * somebody uses it, makes no other go: it is gone before the next run, where the other would be missing.
 */
export const pruneTemplates = async (limit = cacheLimit()): Promise<Pruned[]> => {
  const saved = (await cacheUse()).filter(use => use.kind !== 'engines')
  const inOrder = await inOrderOfUse(saved)
  let total = saved.reduce((sum, use) => sum + use.bytes, 0)
  const pruned: Pruned[] = []
  for (const use of inOrder) {
    if (total <= limit) break
    const bytes = await removeUnpacked(use)
    total -= bytes
    if (bytes > 0) pruned.push({ kind: use.kind, key: use.key, bytes, whole: false })
  }
  if (total > limit) for (const use of saved) total -= await unpackedBytes(use)
  for (const { kind, key } of inOrder) {
    if (total <= limit) break
    const bytes = await bytesOf(entryDir(kind, key))
    if (!(await removeEntry(kind, key))) continue
    total -= bytes
    pruned.push({ kind, key, bytes, whole: true })
  }
  return pruned
}
