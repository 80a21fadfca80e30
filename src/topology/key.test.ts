import { chmodSync, renameSync, symlinkSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { withKeepalived } from './keepalived.ts'
import { topologyKey } from './key.ts'
import { aNode, aTopology, folderWith } from './testing.ts'

const keyOf = (dir: string): Promise<string> =>
  topologyKey(aTopology([aNode({ files: join(dir, 'd1') }), aNode({ name: 'rs1' })], { dir }))

test('the same topology elsewhere, at another time, has the same key', async () => {
  const files = { 'd1/etc/a': 'one', 'd1/etc/b': 'two' }
  const [here, there] = [folderWith(files), folderWith(files)]
  utimesSync(join(there, 'd1/etc/a'), 0, 0)
  expect(await keyOf(here)).toMatch(/^[0-9a-f]{64}$/)
  expect(await keyOf(there)).toBe(await keyOf(here))
})

test('what is expected of a lab does not change it', async () => {
  const plain = aTopology([aNode()])
  const limit = { name: 'gap' as const, maxMs: 3_000, at: 'topology.yaml:12' }
  expect(await topologyKey({ ...plain, expect: [limit] })).toBe(await topologyKey(plain))
})

test('another keepalived gives a new key, that of the images none', async () => {
  const plain = aTopology([aNode()])
  expect(await topologyKey(withKeepalived(plain, '2.2'))).not.toBe(await topologyKey(plain))
  expect(await topologyKey(withKeepalived(plain, '2.3'))).toBe(await topologyKey(plain))
})

test.each<[string, (dir: string) => void]>([
  ['a byte', dir => writeFileSync(join(dir, 'd1/etc/a'), 'onf')],
  [
    'a byte that moved to the next file',
    dir => {
      writeFileSync(join(dir, 'd1/etc/a'), 'on')
      writeFileSync(join(dir, 'd1/etc/b'), 'etwo')
    },
  ],
  ['a name', dir => renameSync(join(dir, 'd1/etc/b'), join(dir, 'd1/etc/c'))],
  ['the executable bit', dir => chmodSync(join(dir, 'd1/etc/a'), 0o755)],
  ['a new empty file', dir => writeFileSync(join(dir, 'd1/etc/c'), '')],
  [
    'a link in the place of its target',
    dir => {
      unlinkSync(join(dir, 'd1/etc/b'))
      symlinkSync('a', join(dir, 'd1/etc/b'))
    },
  ],
])('%s gives a new key', async (_, change) => {
  const dir = folderWith({ 'd1/etc/a': 'one', 'd1/etc/b': 'two' })
  const before = await keyOf(dir)
  change(dir)
  expect(await keyOf(dir)).not.toBe(before)
})

test('so does a changed topology, whatever order its settings were written in', async () => {
  const key = (sysctls: Record<string, string>) => topologyKey(aTopology([aNode({ sysctls })]))
  expect(await key({ 'net.a': '1' })).not.toBe(await key({ 'net.a': '2' }))
  expect(await topologyKey(aTopology([aNode()]))).not.toBe(await topologyKey(aTopology([aNode()], { name: 'other' })))
})
