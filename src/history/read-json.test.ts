import { mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { z } from 'zod'
import { readJson } from './read-json.ts'

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'lvslab-json-'))
})
afterEach(() => rm(dir, { recursive: true }))

const schema = z.object({ checks: z.array(z.string()) })
const read = (name = 'run.json') => readJson(path.join(dir, name), schema, { code: 'RUN_INVALID', remedy: 'mend it' })
const write = (text: string): Promise<void> => writeFile(path.join(dir, 'run.json'), text)

it('gives what the schema takes, and nothing where there is no file', async () => {
  expect(await read()).toBeUndefined()
  await write('{"checks": ["a"], "more": 1}')
  expect(await read()).toEqual({ checks: ['a'] })
})

it('says where JSON goes wrong', async () => {
  await write('{\n  "checks": []\n  "more": 1\n}')
  await expect(read()).rejects.toMatchObject({
    ...{ code: 'RUN_INVALID', exitCode: 2, remedy: 'mend it' },
    at: { file: path.join(dir, 'run.json'), line: 3, column: 3 },
  })
})

it('says what is wrong, the first of it where that is much', async () => {
  await write('null')
  await expect(read()).rejects.toThrow('run.json cannot be used: ')
  await write(JSON.stringify({ checks: Array.from({ length: 100_000 }, () => 1) }))
  await expect(read()).rejects.toThrow(/checks\[2\]\nand 99997 more$/)
})

it('does not take a file that cannot be read for one that is missing', async () => {
  await mkdir(path.join(dir, 'run.json'))
  await expect(read()).rejects.toMatchObject({ code: 'RUN_INVALID', message: expect.stringContaining('EISDIR') })
})

it('refuses what is too large to be of a run, unread', async () => {
  await write('{}')
  await truncate(path.join(dir, 'run.json'), 700e6) // sparse
  await expect(read()).rejects.toThrow('it has 700 MB, more than 64')
})
