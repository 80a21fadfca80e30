import { readFile, stat } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { LvslabError } from '../../errors.ts'
import { host } from '../host-command.ts'
import type { Steps } from '../progress.ts'

/** Debian packages that building the engine needs on the host; running it needs none of them. */
const isRoot = (): boolean => process.getuid?.() === 0

const missingPackages = async (): Promise<string[]> => {
  const wanted = [
    ['mmdebstrap', 'mmdebstrap'],
    // newuidmap gives a plain user the range of user IDs that a root filesystem needs
    ...(isRoot() ? [] : [['newuidmap', 'uidmap']]),
  ] as [string, string][]
  const missing: string[] = []
  for (const [command, name] of wanted) if (!(await onPath(command))) missing.push(name)
  return missing
}

const onPath = async (command: string): Promise<boolean> => {
  for (const dir of (process.env['PATH'] ?? '').split(':').concat('/usr/sbin', '/sbin')) {
    try {
      await stat(path.join(dir, command))
      return true
    } catch {
      // not in this folder
    }
  }
  return false
}

/** Installs what is missing where this user may; says the exact command where not. */
export const requireBuildTools = async (steps: Steps, signal?: AbortSignal): Promise<void> => {
  const missing = await missingPackages()
  if (missing.length && !isRoot()) {
    throw new LvslabError('HOST_PACKAGES', `building the engine needs ${missing.join(' and ')}`, {
      remedy: `sudo apt-get install -y ${missing.join(' ')}`,
    })
  }
  if (missing.length) {
    await steps.step(`Install ${missing.join(', ')} on this machine`, async progress => {
      const install = (): Promise<{ exitCode: number | null; stderr: string }> =>
        host({ signal, nothrow: true })`env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq ${missing}`
      let result = await install()
      if (result.exitCode !== 0) {
        progress('package lists are missing or old: apt-get update')
        await host({ signal, nothrow: true })`apt-get update -qq`
        result = await install()
      }
      if (result.exitCode !== 0) {
        throw new LvslabError(
          'HOST_PACKAGES',
          `apt-get could not install ${missing.join(', ')}: ${result.stderr.trim()}`,
          {
            remedy: `apt-get update && apt-get install -y ${missing.join(' ')}`,
          },
        )
      }
    })
  }
  if (!isRoot()) await requireSubordinateIds()
}

const requireSubordinateIds = async (): Promise<void> => {
  const user = os.userInfo().username
  for (const file of ['/etc/subuid', '/etc/subgid']) {
    const text = await readFile(file, 'utf8').catch(() => '')
    if (text.split('\n').some(line => line.startsWith(`${user}:`) || line.startsWith(`${process.getuid?.()}:`)))
      continue
    throw new LvslabError('HOST_SUBIDS', `${file} gives ${user} no range of subordinate IDs`, {
      remedy: `sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ${user}`,
    })
  }
}
