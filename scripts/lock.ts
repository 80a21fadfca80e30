/**
 * Renews src/engine/vm/lock.json: asks apt which packages, at which versions, make up the engine and the images today.
 * Needs no root: apt works in a folder of its own. Usage: npm run lock
 */
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { $ } from 'zx'
import {
  LOCK_FILE,
  PACKAGE_SETS,
  type Lock,
  type LockedPackage,
  type PackageSet,
  type SetName,
} from '../src/engine/vm/packages.ts'

const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg'
const MIRROR = process.env['LVSLAB_DEBIAN_MIRROR'] ?? 'http://deb.debian.org'
const SUITES = ['debian trixie', 'debian trixie-updates', 'debian-security trixie-security', 'debian trixie-backports']

const dir = await mkdtemp(path.join(os.tmpdir(), 'lvslab-lock-'))
try {
  await mkdir(path.join(dir, 'lists/partial'), { recursive: true })
  await mkdir(path.join(dir, 'cache/archives/partial'), { recursive: true })
  await writeFile(path.join(dir, 'status'), '')
  await writeFile(
    path.join(dir, 'sources.list'),
    SUITES.map(s => `deb [signed-by=${KEYRING}] ${MIRROR}/${s} main\n`).join(''),
  )
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
    'Acquire::Languages=none',
  ].flatMap(o => ['-o', o])
  const quiet = $({ quiet: true })

  console.error(`asking ${MIRROR} for ${SUITES.join(', ')}`)
  await quiet`apt-get ${options} update`

  const resolve = async (set: PackageSet): Promise<LockedPackage[]> => {
    const target = set.target ? ['-t', set.target] : []
    const wanted = [...(set.essential ? ['?essential'] : []), ...set.packages]
    const uris = await quiet`apt-get ${options} install --print-uris -y -qq ${target} ${wanted}`
    /** Which archive (debian or debian-security) a file is in stands in the URI alone. */
    const archives = new Map<string, string>()
    const names = uris.lines().map(line => {
      const [, archive, file, name, version] =
        /^'\w+:\/\/[^/]+\/(.*?)\/(pool\/[^']+)' ([^_]+)_([^_]+)_/.exec(line) ?? []
      if (!archive || !file || !name || !version) throw new Error(`apt printed a line that is not understood: ${line}`)
      archives.set(decodeURIComponent(file), archive)
      return `${name}=${decodeURIComponent(version)}`
    })
    const shown = await quiet`apt-cache ${options} show ${names}`
    const packages = shown.stdout.split(/\n\n+/).flatMap(stanza => {
      const field = (name: string): string => new RegExp(`^${name}: (.*)$`, 'm').exec(stanza)?.[1] ?? ''
      const archive = archives.get(field('Filename'))
      if (!archive) return [] // the same version in another suite's pool
      const [name, version, sha256] = [field('Package'), field('Version'), field('SHA256')]
      return [{ name, version, file: `${archive}/${field('Filename')}`, sha256, size: Number(field('Size')) }]
    })
    const unique = new Map(packages.map(p => [p.name, p]))
    if (unique.size !== names.length) throw new Error(`apt named ${names.length} packages and described ${unique.size}`)
    const wantedOnly = [...unique.values()].filter(p => set.only?.test(p.name) ?? true)
    return wantedOnly.sort((x, y) => (x.name < y.name ? -1 : 1))
  }

  const sets = {} as Record<SetName, LockedPackage[]>
  for (const [name, set] of Object.entries(PACKAGE_SETS) as [SetName, PackageSet][]) {
    sets[name] = await resolve(set)
    const mib = sets[name].reduce((sum, p) => sum + p.size, 0) / 2 ** 20
    console.error(`${name}: ${sets[name].length} packages, ${mib.toFixed(0)} MiB`)
  }
  const lock: Lock = {
    comment: 'Made by `npm run lock`; do not edit. Versions and SHA-256 of every Debian package used.',
    snapshot: `${new Date().toISOString().slice(0, 10).replaceAll('-', '')}T000000Z`,
    suites: SUITES,
    sets,
  }
  await writeFile(LOCK_FILE, `${JSON.stringify(lock, null, 1)}\n`)
  await $`${path.resolve('node_modules/.bin/biome')} format --write ${LOCK_FILE}`.quiet()
  console.error(`wrote ${path.relative(process.cwd(), LOCK_FILE)}`)
} finally {
  await rm(dir, { recursive: true, force: true })
}
