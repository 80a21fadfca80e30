import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { formatJson } from './json.ts'
import { readRun } from './read-run.ts'
import { sampleRun } from './sample-run.ts'

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'lvslab-run-'))
})
afterEach(() => rm(dir, { recursive: true }))

const { report } = sampleRun()
const write = (text: string): Promise<void> => writeFile(path.join(dir, 'run.json'), text)

it('gives the report that was written, or nothing', async () => {
  expect(await readRun(dir)).toBeUndefined()
  await write(formatJson(report))
  expect(await readRun(dir)).toEqual(JSON.parse(formatJson(report)))
})

it.each<[object, string]>([
  [{ format: 2 }, 'format'],
  [{ results: undefined }, 'results'],
  [{ results: [{ ...report.results[0], outcome: 'FINE' }] }, 'results[0].outcome'],
  [{ results: [{ ...report.results[0], proof: [{ kind: 'advert', t: 5 }] }] }, 'results[0].proof[0]'],
  [{ untested: null }, 'untested'],
])('refuses one with %j', async (damage, place) => {
  await write(JSON.stringify({ ...report, ...damage }))
  await expect(readRun(dir)).rejects.toMatchObject({
    ...{ code: 'RUN_INVALID', exitCode: 2, message: expect.stringContaining(place) },
    remedy: expect.stringContaining('the lvslab that wrote it'),
  })
})
