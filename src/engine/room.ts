import { mkdtemp, rm, statfs } from 'node:fs/promises'
import os from 'node:os'
import { LvslabError } from '../errors.ts'
import { cacheDir, makeCacheDir } from './cache.ts'
import type { Finding } from './finding.ts'

const GB = 1e9
const GIB = 2 ** 30

/** Downloads, the engine, the saved engine with its images, and a first template; bytes. */
const FIRST_BUILD = 5 * GB
/** The saved engine with its images: its disk, and its memory before it is emptied; bytes. */
const IMAGES = 3.5 * GB
/** A saved lab on disk; bytes. */
const TEMPLATE = 1 * GB
/** What is about to be made, and what it takes on disk. */
const NEEDED = {
  'the first build': FIRST_BUILD,
  'the saved engine': IMAGES,
  'a template': TEMPLATE,
  'a saved lab, unpacked': TEMPLATE,
} as const
export type Purpose = keyof typeof NEEDED
/** Two root filesystems that mmdebstrap unpacks side by side; bytes. */
const UNPACKED = 2 * GB
/** A lab's guest has 2 GiB, QEMU and the harness take the rest. */
const FIRST_LAB = 2.5 * GIB
/** A fork shares what it does not change with its template. */
const FURTHER_LAB = 1 * GIB

/**
 * Whether the cache folder has room: 5 GB until the engine is built, afterwards 1 GB for a further template.
 *
 * @param free bytes
 */
export const diskFinding = (folder: string, free: number, purpose: Purpose): Finding => {
  const needed = NEEDED[purpose]
  const detail = `${folder} has ${(free / GB).toFixed(1)} GB free, ${needed / GB} GB needed for ${purpose}`
  const what = 'disk'
  if (free >= needed) return { what, state: 'found', detail }
  const elsewhere = 'export LVSLAB_CACHE=/a/folder/with/room'
  const remedy = purpose === 'the first build' ? elsewhere : `lvslab engine gc --all\n# or: ${elsewhere}`
  return { what, state: 'missing', detail, remedy }
}

/** Refuses to begin what there is no room for: half-way, a full disk shows itself in misleading ways. */
export const requireRoom = async (purpose: Purpose): Promise<void> => {
  const findings = [await checkDisk(purpose), ...(purpose === 'the first build' ? [await checkTemporary()] : [])]
  const bad = findings.find(({ state }) => state === 'missing')
  if (bad) throw new LvslabError('HOST_DISK', bad.detail, bad.remedy === undefined ? {} : { remedy: bad.remedy })
}

/** Tries to write in the cache folder, and measures its room. */
export const checkDisk = async (purpose: Purpose): Promise<Finding> => {
  try {
    makeCacheDir()
    const trial = await mkdtemp(cacheDir('.try-'))
    await rm(trial, { recursive: true })
  } catch (error) {
    const { code, cause } = error as NodeJS.ErrnoException
    const why = (cause as NodeJS.ErrnoException | undefined)?.code ?? code ?? String(error)
    return {
      what: 'disk',
      state: 'missing',
      detail: `${cacheDir()} cannot be written: ${why}`,
      remedy: 'export LVSLAB_CACHE=/a/folder/of/yours',
    }
  }
  return diskFinding(cacheDir(), await freeBytes(cacheDir()), purpose)
}

/** Measures the room where mmdebstrap unpacks; only a build needs it. */
export const checkTemporary = async (): Promise<Finding> => {
  const [what, dir] = ['temporary folder', os.tmpdir()]
  const free = await freeBytes(dir)
  const detail = `${dir} has ${(free / GB).toFixed(1)} GB free, ${UNPACKED / GB} GB needed for the first build`
  if (free >= UNPACKED) return { what, state: 'found', detail }
  return { what, state: 'missing', detail, remedy: 'export TMPDIR=/a/folder/with/room' }
}

const freeBytes = async (dir: string): Promise<number> => {
  const { bavail, bsize } = await statfs(dir)
  return bavail * bsize
}

/**
 * How many labs the memory is enough for: 2.5 GiB for one, 1 GiB for each further one.
 *
 * @param available bytes
 */
export const memoryFinding = (available: number): Finding => {
  const labs = available < FIRST_LAB ? 0 : 1 + Math.floor((available - FIRST_LAB) / FURTHER_LAB)
  const has = `${(available / GIB).toFixed(1)} GiB available`
  const what = 'memory'
  if (labs > 0) return { what, state: 'found', detail: `${has}: enough for ${labs} lab${labs > 1 ? 's' : ''} at once` }
  const detail = `${has}, ${FIRST_LAB / GIB} GiB needed for one lab`
  return {
    what,
    state: 'missing',
    detail,
    remedy: '# end what takes the memory; by size: ps -eo rss,pid,args --sort=-rss | head',
  }
}

/** Measures the memory that this process and its children may still take, a container's limit included. */
export const checkMemory = (): Finding => memoryFinding(process.availableMemory())
