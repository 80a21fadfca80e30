import { mkdtemp, rm, statfs } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { LvslabError } from '../errors.ts'
import { cacheDir } from './cache.ts'
import type { Finding } from './finding.ts'

const GB = 1e9
const GIB = 2 ** 30

/** Downloads, the engine, the saved engine with its images, and a first template; bytes. */
const FIRST_BUILD = 5 * GB
/** A saved lab on disk; bytes. */
const TEMPLATE = 1 * GB
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
export const diskFinding = (folder: string, free: number, built: boolean): Finding => {
  const needed = built ? TEMPLATE : FIRST_BUILD
  const purpose = built ? 'a template' : 'the first build'
  const detail = `${folder} has ${(free / GB).toFixed(1)} GB free, ${needed / GB} GB needed for ${purpose}`
  const what = 'disk'
  if (free >= needed) return { what, state: 'found', detail }
  const elsewhere = 'export LVSLAB_CACHE=/a/folder/with/room'
  return { what, state: 'missing', detail, remedy: built ? `lvslab engine gc --all\n# or: ${elsewhere}` : elsewhere }
}

/** Refuses to begin what there is no room for: half-way, a full disk shows itself in misleading ways. */
export const requireRoom = async (built: boolean): Promise<void> => {
  const findings = [await checkDisk(built), ...(built ? [] : [await checkTemporary()])]
  const bad = findings.find(({ state }) => state === 'missing')
  if (bad) throw new LvslabError('HOST_DISK', bad.detail, bad.remedy === undefined ? {} : { remedy: bad.remedy })
}

/** Tries to write in the cache folder, and measures its room. */
export const checkDisk = async (built: boolean): Promise<Finding> => {
  try {
    const trial = await mkdtemp(cacheDir('.try-'))
    await rm(trial, { recursive: true })
  } catch (error) {
    const folder = process.env['LVSLAB_CACHE'] ?? path.join(os.homedir(), '.cache', 'lvslab')
    const { code, cause } = error as NodeJS.ErrnoException
    const why = (cause as NodeJS.ErrnoException | undefined)?.code ?? code ?? String(error)
    return {
      what: 'disk',
      state: 'missing',
      detail: `${folder} cannot be written: ${why}`,
      remedy: 'export LVSLAB_CACHE=/a/folder/of/yours',
    }
  }
  return diskFinding(cacheDir(), await freeBytes(cacheDir()), built)
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
