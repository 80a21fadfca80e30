import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { buildEntry, cacheDir, entryDir, hasEntry } from './cache.ts'
import { collectGarbage } from './gc.ts'
import { findLeftovers } from './leftovers.ts'
import { findEngine } from './vm/build.ts'
import { keptEngines } from './vm/kept.ts'
import { cacheUse } from './vm/saved.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(path.join(os.tmpdir(), 'lvslab-cache-'))
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(dir, { recursive: true })
})

describe('the cache folder', () => {
  it('is not made by a look into it', async () => {
    vi.stubEnv('LVSLAB_CACHE', path.join(dir, 'home/cache'))
    expect(await Promise.all([findEngine(), cacheUse(), keptEngines(), findLeftovers()])).toEqual([
      undefined,
      [],
      [],
      [],
    ])
    expect(await collectGarbage()).toEqual({ removed: [], kept: [] })
    expect(cacheDir('run')).toBe(path.join(dir, 'home/cache/run'))
    expect(existsSync(path.join(dir, 'home'))).toBe(false)
  })

  it('is made by the first that is built', async () => {
    vi.stubEnv('LVSLAB_CACHE', path.join(dir, 'home/cache'))
    await buildEntry('images', 'a', async () => {})
    expect(await hasEntry('images', 'a')).toBe(true)
    expect(entryDir('images', 'a')).toBe(path.join(dir, 'home/cache/images/a'))
  })

  it("is below the user's own home, where HOME or LVSLAB_CACHE say nothing", () => {
    vi.stubEnv('LVSLAB_CACHE', '')
    vi.stubEnv('HOME', '')
    expect(cacheDir()).toBe(path.join(os.userInfo().homedir, '.cache/lvslab'))
    vi.stubEnv('HOME', dir)
    expect(cacheDir()).toBe(path.join(dir, '.cache/lvslab'))
  })
})
