import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { LvslabError } from '../../errors.ts'
import { type Finding, firstLine } from '../finding.ts'
import { host } from '../host-command.ts'
import type { Steps } from '../progress.ts'
import { checkUserNamespace } from './user-namespace.ts'

const isRoot = (): boolean => process.getuid?.() === 0

/** A program of the host that building or running the engine starts. */
interface HostProgram {
  name: string
  /** Debian package that brings it. */
  package: string
  /** Does next to nothing, with the options that the engine relies on. */
  trial: (dir: string) => string[]
  /** Exit code of the trial where the program works; default 0. */
  exitCode?: number
}

const APT_HELPER = '/usr/lib/apt/apt-helper'

const hostPrograms = (): HostProgram[] => [
  { name: 'apt-helper', package: 'apt', trial: () => [APT_HELPER, '--version'] },
  { name: 'dpkg-deb', package: 'dpkg', trial: () => ['dpkg-deb', '--version'] },
  { name: 'mmdebstrap', package: 'mmdebstrap', trial: () => ['mmdebstrap', '--version'] },
  { name: 'tar', package: 'tar', trial: () => ['tar', '--version'] },
  { name: 'gzip', package: 'gzip', trial: () => ['gzip', '--version'] },
  {
    name: 'setpriv',
    package: 'util-linux',
    trial: () => ['setpriv', '--no-new-privs', '--pdeathsig', 'TERM', 'setpriv', '--version'],
  },
  {
    name: 'flock',
    package: 'util-linux',
    trial: dir => ['flock', '--shared', '--nonblock', '--no-fork', path.join(dir, 'lock'), 'flock', '--version'],
  },
  // those of the list that there are
  { name: 'taskset', package: 'util-linux', trial: () => ['taskset', '--cpu-list', '0-1023', 'taskset', '--version'] },
  { name: 'chrt', package: 'util-linux', trial: () => ['chrt', '--batch', '0', 'chrt', '--version'] },
  { name: 'timeout', package: 'coreutils', trial: () => ['timeout', '--signal', 'KILL', '5', 'timeout', '--version'] },
  {
    name: 'cp --sparse',
    package: 'coreutils',
    trial: dir => ['cp', '--sparse=always', '/dev/null', path.join(dir, 'copy')],
  },
  // they give a plain user the range of IDs that a root filesystem needs; without arguments they say how they are used
  ...(isRoot() ? [] : ['newuidmap', 'newgidmap']).map(
    (name): HostProgram => ({ name, package: 'uidmap', trial: () => [name], exitCode: 1 }),
  ),
]

interface ProgramTrial {
  program: HostProgram
  works: boolean
  said: string
}

const tryPrograms = async (signal?: AbortSignal): Promise<ProgramTrial[]> => {
  const dir = await mkdtemp(path.join(os.tmpdir(), 'lvslab-try-'))
  try {
    const trials = hostPrograms().map(async program => {
      const result = await host({ signal, nothrow: true })`${program.trial(dir)}`
      signal?.throwIfAborted()
      const works = result.exitCode === (program.exitCode ?? 0)
      return { program, works, said: works ? result.stdout : result.stderr || result.stdout }
    })
    return await Promise.all(trials)
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

/** Runs every program of the host that the engine needs, one finding for each. */
export const checkPrograms = async (signal?: AbortSignal): Promise<Finding[]> => {
  const trials = await tryPrograms(signal)
  const findings = trials.map(async ({ program, works, said }): Promise<Finding> => {
    if (works) return { what: program.name, state: 'found', detail: versionIn(said) ?? 'works' }
    return {
      what: program.name,
      state: 'missing',
      detail: firstLine(said.replace(/^.*?: line \d+: /, '')),
      remedy: await installCommand([program.package]),
    }
  })
  return Promise.all(findings)
}

/** The first thing that looks like a version in what a program says of itself: `2.38.1`. */
export const versionIn = (text: string): string | undefined => /\d+(\.\d+)+\S*/.exec(text)?.[0]?.replace(/[),]$/, '')

const installCommand = async (packages: string[]): Promise<string> => {
  const apt = await stat('/usr/bin/apt-get').catch(() => undefined)
  const names = packages.join(' ')
  return apt
    ? `${isRoot() ? '' : 'sudo '}apt-get install -y ${names}`
    : `# with this system's package manager: ${names}`
}

/**
 * Installs what is missing where this user may; says the exact command where not.
 *
 * @throws LvslabError HOST_PACKAGES, HOST_SUBIDS or HOST_USER_NAMESPACES, each with its remedy
 */
export const requireBuildTools = async (steps: Steps, signal?: AbortSignal): Promise<void> => {
  const missing = await missingPackages(signal)
  if (missing.length && !isRoot()) {
    throw new LvslabError('HOST_PACKAGES', `building the engine needs ${missing.join(' and ')}`, {
      remedy: await installCommand(missing),
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
      signal?.throwIfAborted()
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
  if (isRoot()) return
  for (const [code, found] of [
    ['HOST_SUBIDS', await checkSubordinateIds()],
    ['HOST_USER_NAMESPACES', await checkUserNamespace(true, signal)],
  ] as const) {
    if (found.state !== 'found')
      throw new LvslabError(code, found.detail, found.remedy === undefined ? {} : { remedy: found.remedy })
  }
}

const missingPackages = async (signal?: AbortSignal): Promise<string[]> => {
  const trials = await tryPrograms(signal)
  return [...new Set(trials.filter(trial => !trial.works).map(trial => trial.program.package))]
}

/** IDs that a root filesystem of Debian needs: `nobody` is the last. */
const IDS = 65_536

/**
 * How many IDs a file like /etc/subuid gives a user, the largest range alone.
 *
 * @param text lines `NAME-OR-UID:FIRST:COUNT`
 */
export const subordinateIds = (text: string, user: string, uid: number): number =>
  Math.max(
    0,
    ...text
      .split('\n')
      .map(line => line.split(':'))
      .filter(([who]) => who === user || who === String(uid))
      .map(([, , count]) => Number(count) || 0),
  )

/** Whether /etc/subuid and /etc/subgid give this user the IDs that a root filesystem needs. */
export const checkSubordinateIds = async (): Promise<Finding> => {
  const { username, uid } = os.userInfo()
  const what = 'subordinate IDs'
  const lacking: string[] = []
  for (const file of ['/etc/subuid', '/etc/subgid']) {
    const text = await readFile(file, 'utf8').catch(() => '')
    const count = subordinateIds(text, username, uid)
    if (count < IDS) lacking.push(`${file} gives ${username} ${count || 'no'} subordinate IDs, ${IDS} are needed`)
  }
  if (lacking.length === 0) return { what, state: 'found', detail: `${IDS} or more for ${username}` }
  return {
    what,
    state: 'missing',
    detail: lacking.join('; '),
    remedy: `sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ${username}`,
  }
}
