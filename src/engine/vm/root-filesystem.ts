import { LvslabError } from '../../errors.ts'
import { host } from '../host-command.ts'
import type { LockedPackage } from './packages.ts'
import { serveRepository } from './repository.ts'

/**
 * Installs the locked packages into a root filesystem, written as a tar with owners and modes: by chroot as root, in a user
 * namespace otherwise. Maintainer scripts run, so it takes seconds, not milliseconds.
 *
 * @param hooks mmdebstrap's own hook options, run when the packages are installed
 */
export const makeRootFilesystem = async (
  packages: LockedPackage[],
  tar: string,
  options: { include: string[]; hooks?: string[]; signal?: AbortSignal | undefined },
): Promise<void> => {
  await using repository = await serveRepository(packages)
  const flags = [
    `--mode=${process.getuid?.() === 0 ? 'root' : 'unshare'}`,
    '--variant=custom',
    '--format=tar',
    // a proxy of the machine's must not be asked for the loopback
    '--aptopt=Acquire::http::Proxy::127.0.0.1 "DIRECT"',
    '--aptopt=Apt::Install-Recommends "false"',
    '--dpkgopt=force-unsafe-io',
    '--dpkgopt=path-exclude=/usr/share/man/*',
    '--dpkgopt=path-exclude=/usr/share/doc/*',
    '--dpkgopt=path-exclude=/usr/share/locale/*',
    '--dpkgopt=path-exclude=/usr/share/info/*',
    `--include=${options.include.join(',')}`,
    ...(options.hooks ?? []),
  ]
  // pdeathsig: when lvslab is killed outright, mmdebstrap still ends and takes its temporary folder with it
  const command = ['setpriv', '--pdeathsig', 'TERM', 'mmdebstrap', ...flags, 'trixie', tar, repository.source]
  try {
    await host({ signal: options.signal })`exec ${command}`
  } catch (cause) {
    options.signal?.throwIfAborted()
    const text = String((cause as { stderr?: string }).stderr ?? cause)
    throw new LvslabError('ENGINE_ROOTFS', `mmdebstrap failed: ${lastLines(text)}`, {
      remedy: 'run `lvslab doctor`: it tries what mmdebstrap needs and names the remedy',
      cause,
    })
  }
}

const lastLines = (text: string): string => text.trim().split('\n').slice(-6).join(' | ')
