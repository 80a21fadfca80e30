import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { checkNode, checkProcessor } from './doctor.ts'
import { finding, firstLine } from './finding.ts'
import { checkDisk, diskFinding, memoryFinding } from './room.ts'
import { checkPrograms, subordinateIds, versionIn } from './vm/requirements.ts'
import { userNamespaceRemedy } from './vm/user-namespace.ts'

afterEach(() => void vi.unstubAllEnvs())

describe('the machine', () => {
  it('is Linux on x86_64, with a Node.js that runs TypeScript', () => {
    expect(checkProcessor('linux', 'x86_64').state).toBe('found')
    expect(checkProcessor('linux', 'aarch64').state).toBe('missing')
    expect(checkProcessor('darwin', 'x86_64').state).toBe('missing')
    expect(checkNode('v24.0.0').state).toBe('found')
    expect(checkNode('v20.11.1').state).toBe('missing')
  })
})

describe('room', () => {
  it('on disk is 5 GB for a build, 1 GB afterwards', () => {
    expect(diskFinding('/c', 5e9, 'the first build')).toEqual({
      what: 'disk',
      state: 'found',
      detail: '/c has 5.0 GB free, 5 GB needed for the first build',
    })
    expect(diskFinding('/c', 4.9e9, 'the first build')).toMatchObject({
      state: 'missing',
      remedy: expect.stringContaining('LVSLAB_CACHE'),
    })
    expect(diskFinding('/c', 1e9, 'a template').state).toBe('found')
    expect(diskFinding('/c', 0.9e9, 'a template')).toMatchObject({
      state: 'missing',
      remedy: expect.stringContaining('engine gc'),
    })
  })

  it('in memory is counted in labs', () => {
    const gib = 2 ** 30
    expect(memoryFinding(2.4 * gib).state).toBe('missing')
    expect(memoryFinding(2.5 * gib).detail).toBe('2.5 GiB available: enough for 1 lab at once')
    expect(memoryFinding(4.6 * gib).detail).toBe('4.6 GiB available: enough for 3 labs at once')
  })

  it('is none in a cache folder that cannot be made', async () => {
    const dir = await mkdtemp(path.join(os.tmpdir(), 'lvslab-test-'))
    await writeFile(path.join(dir, 'file'), '')
    vi.stubEnv('LVSLAB_CACHE', path.join(dir, 'file/cache'))
    expect(await checkDisk('the first build')).toMatchObject({
      state: 'missing',
      detail: expect.stringContaining('ENOTDIR'),
    })
    await rm(dir, { recursive: true })
  })
})

describe('programs', () => {
  it('that are not there are named, with the package that brings them', async () => {
    vi.stubEnv('PATH', '/nonexistent')
    const findings = await checkPrograms()
    expect(findings.find(one => one.what === 'mmdebstrap')).toMatchObject({
      state: 'missing',
      detail: 'mmdebstrap: command not found',
      remedy: expect.stringMatching(/mmdebstrap$/),
    })
  })

  it.each([
    ['tar (GNU tar) 1.34', '1.34'],
    ['setpriv from util-linux 2.38.1\n', '2.38.1'],
    ['QEMU emulator version 11.1.3 (Debian 1:11.1.3+ds-1)', '11.1.3'],
    ['apt 2.6.1 (amd64)', '2.6.1'],
    ['no number', undefined],
  ])('say their version: %j', (text, version) => {
    expect(versionIn(text)).toBe(version)
  })
})

describe('subordinate IDs', () => {
  it('are the largest range of this user, by name or number', () => {
    const text = '# comment\nann:100000:65536\nben:165536:1000\n1001:231072:65536\n\n'
    expect(subordinateIds(text, 'ann', 1000)).toBe(65_536)
    expect(subordinateIds(text, 'ben', 1001)).toBe(65_536)
    expect(subordinateIds(text, 'ben', 1002)).toBe(1000)
    expect(subordinateIds(text, 'an', 1)).toBe(0)
    expect(subordinateIds('', 'ann', 1000)).toBe(0)
  })
})

describe('user namespaces', () => {
  const none = { apparmorRestricts: undefined, clone: undefined, max: undefined }

  it('come back by the switch that took them away', () => {
    const apparmor = userNamespaceRemedy({ ...none, apparmorRestricts: '1' }, '/c/ld.so').split('\n')
    expect(apparmor[0]).toBe('sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0')
    expect(apparmor.join()).toContain('profile lvslab /c/ld.so flags=(unconfined)')
    expect(userNamespaceRemedy({ ...none, apparmorRestricts: '0', clone: '0' }, '')).toContain(
      'unprivileged_userns_clone=1',
    )
    expect(userNamespaceRemedy({ ...none, clone: '1', max: '0' }, '')).toContain('user.max_user_namespaces')
    expect(userNamespaceRemedy(none, '')).toContain('container')
  })
})

describe('a check that throws', () => {
  it('is a finding, unless it was aborted', async () => {
    const fail = (): Promise<never> => Promise.reject(new Error('\n  EIO: broken\nmore'))
    expect(await finding('disk', fail)).toEqual({ what: 'disk', state: 'missing', detail: 'EIO: broken' })
    await expect(finding('disk', fail, AbortSignal.abort(new Error('stop')))).rejects.toThrow('stop')
    expect(firstLine(' \n\n')).toBe('no message')
  })
})
