/**
 * Renews src/engine/vm/lock.json: asks apt which packages, at which versions, make up the engine and the images today.
 * Needs no root: apt works in a folder of its own. Usage: npm run lock
 */
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { $ } from 'zx'
import { openApt } from '../src/engine/vm/apt.ts'
import { debianMirror } from '../src/engine/vm/debs.ts'
import {
  LOCK_FILE,
  PACKAGE_SETS,
  type Lock,
  type LockedPackage,
  type PackageSet,
  type SetName,
} from '../src/engine/vm/packages.ts'

const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg'
const MIRROR = debianMirror()
const SUITES = ['debian trixie', 'debian trixie-updates', 'debian-security trixie-security', 'debian trixie-backports']

console.error(`asking ${MIRROR} for ${SUITES.join(', ')}`)
await using apt = await openApt({ suites: SUITES, archive: name => `${MIRROR}/${name}`, keyring: KEYRING })

const resolve = async (set: PackageSet): Promise<LockedPackage[]> => {
  const packages = await apt.resolve([...(set.essential ? ['?essential'] : []), ...set.packages], set.target)
  return packages.filter(p => set.only?.test(p.name) ?? true)
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
