import { access, readdir, readlink, rm } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type CacheKind, cacheDir, entryDir, hasEntry } from './cache.ts'
import { ageMs, bytesOf, orphansOf, visitLeftovers } from './leftovers.ts'
import { engineKey } from './vm/build.ts'
import { OTHER_KEEPALIVED } from './vm/other-keepalived.ts'
import { allResolved, RESOLVED_DIR, resolvedPrefix } from './vm/package-index.ts'
import { readLock } from './vm/packages.ts'
import { BASE_LINK, type CacheUse, cacheUse, pruneTemplates, removeEntry } from './vm/saved.ts'

/** Something in the cache, by its place there: `templates/0123456789abcdef`. */
export interface Garbage {
  what: string
  /** What it takes, or took, on disk. */
  bytes: number
}

export interface GarbageCollection {
  removed: Garbage[]
  /** What is still there, each with the reason. */
  kept: (Garbage & { why: string })[]
}

export interface GarbageOptions {
  /** Also removes engines of other checkouts and locks, and saved labs that stand on them; default false. */
  all?: boolean
  /** With `all`: keys of the images that are of today; default: all that stand on the engine of today. */
  images?: string[]
  signal?: AbortSignal | undefined
}

/**
 * Frees the cache of what killed runs left (half-made entries, folders of engines that are gone), of packages that neither the
 * lock nor a topology names any more, of saved labs whose base is gone, and of what is above the limit: the memory of the least
 * recently used that is there packed too, then those themselves. What somebody uses right now stays, and is named.
 */
export const collectGarbage = async (options: GarbageOptions = {}): Promise<GarbageCollection> => {
  const result: GarbageCollection = { removed: [], kept: [] }
  const { signal } = options
  await collectLeftovers(result, signal)
  await collectResolved(result)
  await collectDebs(result, signal)
  await collectEntries(result, options)
  for (const pruned of await pruneTemplates()) {
    const what = nameOf(pruned)
    const { bytes, whole } = pruned
    if (whole) result.kept = result.kept.filter(kept => kept.what !== what)
    else for (const kept of result.kept) if (kept.what === what) kept.bytes -= bytes
    result.removed.push({ what: whole ? what : `${what}/memory`, bytes })
  }
  return result
}

type Entry = Pick<CacheUse, 'kind' | 'key'>

const nameOf = ({ kind, key }: Entry): string => `${kind}/${key}`

const collectLeftovers = (result: GarbageCollection, signal?: AbortSignal): Promise<void> =>
  visitLeftovers(async ({ what, dir, bytes, inUse }) => {
    signal?.throwIfAborted()
    if (inUse !== undefined) {
      result.kept.push({ what, bytes, why: inUse })
      return
    }
    await endOrphans(dir)
    await rm(dir, { recursive: true, force: true })
    result.removed.push({ what, bytes })
  })

/** A killed process is gone within milliseconds, unless the kernel holds it; ms. */
const END_DEADLINE_MS = 2_000

const endOrphans = async (dir: string): Promise<void> => {
  const deadline = performance.now() + END_DEADLINE_MS
  for (const pid of await orphansOf(dir)) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // it has ended in between
    }
  }
  while ((await orphansOf(dir)).length > 0 && performance.now() < deadline) await sleep(20)
}

/** Long enough for another checkout, with another lock, to build an engine of what it has downloaded; ms. */
const DEB_GRACE_MS = 3_600_000

/** What nodes' own packages came to, for another lock than today's. */
const collectResolved = async (result: GarbageCollection): Promise<void> => {
  const prefix = resolvedPrefix(readLock())
  for (const name of await readdir(cacheDir(RESOLVED_DIR)).catch(() => [])) {
    const file = cacheDir(RESOLVED_DIR, name)
    const current = name.startsWith(prefix) && name.endsWith('.json')
    if (current || (await ageMs(file)) < DEB_GRACE_MS) continue
    result.removed.push({ what: `${RESOLVED_DIR}/${name}`, bytes: await bytesOf(file) })
    await rm(file, { force: true })
  }
}

const collectDebs = async (result: GarbageCollection, signal?: AbortSignal): Promise<void> => {
  const packages = [...Object.values({ ...readLock().sets, ...OTHER_KEEPALIVED }).flat(), ...(await allResolved())]
  const named = new Set(packages.map(p => `${p.sha256}.deb`))
  let [count, total] = [0, 0]
  for (const name of await readdir(cacheDir('debs')).catch(() => [])) {
    if (!name.endsWith('.deb')) continue
    signal?.throwIfAborted()
    const file = cacheDir('debs', name)
    const bytes = await bytesOf(file)
    if (named.has(name) || (await ageMs(file)) < DEB_GRACE_MS) {
      count++
      total += bytes
      continue
    }
    await rm(file, { force: true })
    result.removed.push({ what: `debs/${name}`, bytes })
  }
  if (count > 0) {
    result.kept.push({
      what: `debs (${count} packages)`,
      bytes: total,
      why: 'the lock or a topology names them, or they are new',
    })
  }
}

const collectEntries = async (result: GarbageCollection, options: GarbageOptions): Promise<void> => {
  const current = await engineKey(readLock())
  const entries = await cacheUse()
  // what stands on others goes first: an entry in use holds the locks of all that it stands on
  const order: CacheKind[] = ['templates', 'images', 'engines']
  for (const kind of order) {
    for (const entry of entries.filter(one => one.kind === kind)) {
      options.signal?.throwIfAborted()
      const [what, bytes] = [nameOf(entry), entry.bytes]
      const why = await whyKept(entry, current, options)
      if (why !== undefined) result.kept.push({ what, bytes, why })
      else if (await removeEntry(kind, entry.key)) result.removed.push({ what, bytes })
      else result.kept.push({ what, bytes, why: 'in use' })
    }
  }
  for (const name of await readdir(cacheDir()).catch(() => [])) {
    const key = /^kvm-(.+)\.json$/.exec(name)?.[1]
    if (key === undefined || (await hasEntry('engines', key))) continue
    result.removed.push({ what: name, bytes: await bytesOf(cacheDir(name)) })
    await rm(cacheDir(name), { force: true })
  }
}

/** Why an entry must stay; undefined where it may go. */
const whyKept = async (entry: CacheUse, current: string, options: GarbageOptions): Promise<string | undefined> => {
  const bases = await basesOf(entry)
  if (bases === undefined) return undefined // its base is gone: nothing can be started from it again
  const chain: Entry[] = [entry, ...bases]
  const image = chain.find(one => one.kind === 'images')
  const ofToday = chain.at(-1)?.key === current && (!image || (options.images?.includes(image.key) ?? true))
  if (ofToday) return entry.kind === 'templates' ? 'within the limit' : 'current'
  return options.all ? undefined : 'of another version: stays without --all'
}

/** The entries that an entry stands on, the nearest first; undefined where one of them is gone. */
const basesOf = async ({ kind, key }: Entry): Promise<Entry[] | undefined> => {
  if (kind === 'engines') return []
  const link = path.join(entryDir(kind, key), BASE_LINK)
  const to = await readlink(link).catch(() => undefined)
  if (to === undefined) return [] // of a version that wrote none
  if (!(await isThere(link))) return undefined
  const [baseKind, baseKey] = to.split('/').slice(-2)
  if ((baseKind !== 'engines' && baseKind !== 'images') || baseKey === undefined) return undefined
  const base: Entry = { kind: baseKind, key: baseKey }
  const further = await basesOf(base)
  return further && [base, ...further]
}

const isThere = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  )
