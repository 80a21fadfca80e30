import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { expect, it } from 'vitest'
import { makeFolder } from './make-folder.ts'

it('makes what is missing, and says why it cannot', async () => {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'lvslab-folder-'))
  try {
    await makeFolder(path.join(dir, 'a/b/c'))
    await makeFolder(path.join(dir, 'a/b/c'))
    expect(existsSync(path.join(dir, 'a/b/c'))).toBe(true)
    writeFileSync(path.join(dir, 'file'), '')
    await expect(makeFolder(path.join(dir, 'file'))).rejects.toThrow('EEXIST')
    await expect(makeFolder(path.join(dir, 'file/a'))).rejects.toThrow('ENOTDIR')
    await expect(makeFolder('/proc/lvslab/a')).rejects.toThrow('ENOENT')
  } finally {
    rmSync(dir, { recursive: true })
  }
})
