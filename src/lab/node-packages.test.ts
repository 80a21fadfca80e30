import { rm } from 'node:fs/promises'
import { mkdtempSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import fc from 'fast-check'
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { silent } from '../engine/progress.ts'
import { saveResolved } from '../engine/vm/package-index.ts'
import { type LockedPackage, readLock } from '../engine/vm/packages.ts'
import { loadTopology } from '../topology/load.ts'
import { aNode, aTopology, folderWith } from '../topology/testing.ts'
import { refuseUnknown, resolveSets, setOf, setsOf } from './node-packages.ts'
import { imageOf } from './package-images.ts'

const php: LockedPackage = { name: 'php', version: '8.4', file: 'debian/pool/php.deb', sha256: 'abcd', size: 1 }

beforeEach(() => {
  const root = mkdtempSync(path.join(os.tmpdir(), 'lvslab-test-'))
  vi.stubEnv('LVSLAB_CACHE', root)
  onTestFinished(async () => {
    vi.unstubAllEnvs()
    await rm(root, { recursive: true })
  })
})

test('one set for each role and each choice of packages, in whatever order they are written', () => {
  const [php, wordpress] = [{ packages: ['php', 'nginx'] }, { packages: ['nginx', 'php'] }]
  const topology = aTopology([
    aNode(),
    aNode({ name: 'rs1', role: 'realserver', ...php }),
    aNode({ name: 'rs2', role: 'realserver', ...wordpress }),
    aNode({ name: 'r1', role: 'router', ...php }),
  ])
  expect(setsOf(topology)).toEqual([
    { role: 'realserver', names: ['nginx', 'php'] },
    { role: 'router', names: ['nginx', 'php'] },
  ])
})

test('what was found once is found without a network, and what the base image has makes no image', async () => {
  const lock = readLock()
  await saveResolved(lock, ['php'], [php])
  await saveResolved(lock, ['curl'], [])
  const [rs1, c1] = [
    aNode({ name: 'rs1', role: 'realserver', packages: ['php'] }),
    aNode({ name: 'c1', role: 'client', packages: ['curl'] }),
  ]
  const sets = await resolveSets(aTopology([aNode(), rs1, c1]), silent)
  expect(sets).toMatchObject([{ role: 'realserver', names: ['php'], packages: [php] }])
  expect(imageOf(rs1, 'key', sets)).toBe(`lvslab/realserver:key-${sets[0]?.key}`)
  expect([aNode(), c1].map(node => imageOf(node, 'key', sets))).toEqual(['lvslab/director:key', 'lvslab/client:key'])
  expect(setOf({ ...rs1, role: 'router' }, sets)).toBeUndefined()
})

test('another version of a package is another image', async () => {
  const topology = aTopology([aNode({ packages: ['php'] })])
  const keyOf = async (sha256: string) => {
    await saveResolved(readLock(), ['php'], [{ ...php, sha256 }])
    return (await resolveSets(topology, silent))[0]?.key
  }
  expect(await keyOf('abcd')).not.toBe(await keyOf('abce'))
})

test('a name that Debian does not have is told with its place and the one that was meant', () => {
  const dir = folderWith({
    'topology.yaml': `name: pair
networks: { lan: { subnet: 10.0.0.0/24 } }
nodes:
  rs1:
    role: realserver
    interfaces: { eth0: { network: lan, address: 10.0.0.1 } }
    packages: [php, php-fmp]
  rs2:
    role: realserver
    interfaces: { eth0: { network: lan, address: 10.0.0.2 } }
    packages:
      - zzzzzz
`,
  })
  const topology = loadTopology(dir)
  expect(() => refuseUnknown(topology, ['php', 'php-fpm', 'zzzzzz'])).toThrow(
    expect.objectContaining({
      code: 'PACKAGE_UNKNOWN',
      exitCode: 2,
      message: `${dir}/topology.yaml:7:21 Debian trixie has no package "php-fmp"; did you mean "php-fpm"?`,
      remedy: 'look for its name at https://packages.debian.org/search?suite=trixie&keywords=php-fmp',
    }),
  )
  expect(() => refuseUnknown(topology, ['php', 'php-fpm'])).toThrow(
    `${dir}/topology.yaml:12:9 Debian trixie has no package "zzzzzz"`,
  )
  expect(() => refuseUnknown(topology, ['php', 'php-fmp', 'zzzzzz'])).not.toThrow()
})

test('a name that the topology takes means itself to apt, and nothing to a shell', () => {
  const name = fc.oneof(fc.string(), fc.stringMatching(/^[a-z0-9][a-z0-9+.-]{1,12}$/))
  const topology = (packages: string[]) =>
    loadTopology(
      folderWith({
        'topology.yaml': JSON.stringify({
          name: 'one',
          networks: { lan: { subnet: '10.0.0.0/24' } },
          nodes: { c1: { role: 'client', interfaces: { eth0: { network: 'lan', address: '10.0.0.1' } }, packages } },
        }),
      }),
    )
  fc.assert(
    fc.property(name, its => {
      const taken = /^[a-z0-9][a-z0-9+.-]+$/.test(its)
      if (taken) expect(topology([its]).nodes[0]?.packages).toEqual([its])
      else expect(() => topology([its])).toThrow('must be the name of a Debian package')
    }),
    { numRuns: 50 },
  )
})
