import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { host } from '../host-command.ts'
import type { LockedPackage } from './packages.ts'

/** apt in a folder of its own: it needs no root, and nothing of this machine but its proxy settings reaches it. */
export interface Apt extends AsyncDisposable {
  /** Names of all packages that there are; virtual ones, which others provide, are not among them. */
  names(): Promise<string[]>
  /**
   * What would be downloaded to install something: it, and all that it depends on, as far as it does not count as installed.
   *
   * @param wanted in the words of `apt-get install`: names, patterns
   * @param target suite that packages may come from, besides trixie itself
   * @throws apt's own words, as standard error of a failed command
   */
  resolve(wanted: string[], target?: string): Promise<LockedPackage[]>
}

export interface AptOptions {
  /** Archive and suite: `debian-security trixie-security`. */
  suites: string[]
  /** URL of an archive. */
  archive: (name: string) => string
  /** File with the keys that may have signed the index. */
  keyring: string
  /** What counts as installed, as dpkg's status file has it; default: nothing. */
  installed?: string
  /** Takes an index that is past its Valid-Until: one of a snapshot always is. */
  outdated?: boolean
  signal?: AbortSignal | undefined
}

/**
 * Downloads the signed index of the suites, some 10 MB.
 *
 * @throws apt's own words, as standard error of a failed command
 */
export const openApt = async ({
  suites,
  archive,
  keyring,
  installed = '',
  outdated,
  signal,
}: AptOptions): Promise<Apt> => {
  const dir = await mkdtemp(path.join(os.tmpdir(), 'lvslab-apt-'))
  const dispose = (): Promise<void> => rm(dir, { recursive: true, force: true })
  const run = host({ signal })
  const options = [
    `Dir::State=${dir}`,
    `Dir::State::lists=${dir}/lists`,
    `Dir::State::status=${dir}/status`,
    `Dir::Cache=${dir}/cache`,
    `Dir::Etc::sourcelist=${dir}/sources.list`,
    'Dir::Etc::sourceparts=/dev/null',
    'Dir::Etc::preferences=/dev/null',
    'Dir::Etc::preferencesparts=/dev/null',
    'APT::Architecture=amd64',
    'APT::Architectures=amd64',
    'APT::Install-Recommends=false',
    'APT::Update::Error-Mode=any',
    'Acquire::Languages=none',
    'Acquire::Retries=2',
    'Acquire::http::Timeout=20',
    ...(outdated ? ['Acquire::Check-Valid-Until=false'] : []),
  ].flatMap(o => ['-o', o])
  const lines = suites.map(suite => {
    const [name = '', release = ''] = suite.split(' ')
    return `deb [signed-by=${keyring}] ${archive(name)} ${release} main\n`
  })

  const resolve = async (wanted: string[], target?: string): Promise<LockedPackage[]> => {
    const from = target ? ['-t', target] : []
    const uris = await run`apt-get ${options} install --print-uris -y -qq --no-remove ${from} ${wanted}`
    /** Which archive (debian or debian-security) a file is in stands in the URI alone. */
    const archives = new Map<string, string>()
    const names = uris.lines().map(line => {
      const [, name, file, what, version] =
        /^'\w+:\/\/[^']*?([^/']+)(?:\/\d{8}T\d{6}Z)?\/(pool\/[^']+)' ([^_]+)_([^_]+)_/.exec(line) ?? []
      if (!name || !file || !what || !version) throw new Error(`apt printed a line that is not understood: ${line}`)
      archives.set(decodeURIComponent(file), name)
      return `${what}=${decodeURIComponent(version)}`
    })
    if (names.length === 0) return []
    const shown = await run`apt-cache ${options} show ${names}`
    const packages = shown.stdout.split(/\n\n+/).flatMap(stanza => {
      const field = (name: string): string => new RegExp(`^${name}: (.*)$`, 'm').exec(stanza)?.[1] ?? ''
      const archive = archives.get(field('Filename'))
      if (!archive) return [] // the same version in another suite's pool
      const [name, version, sha256] = [field('Package'), field('Version'), field('SHA256')]
      return [{ name, version, file: `${archive}/${field('Filename')}`, sha256, size: Number(field('Size')) }]
    })
    const unique = new Map(packages.map(p => [p.name, p]))
    if (unique.size !== names.length) throw new Error(`apt named ${names.length} packages and described ${unique.size}`)
    return [...unique.values()].sort((x, y) => (x.name < y.name ? -1 : 1))
  }

  try {
    await mkdir(path.join(dir, 'lists/partial'), { recursive: true })
    await mkdir(path.join(dir, 'cache/archives/partial'), { recursive: true })
    await writeFile(path.join(dir, 'status'), installed)
    await writeFile(path.join(dir, 'sources.list'), lines.join(''))
    await run`apt-get ${options} update -qq`
    return {
      names: async () => (await run`apt-cache ${options} pkgnames`).lines(),
      resolve,
      [Symbol.asyncDispose]: dispose,
    }
  } catch (error) {
    await dispose()
    throw error
  }
}
