import { mkdir, readdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { lvslab, temporaryDir } from './command-line.ts'

/** What is used wrongly is refused with exit code 2, before an engine is started, and leaves nothing behind. */
describe('wrong use', () => {
  test.for<[string, string]>([
    ['judge reports/a reports/b', '"reports/b" is one argument too many: this verb takes RUN alone'],
    ['status d1', '"d1" is one argument too many: this verb takes none'],
    ['verify topologies/keepalived-dr --reports', '--reports needs a value'],
    ['verify topologies/keepalived-dr --clock --json', '--clock needs a value'],
    ['judge --report x', 'no option --report; did you mean "reports"?'],
  ])('lvslab %s', async ([words, message]) => {
    const { code, stdout, stderr } = await lvslab(words.split(' '))
    expect({ code, stdout, stderr }).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(message) })
    expect(stderr).not.toContain('Boot')
  })

  test('lvslab test of no file leaves no folder of a run', async () => {
    const reports = await temporaryDir()
    const { code, stderr } = await lvslab(['test', 'nosuch', '--reports', reports])
    expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining('no test file has nosuch') })
    expect(await readdir(reports)).toEqual([])
  })
})

describe('lvslab judge of a folder that is damaged', () => {
  const checks = JSON.stringify({ format: 1, checks: [] })
  test.for<[what: string, files: Record<string, string | undefined>, message: string]>([
    ['a run.json that ends early', { 'run.json': '{\n"format": 1,' }, 'run.json:2:'],
    ['a run.json of nothing', { 'run.json': '{"format": 1}' }, 'run.json cannot be used: '],
    ['a run.json that cannot be read', { 'run.json': undefined }, 'run.json cannot be used: EISDIR'],
    ['a checks.json of nothing', { 'checks.json': '[]' }, 'checks.json cannot be used: '],
    ['a journal that was edited', { 'journal.ndjson': 'x\n' }, 'journal.ndjson:1:1 not a journal line'],
  ])('%s', async ([, files, message]) => {
    const dir = await temporaryDir()
    for (const [name, text] of Object.entries({ 'checks.json': checks, 'journal.ndjson': '', ...files })) {
      if (text === undefined) await mkdir(path.join(dir, name))
      else await writeFile(path.join(dir, name), text)
    }
    const { code, stderr } = await lvslab(['judge', dir])
    expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining(message) })
    expect(stderr).not.toContain('fault of lvslab')
  })
})
