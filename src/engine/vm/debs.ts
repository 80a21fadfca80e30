import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'
import { LvslabError } from '../../errors.ts'
import { cacheDir } from '../cache.ts'
import { host } from '../host-command.ts'
import type { Progress } from '../progress.ts'
import type { Lock, LockedPackage } from './packages.ts'

const MIRROR = 'http://deb.debian.org'
/** The archive that holds every version that Debian ever had, by day. */
export const SNAPSHOT = 'http://snapshot.debian.org/archive'

/** The mirror that is asked first: `LVSLAB_DEBIAN_MIRROR`, default Debian's own. */
export const debianMirror = (): string => process.env['LVSLAB_DEBIAN_MIRROR'] ?? MIRROR

/** Where a locked package stands once downloaded. */
export const debFile = (p: LockedPackage): string => cacheDir('debs', `${p.sha256}.deb`)

/**
 * Downloads what is missing of the locked packages, through apt's own downloader (so that the machine's proxy settings
 * hold), and lets nothing into the cache whose SHA-256 is not the locked one.
 *
 * @throws LvslabError ENGINE_PACKAGE_GONE when neither the mirror nor the snapshot archive has a locked version
 */
export const fetchDebs = async (
  lock: Lock,
  packages: LockedPackage[],
  progress: Progress,
  signal?: AbortSignal,
): Promise<void> => {
  await mkdir(cacheDir('debs'), { recursive: true, mode: 0o700 })
  const present = new Set(await readdir(cacheDir('debs')))
  const unique = new Map(packages.map(p => [p.sha256, p]))
  const missing = [...unique.values()].filter(p => !present.has(`${p.sha256}.deb`))
  if (missing.length === 0) return
  const mirror = debianMirror()
  const total = missing.reduce((sum, p) => sum + p.size, 0)
  const dir = await mkdtemp(cacheDir('debs', '.part-'))
  let done = 0
  try {
    for (const batch of batches(missing, 24)) {
      progress(`${mib(done)} of ${mib(total)} MiB`)
      const left = await download(batch, p => `${mirror}/${p.file}`, dir, signal)
      const gone = left.length ? await download(left, p => snapshotUrl(lock, p), dir, signal) : []
      if (gone.length) throw packageGone(gone, mirror, lock)
      done += batch.reduce((sum, p) => sum + p.size, 0)
    }
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

/** Control stanza of a downloaded package, for an apt repository made of it. */
export const controlOf = async (p: LockedPackage): Promise<string> =>
  (await host()`dpkg-deb --field ${debFile(p)}`).stdout.trim()

const mib = (bytes: number): string => (bytes / 2 ** 20).toFixed(0)

const batches = <T>(all: T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.slice(i * size, (i + 1) * size))

/** The archive debian-security is kept apart in the snapshot archive too. */
const snapshotUrl = (lock: Lock, p: LockedPackage): string => {
  const [archive = '', ...rest] = p.file.split('/')
  return `${SNAPSHOT}/${archive}/${lock.snapshot}/${rest.join('/')}`
}

/** Downloads what it can of a batch; returns what it could not. */
const download = async (
  batch: LockedPackage[],
  url: (p: LockedPackage) => string,
  dir: string,
  signal?: AbortSignal,
): Promise<LockedPackage[]> => {
  const files = batch.flatMap(p => [url(p), path.join(dir, p.sha256), `SHA256:${p.sha256}`])
  await host({ signal, nothrow: true })`/usr/lib/apt/apt-helper -o Acquire::Retries=2 download-file ${files}`
  signal?.throwIfAborted()
  const left: LockedPackage[] = []
  for (const p of batch) {
    const file = path.join(dir, p.sha256)
    if ((await sha256(file)) === p.sha256) await rename(file, debFile(p))
    else left.push(p)
  }
  return left
}

const sha256 = async (file: string): Promise<string | undefined> => {
  const hash = createHash('sha256')
  try {
    await pipeline(createReadStream(file), hash)
  } catch {
    return undefined
  }
  return hash.digest('hex')
}

const packageGone = (gone: LockedPackage[], mirror: string, lock: Lock): LvslabError => {
  const ofLock = new Set(Object.values(lock.sets).flatMap(set => set.map(p => p.sha256)))
  const ways = ['check the network', 'set LVSLAB_DEBIAN_MIRROR to a mirror that has it']
  if (gone.some(p => ofLock.has(p.sha256))) ways.push('take the versions of today with `npm run lock`')
  return new LvslabError(
    'ENGINE_PACKAGE_GONE',
    `cannot download ${gone.length} package(s), first ${gone[0]?.name} ${gone[0]?.version}: ` +
      `neither ${mirror} nor ${SNAPSHOT} (${lock.snapshot}) has a file with the locked SHA-256`,
    { remedy: `${ways.slice(0, -1).join(', ')}, or ${ways.at(-1)}` },
  )
}
