import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { entryLockFile } from './cache.ts'
import { lockFile } from './file-lock.ts'
import { collectGarbage, type GarbageOptions } from './gc.ts'
import { findLeftovers, partKey } from './leftovers.ts'
import { engineKey } from './vm/build.ts'
import { saveResolved } from './vm/package-index.ts'
import { readLock } from './vm/packages.ts'

let root = ''
const children: ChildProcess[] = []

beforeEach(async () => {
  root = await mkdtemp(path.join(os.tmpdir(), 'lvslab-test-'))
  vi.stubEnv('LVSLAB_CACHE', root)
})

afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
  await rm(root, { recursive: true, force: true })
})

const write = async (file: string, content: string | Buffer = 'x'): Promise<void> => {
  await mkdir(path.dirname(path.join(root, file)), { recursive: true })
  await writeFile(path.join(root, file), content)
}

const writeEntry = async (entry: string, base: string): Promise<void> => {
  await write(`${entry}/memory`)
  await symlink(path.join('../..', base), path.join(root, entry, 'base'))
}

const run = async (command: string, args: string[], cwd = '/'): Promise<ChildProcess> => {
  const child = spawn(command, args, { cwd, stdio: 'ignore' })
  children.push(child)
  await once(child, 'spawn')
  return child
}

const collect = async (options?: GarbageOptions): Promise<{ removed: string[]; kept: Record<string, string> }> => {
  const { removed, kept } = await collectGarbage(options)
  return { removed: removed.map(one => one.what).sort(), kept: Object.fromEntries(kept.map(k => [k.what, k.why])) }
}

/** ctime cannot be set: the clock goes on instead. */
const anHourPasses = (): void => {
  const later = Date.now() + 2 * 3_600_000
  vi.spyOn(Date, 'now').mockReturnValue(later)
}

describe('half-made entries', () => {
  it('go where no builder holds their lock, and stay where one does', async () => {
    await write('templates/.part-aaaa-00000001/overlay')
    await write('engines/.part-bbbb-removed-123/disk.raw')
    await write('images/.part-cccc-00000002/overlay')
    await using _builder = await lockFile(entryLockFile('images', 'cccc'), 'exclusive')
    expect((await findLeftovers()).map(one => one.what).sort()).toEqual([
      'engines/.part-bbbb-removed-123',
      'templates/.part-aaaa-00000001',
    ])
    const { removed, kept } = await collect()
    expect(removed).toEqual(['engines/.part-bbbb-removed-123', 'templates/.part-aaaa-00000001'])
    expect(kept).toEqual({ 'images/.part-cccc-00000002': 'its builder is at work' })
    expect(await readdir(path.join(root, 'templates'))).toEqual([])
  })

  it('say which entry they are a part of', () => {
    expect(partKey('.part-0123456789abcdef-1a2b3c4d')).toBe('0123456789abcdef')
    expect(partKey('.part-0123456789abcdef-removed-77')).toBe('0123456789abcdef')
    expect(partKey('.part-XyZ123')).toBeUndefined()
  })

  it('of downloads go after an hour', async () => {
    await write('debs/.part-XyZ123/a')
    expect((await collect()).removed).toEqual([])
    anHourPasses()
    expect((await collect()).removed).toEqual(['debs/.part-XyZ123'])
  })
})

