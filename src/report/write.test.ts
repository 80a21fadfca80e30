import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createMasker } from '../history/mask.ts'
import { sampleRun } from './sample-run.ts'
import { writeReports } from './write.ts'

let dir: string
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'lvslab-report-'))
})
afterAll(() => rm(dir, { recursive: true }))

it('writes all reports, whole and masked, and nothing else', async () => {
  const sample = sampleRun(text => `${text} auth_pass hunter2, s3cr"et`)
  // names of labs join the journal to the report: they are never masked
  const report = { ...sample.report, results: sample.report.results.map(result => ({ ...result, lab: 'a' })) }
  const lines = sample.lines.map(line => JSON.stringify({ ...line, lab: 'a' }))
  const journal = join(dir, 'journal.ndjson')
  await writeFile(journal, `${lines.join('\n')}\n`)
  const out = join(dir, 'a/b')
  const written = await writeReports(out, report, journal, createMasker(['s3cr"et']))
  expect(await readdir(out)).toEqual(['junit.xml', 'report.html', 'run.json', 'summary.md'])
  for (const path of Object.values(written)) {
    expect(await readFile(path, 'utf8')).not.toMatch(/hunter2|s3cr/)
  }
  expect(JSON.parse(await readFile(written.json, 'utf8'))).toMatchObject({ format: 1, outcome: 'FAIL' })
})

it('writes reports without a journal', async () => {
  const written = await writeReports(join(dir, 'none'), sampleRun().report, join(dir, 'missing.ndjson'))
  expect(await readFile(written.html, 'utf8')).toContain('The journal could not be read to its end')
})

it('names the folder that it cannot write, and leaves nothing half done', async () => {
  const file = join(dir, 'file')
  await writeFile(file, '')
  await expect(writeReports(join(file, 'x'), sampleRun().report, file)).rejects.toMatchObject({ code: 'REPORT_WRITE' })
})

describe('a folder that takes no file', () => {
  /** As of a full disk: the folder can be made, and then the names of its files are longer than a path may be. */
  const tooLong = (): string => {
    let path = dir
    while (path.length < 4000) path = join(path, 'x'.repeat(Math.min(200, 4080 - path.length)))
    return path.padEnd(4085, 'y')
  }

  it('is not left behind, where it was not there', async () => {
    const out = tooLong()
    await expect(writeReports(out, sampleRun().report, join(dir, 'missing.ndjson'))).rejects.toMatchObject({
      code: 'REPORT_WRITE',
      message: expect.stringContaining('ENAMETOOLONG'),
    })
    await expect(stat(out)).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it('stays, where it was there', async () => {
    const out = tooLong()
    await mkdir(out, { recursive: true })
    await expect(writeReports(out, sampleRun().report, join(dir, 'missing.ndjson'))).rejects.toMatchObject({
      code: 'REPORT_WRITE',
    })
    expect((await stat(out)).isDirectory()).toBe(true)
  })
})

it('has copies of other files of the run beside the reports, or nothing at all', async () => {
  const journal = join(dir, 'copied.ndjson')
  await writeFile(journal, '')
  const out = join(dir, 'copies')
  await writeReports(out, sampleRun().report, journal, createMasker([]), [journal])
  expect(await readdir(out)).toEqual(['copied.ndjson', 'junit.xml', 'report.html', 'run.json', 'summary.md'])
  const none = join(dir, 'no-copies')
  const written = writeReports(none, sampleRun().report, journal, createMasker([]), [join(dir, 'gone.json')])
  await expect(written).rejects.toMatchObject({ code: 'REPORT_WRITE', message: expect.stringContaining('copyfile') })
  await expect(stat(none)).rejects.toMatchObject({ code: 'ENOENT' })
})
