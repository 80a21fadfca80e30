import { createHash, randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { LvslabError } from '../../errors.ts'
import { cacheDir } from '../cache.ts'
import { host } from '../host-command.ts'
import type { Progress } from '../progress.ts'
import { type Apt, openApt } from './apt.ts'
import { controlOf, debFile, debianMirror, fetchDebs, SNAPSHOT } from './debs.ts'
import type { Lock, LockedPackage } from './packages.ts'

/** Where what packages depend on is remembered, each file of one lock. */
export const RESOLVED_DIR = 'packages'

const digest = (value: unknown): string => createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 16)

/** Begins the name of each file in {@link RESOLVED_DIR} that belongs to a lock: another base image lacks other packages. */
export const resolvedPrefix = (lock: Lock): string => `${digest([lock.snapshot, lock.sets.image])}-`

const resolvedFile = (lock: Lock, names: string[]): string =>
  cacheDir(RESOLVED_DIR, `${resolvedPrefix(lock)}${digest([...names].sort())}.json`)

/** What was found before that these packages bring with them; undefined where nobody has asked yet. */
export const findResolved = async (lock: Lock, names: string[]): Promise<LockedPackage[] | undefined> => {
  try {
    return JSON.parse(await readFile(resolvedFile(lock, names), 'utf8')) as LockedPackage[]
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** All that was found, for every topology and lock. */
export const allResolved = async (): Promise<LockedPackage[]> => {
  const names = await readdir(cacheDir(RESOLVED_DIR)).catch(() => [])
  const texts = names.filter(name => name.endsWith('.json')).map(name => readFile(cacheDir(RESOLVED_DIR, name), 'utf8'))
  return (await Promise.all(texts)).flatMap(text => JSON.parse(text) as LockedPackage[])
}

/** Remembers it, so that the next run needs no network, and gets the same versions. */
export const saveResolved = async (lock: Lock, names: string[], packages: LockedPackage[]): Promise<void> => {
  const file = resolvedFile(lock, names)
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 })
  const aside = `${file}.part-${randomBytes(4).toString('hex')}`
  await writeFile(aside, JSON.stringify(packages))
  await rename(aside, file)
}

/**
 * Opens Debian's signed index as the snapshot archive has it of the lock's day, or else the mirror's of today. The packages of the
 * base image count as installed, in their locked versions.
 *
 * @throws LvslabError PACKAGE_INDEX where there is no way to either
 */
export const openIndex = async (lock: Lock, progress: Progress, signal?: AbortSignal): Promise<Apt> => {
  await fetchDebs(lock, lock.sets.image, progress, signal)
  const keys = await mkdtemp(path.join(os.tmpdir(), 'lvslab-keys-'))
  try {
    const stanzas = await Promise.all(lock.sets.image.map(controlOf))
    const installed = stanzas.map(stanza => `${stanza}\nStatus: install ok installed\n`).join('\n')
    const common = { suites: lock.suites, installed, keyring: await keyringOf(lock, keys), signal }
    const mirror = debianMirror()
    const attempts = [
      { ...common, archive: (name: string) => `${SNAPSHOT}/${name}/${lock.snapshot}`, outdated: true },
      { ...common, archive: (name: string) => `${mirror}/${name}` },
    ]
    const refusals: unknown[] = []
    for (const attempt of attempts) {
      progress(`from ${attempt.archive('debian')}`)
      try {
        return await openApt(attempt)
      } catch (error) {
        signal?.throwIfAborted()
        refusals.push(error)
      }
    }
    throw noIndex(mirror, refusals)
  } finally {
    await rm(keys, { recursive: true, force: true })
  }
}

/** Debian's keys out of the locked package: the machine need not be Debian's. */
const keyringOf = async (lock: Lock, dir: string): Promise<string> => {
  const locked = lock.sets.image.find(p => p.name === 'debian-archive-keyring')
  if (!locked) throw new Error('the lock has no debian-archive-keyring')
  await host()`dpkg-deb --extract ${debFile(locked)} ${dir}`
  return path.join(dir, 'usr/share/keyrings/debian-archive-keyring.gpg')
}

const noIndex = (mirror: string, refusals: unknown[]): LvslabError => {
  const cause = refusals.at(-1)
  return new LvslabError(
    'PACKAGE_INDEX',
    `no index of Debian's packages, neither from ${SNAPSHOT} nor from ${mirror}: ${aptWords(cause, 1)}`,
    {
      remedy:
        'check the network, or set LVSLAB_DEBIAN_MIRROR to a mirror that is reached; what a lab was built with once needs neither',
      cause,
    },
  )
}

/**
 * What apt said when it failed: its first errors, or all of it where it had none.
 *
 * @param most how many of them
 */
export const aptWords = (error: unknown, most = 3): string => {
  const text = String((error as { stderr?: string }).stderr || error)
  const errors = text.split('\n').flatMap(line => /^E: (.*)/.exec(line)?.[1] ?? [])
  return [...new Set(errors)].slice(0, most).join('; ') || text.trim()
}