describe('folders of running engines', () => {
  it('stay while the guard lives', async () => {
    await write('run/1a2b3c4d/guard', 'while :; do sleep 0.1; done\n')
    const guard = await run('sh', [path.join(root, 'run/1a2b3c4d/guard')])
    await write('run/1a2b3c4d/guard.pid', `${guard.pid}\n`)
    expect(await collect()).toEqual({ removed: [], kept: { 'run/1a2b3c4d': 'its engine runs' } })
  })

  it('go when the guard is gone, or its process ID is somebody else', async () => {
    await write('run/aaaaaaaa/guard.pid', '999999999\n')
    await write('run/bbbbbbbb/guard.pid', `${process.pid}\n`)
    expect((await collect()).removed).toEqual(['run/aaaaaaaa', 'run/bbbbbbbb'])
  })

  it('stay without a guard for as long as one may be about to start', async () => {
    await write('run/cccccccc/overlay')
    await write('run/eeeeeeee/guard.pid', '')
    const why = 'it is being started'
    expect((await collect()).kept).toEqual({ 'run/cccccccc': why, 'run/eeeeeeee': why })
    anHourPasses()
    expect((await collect()).removed).toEqual(['run/cccccccc', 'run/eeeeeeee'])
  })

  it('take what the guard left running with them, and nobody else', async () => {
    await write('run/dddddddd/guard.pid', '999999999\n')
    const [orphan, other] = [await run('sleep', ['60'], path.join(root, 'run/dddddddd')), await run('sleep', ['60'])]
    await write('run/dddddddd/pids', `${orphan.pid} ${other.pid}\n`)
    const ended = once(orphan, 'exit')
    expect((await collect()).removed).toEqual(['run/dddddddd'])
    expect(await ended).toEqual([null, 'SIGKILL'])
    expect(other.exitCode ?? other.signalCode).toBeNull()
  })
})

describe('packages', () => {
  it('go when the lock does not name them, unless they are new', async () => {
    const named = `${readLock().sets.tools[0]?.sha256}.deb`
    await write(`debs/${named}`)
    await write('debs/0000.deb')
    expect((await collect()).removed).toEqual([])
    anHourPasses()
    const { removed, kept } = await collect()
    expect(removed).toEqual(['debs/0000.deb'])
    expect(Object.keys(kept)).toEqual(['debs (1 packages)'])
  })

  it('that a topology has asked for stay as long as the lock is the same', async () => {
    const [lock, wanted] = [
      readLock(),
      { name: 'php', version: '8.4', file: 'debian/pool/php.deb', sha256: 'abcd', size: 1 },
    ]
    await saveResolved(lock, ['php'], [wanted])
    await write('debs/abcd.deb')
    anHourPasses()
    expect((await collect()).removed).toEqual([])
    const [name = ''] = await readdir(path.join(root, 'packages'))
    await rename(path.join(root, 'packages', name), path.join(root, 'packages/0123456789abcdef-of-another-lock.json'))
    expect((await collect()).removed).toEqual(['debs/abcd.deb', 'packages/0123456789abcdef-of-another-lock.json'])
  })
})

