import { expect, it } from 'vitest'
import { otherKeepalived } from './other-keepalived.ts'
import { lockedVersion, readLock } from './packages.ts'

it('is another one than that of the image, which is called by its own version', () => {
  const own = lockedVersion(readLock(), 'image', 'keepalived')
  expect(otherKeepalived('2.2')?.version).toMatch(/^1:2\.2\./)
  expect(otherKeepalived('2.2')?.version).not.toBe(own)
  expect(otherKeepalived(undefined)).toBeUndefined()
  expect(otherKeepalived('2.3')).toBeUndefined()
  expect(own).toMatch(/^1:2\.3\./)
})

it.each(['2.1', '2', '2.2.7', '', 'toString'])('is none of %j', wanted => {
  expect(() => otherKeepalived(wanted)).toThrow(`--keepalived ${wanted}: 2.2 or 2.3`)
})
