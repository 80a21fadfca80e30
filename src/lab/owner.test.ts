import { spawnSync } from 'node:child_process'
import os from 'node:os'
import { describe, expect, it } from 'vitest'
import { hasEnded, thisProcess } from './owner.ts'

describe('the owner of a lab', () => {
  it('lives as long as its process does', async () => {
    const own = await thisProcess()
    expect(own).toMatch(new RegExp(`^${os.hostname()}:${process.pid}:\\d+$`))
    expect(await hasEnded(own)).toBe(false)
    const { pid } = spawnSync('true')
    expect(await hasEnded(`${os.hostname()}:${pid}:1`)).toBe(true)
  })

  it('is not the process that has its number now', async () => {
    expect(await hasEnded(`${os.hostname()}:${process.pid}:1`)).toBe(true)
  })

  it('is unknown on another host, and where there is no label', async () => {
    expect(await hasEnded('elsewhere:1:1')).toBe(false)
    expect(await hasEnded(undefined)).toBe(false)
  })
})