describe('entries', () => {
  /** Two engines, the one of today and an old one, with an image and a template on each. */
  const fill = async (): Promise<string> => {
    const key = await engineKey(readLock())
    for (const [engine, suffix] of [
      [key, 'new'],
      ['old', 'old'],
    ] as const) {
      await write(`engines/${engine}/disk.raw`)
      await write(`kvm-${engine}.json`, '{}')
      await writeEntry(`images/${suffix}`, `engines/${engine}`)
      await writeEntry(`templates/${suffix}`, `images/${suffix}`)
    }
    return key
  }

  it('of other versions stay without `all`', async () => {
    const key = await fill()
    const { removed, kept } = await collect()
    expect(removed).toEqual([])
    expect(kept).toMatchObject({
      [`engines/${key}`]: 'current',
      'images/new': 'current',
      'templates/new': 'within the limit',
      'images/old': 'of another version: stays without --all',
    })
  })

  it('of other versions go with `all`', async () => {
    const key = await fill()
    const { removed, kept } = await collect({ all: true })
    expect(removed).toEqual(['engines/old', 'images/old', 'kvm-old.json', 'templates/old'])
    expect(Object.keys(kept).sort()).toEqual([`engines/${key}`, 'images/new', 'templates/new'])
  })

  it('of other images go where the images of today are known', async () => {
    const key = await fill()
    await writeEntry('images/newer', `engines/${key}`)
    const { removed } = await collect({ all: true, images: ['newer'] })
    expect(removed).toContain('images/new')
    expect(removed).toContain('templates/new')
    expect(removed).not.toContain('images/newer')
  })

  it('stay while somebody uses them, with all that they stand on', async () => {
    await fill()
    const locks = [entryLockFile('engines', 'old'), entryLockFile('images', 'old'), entryLockFile('templates', 'old')]
    const held = await Promise.all(locks.map(file => lockFile(file, 'shared')))
    const { removed, kept } = await collect({ all: true })
    expect(removed).toEqual([])
    expect(kept).toMatchObject({ 'engines/old': 'in use', 'images/old': 'in use', 'templates/old': 'in use' })
    for (const lock of held) await lock[Symbol.asyncDispose]()
  })

  it('go when their base is gone; one that names none is of another version', async () => {
    await fill()
    await rm(path.join(root, 'images/old'), { recursive: true })
    await write('templates/odd/memory')
    expect(await collect()).toMatchObject({
      removed: ['templates/old'],
      kept: { 'templates/odd': 'of another version: stays without --all' },
    })
  })

  it('above the limit go, least recently used first', async () => {
    await fill()
    await writeEntry('templates/fresh', 'images/new')
    for (const key of ['old', 'new', 'fresh']) await write(`templates/${key}/memory`, randomBytes(1e6))
    const used = new Date(2020, 0, 1)
    await utimes(path.join(root, 'templates/new'), used, used)
    vi.stubEnv('LVSLAB_CACHE_LIMIT', '0.0025') // GB: two and a half of them
    const { removed, kept } = await collect()
    expect(removed).toEqual(['templates/new'])
    expect(kept['templates/fresh']).toBe('within the limit')
    expect(kept['templates/new']).toBeUndefined()
  })

  it('above the limit lose the memory that they have packed too before any goes, unless it is in use', async () => {
    await fill()
    await writeEntry('templates/used', 'images/new')
    for (const key of ['old', 'new', 'used']) {
      await write(`templates/${key}/memory`, randomBytes(1e6))
      if (key !== 'new') await write(`templates/${key}/memory.zst`, randomBytes(3e5))
    }
    vi.stubEnv('LVSLAB_CACHE_LIMIT', '0.003') // GB: of 3.6 MB
    await using _fork = await lockFile(entryLockFile('templates', 'used'), 'shared')
    const { removed, kept } = await collect()
    expect(removed).toEqual(['templates/old/memory'])
    expect(kept).toMatchObject({ 'templates/old': expect.any(String), 'templates/used': 'within the limit' })
    expect((await readdir(path.join(root, 'templates/old'))).sort()).toEqual(['base', 'memory.zst'])
    expect((await readdir(path.join(root, 'templates/used'))).sort()).toEqual(['base', 'memory', 'memory.zst'])
  })

  it('above the limit go before what they stand on', async () => {
    await fill()
    await write('images/old/memory', randomBytes(1e6))
    await write('templates/old/memory', randomBytes(1e6))
    const [earlier, later] = [new Date(2020, 0, 1), new Date(2020, 0, 2)]
    await utimes(path.join(root, 'images/old'), earlier, earlier)
    await utimes(path.join(root, 'templates/old'), later, later)
    vi.stubEnv('LVSLAB_CACHE_LIMIT', '0.0015') // GB: one and a half of them
    expect((await collect()).removed).toEqual(['templates/old'])
  })

  it('above the limit go before what they stand on, and that stands on', async () => {
    await fill()
    await rm(path.join(root, 'templates/old'), { recursive: true })
    await writeEntry('images/packages', 'images/old')
    await writeEntry('templates/old', 'images/packages')
    for (const entry of ['images/old', 'images/packages', 'templates/old'])
      await write(`${entry}/memory`, randomBytes(1e6))
    for (const [day, entry] of ['images/old', 'images/packages', 'templates/old'].entries()) {
      const used = new Date(2020, 0, day + 1)
      await utimes(path.join(root, entry), used, used)
    }
    vi.stubEnv('LVSLAB_CACHE_LIMIT', '0.0015') // GB: one and a half of them
    expect((await collect()).removed).toEqual(['images/packages', 'templates/old'])
  })
})
