import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { LvslabError } from '../../errors.ts'
import { host } from '../host-command.ts'
import type { Steps } from '../progress.ts'
import { debFile, fetchDebs } from './debs.ts'
import { type LockedPackage, lockedVersion, readLock } from './packages.ts'

/**
 * keepalived of other Debian releases, by the version that operators call it. Its program alone is taken: every library that it
 * is linked with has the same soname in the image (`objdump -p usr/sbin/keepalived`).
 */
const OTHERS: Record<string, LockedPackage> = {
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
const PROGRAM = 'usr/sbin/keepalived'

/** keepalived in a version that the image does not have; disposing it removes the program. */
export interface OtherKeepalived extends AsyncDisposable {
  /** Debian's version: `1:2.2.7-1+b2`. */
  version: string
  /** For `Node.programs`. */
  program: { path: string; from: string }
}

/** Whether there is such a version: undefined for the one that the image has. @throws LvslabError USAGE */
export const otherKeepalived = (wanted: string | undefined): LockedPackage | undefined => {
  const own = lockedVersion(readLock(), 'image', 'keepalived')?.replace(/^\d+:(\d+\.\d+).*/, '$1') ?? ''
  const found = wanted !== undefined && Object.hasOwn(OTHERS, wanted) ? OTHERS[wanted] : undefined
  if (found || wanted === undefined || wanted === own) return found
  throw new LvslabError('USAGE', `--keepalived ${wanted}: ${[...Object.keys(OTHERS), own].join(' or ')}`, {
    remedy: 'lvslab verify --help',
    exitCode: 2,
  })
}

/** Fetches another keepalived, if the cache does not have it, and unpacks its program. @throws LvslabError ENGINE_PACKAGE_GONE */
export const fetchKeepalived = async (
  wanted: LockedPackage,
  { steps, signal }: { steps: Steps; signal?: AbortSignal | undefined },
): Promise<OtherKeepalived> => {
  const dir = await mkdtemp(path.join(os.tmpdir(), 'lvslab-keepalived-'))
  const remove = () => rm(dir, { recursive: true, force: true })
  try {
    await steps.step(`Fetch keepalived ${wanted.version}`, async progress => {
      await fetchDebs(readLock(), [wanted], progress, signal)
      await host({ signal })`dpkg-deb --extract ${debFile(wanted)} ${dir}`
    })
  } catch (error) {
    await remove()
    throw error
  }
  return {
    version: wanted.version,
    program: { path: `/${PROGRAM}`, from: path.join(dir, PROGRAM) },
    [Symbol.asyncDispose]: remove,
  }
}
