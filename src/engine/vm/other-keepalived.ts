import { mkdtemp, readFile, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { host } from '../host-command.ts'
import type { Steps } from '../progress.ts'
import { debFile, fetchDebs } from './debs.ts'
import { type LockedPackage, readLock } from './packages.ts'

/**
 * keepalived of other Debian releases than the image's, by the release that operators call it. Its program alone is taken:
 * every library that it is linked with has the same soname in the image (`objdump -p usr/sbin/keepalived`).
 */
export const OTHER_KEEPALIVED: Readonly<Record<string, LockedPackage>> = {
  // bookworm
  '2.2': {
    name: 'keepalived',
    version: '1:2.2.7-1+b2',
    file: 'debian/pool/main/k/keepalived/keepalived_2.2.7-1+b2_amd64.deb',
    sha256: '171b3bcb759a6b96f97ef5a06f02d14320bcb9e918d5163414daca7534c6b2ca',
    size: 569_660,
  },
}

/** Where the image has its own. */
export const KEEPALIVED_PROGRAM = '/usr/sbin/keepalived'

/** The program of a package, which is downloaded where the cache does not have it. @throws LvslabError ENGINE_PACKAGE_GONE */
export const keepalivedProgram = async (wanted: LockedPackage, steps: Steps, signal?: AbortSignal): Promise<Buffer> =>
  steps.step(`Fetch keepalived ${wanted.version}`, async progress => {
    await fetchDebs(readLock(), [wanted], progress, signal)
    const dir = await mkdtemp(path.join(os.tmpdir(), 'lvslab-keepalived-'))
    try {
      await host({ signal })`dpkg-deb --extract ${debFile(wanted)} ${dir}`
      return await readFile(path.join(dir, KEEPALIVED_PROGRAM))
    } finally {
      await rm(dir, { recursive: true, force: true })
    }
  })
