import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { silent } from '../progress.ts'
import { type Base, cacheUse, ensureSaved, pruneTemplates } from './saved.ts'

const ENGINE: Base = { kind: 'engines', key: 'e', locks: [] }

let root = ''

beforeEach(async () => {
  root = await mkdtemp(path.join(os.tmpdir(), 'lvslab-test-'))
  vi.stubEnv('LVSLAB_CACHE', root)
})

afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(root, { recursive: true, force: true })
})

const writeTemplate = async (key: string): Promise<void> => {
  const dir = path.join(root, 'templates', key)
  await mkdir(dir, { recursive: true })
  for (const name of ['memory', 'memory.zst']) await writeFile(path.join(dir, name), 'x'.repeat(8_192))
  await writeFile(path.join(dir, 'manifest.json'), '{}')
}

const make = (): Promise<never> => Promise.reject(new Error('it is there'))

describe('a saved machine that this process has asked for', () => {
  it('stays, whatever the limit, also while no lab of it runs', async () => {
    await writeTemplate('asked-for')
    await writeTemplate('other')
    await ensureSaved('templates', 'asked-for', ENGINE, make, { steps: silent })
    const pruned = await pruneTemplates(0)
    expect(pruned.map(({ key, whole }) => [key, whole])).toEqual([
      ['other', false],
      ['other', true],
    ])
    expect((await readdir(path.join(root, 'templates', 'asked-for'))).sort()).toEqual([
      'manifest.json',
      'memory',
      'memory.zst',
    ])
  })

  it('is made anew where somebody has removed it by hand', async () => {
    await writeTemplate('asked-for')
    await ensureSaved('templates', 'asked-for', ENGINE, make, { steps: silent })
    await rm(path.join(root, 'templates'), { recursive: true })
    await expect(ensureSaved('templates', 'asked-for', ENGINE, make, { steps: silent })).rejects.toThrow('it is there')
  })

  it('makes no other go by the memory that it has unpacked', async () => {
    await writeTemplate('asked-for')
    await writeTemplate('other')
    await ensureSaved('templates', 'asked-for', ENGINE, make, { steps: silent })
    const bytes = Object.fromEntries((await cacheUse()).map(use => [use.key, use.bytes]))
    const packed = 8_192
    const pruned = await pruneTemplates((bytes['asked-for'] ?? 0) + (bytes['other'] ?? 0) - 2 * packed)
    expect(pruned.map(({ key, whole }) => [key, whole])).toEqual([['other', false]])
  })
})
