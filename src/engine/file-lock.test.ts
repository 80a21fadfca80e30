import { spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { expect, it } from 'vitest'
import { lockFile } from './file-lock.ts'

it('lets a process end with the lock held, which ends the lock', async () => {
  const root = await mkdtemp(path.join(os.tmpdir(), 'lvslab-test-'))
  try {
    const file = path.join(root, 'lock')
    const program = `
      import { lockFile, tryLockFile } from ${JSON.stringify(path.join(import.meta.dirname, 'file-lock.ts'))}
      const lock = await lockFile(${JSON.stringify(file)}, 'shared')
      lock.unref()
      if (!(await tryLockFile(${JSON.stringify(file)}, 'exclusive'))) process.stdout.write('held')`
    const { status, stdout } = spawnSync(process.execPath, ['--input-type=module-typescript', '--eval', program], {
      encoding: 'utf8',
      timeout: 4_000,
    })
    expect([status, stdout]).toEqual([0, 'held'])
    // whoever holds it for that process hears of its end a moment later
    await using _free = await lockFile(file, 'exclusive')
  } finally {
    await rm(root, { recursive: true })
  }
})
