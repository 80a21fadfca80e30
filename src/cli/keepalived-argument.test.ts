import { expect, test } from 'vitest'
import { silent } from '../engine/progress.ts'
import { lockedVersion, readLock } from '../engine/vm/packages.ts'
import { OTHER_KEEPALIVED } from '../engine/vm/other-keepalived.ts'
import { keepalivedFacts, keepalivedFiles, otherKeepalived } from '../lab/keepalived.ts'
import { KEEPALIVED, type KeepalivedRelease, OWN_KEEPALIVED } from '../model/keepalived.ts'
import { withKeepalived } from '../topology/keepalived.ts'
import { aNode, aTopology } from '../topology/testing.ts'
import { releaseOf } from './keepalived-argument.ts'

const running = (release: KeepalivedRelease) => withKeepalived(aTopology([aNode()]), release)

test('each release that is predicted for is pinned in its version', () => {
  const { [OWN_KEEPALIVED]: own, ...others } = KEEPALIVED
  expect(lockedVersion(readLock(), 'image', 'keepalived')).toContain(`1:${own}-`)
  expect(Object.keys(OTHER_KEEPALIVED)).toEqual(Object.keys(others))
  for (const [release, version] of Object.entries(others))
    expect(OTHER_KEEPALIVED[release]?.version).toContain(`1:${version}-`)
})

test('the one of the images is laid over nothing, and is said by the engine', async () => {
  expect(otherKeepalived(running('2.3'))).toBeUndefined()
  expect(keepalivedFacts(running('2.3'))).toEqual({})
  expect(await keepalivedFiles(running('2.3'), silent)).toEqual([])
  expect(keepalivedFacts(running('2.2'))).toEqual({ keepalived: '1:2.2.7-1+b2' })
})

test.each(['2.1', '2', '2.2.7', '', 'toString'])('%j is none of them', text => {
  expect(() => releaseOf('verify', text)).toThrow(`--keepalived ${text}: 2.2 or 2.3`)
})

test('they are called by their names, and that of the images by none', () => {
  expect([undefined, '2.2', '2.3'].map(text => releaseOf('verify', text))).toEqual(['2.3', '2.2', '2.3'])
})
