import { existsSync } from 'node:fs'
import { copyFile, rename, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { LvslabError } from '../errors.ts'
import type { JournalLine } from '../history/event.ts'
import { readJournal } from '../history/journal.ts'
import { makeFolder } from '../history/make-folder.ts'
import { createMasker, type Masker, maskDeep } from '../history/mask.ts'
import { formatSummary } from './github.ts'
import { formatHtml } from './html.ts'
import { formatJson } from './json.ts'
import { formatJunit } from './junit.ts'
import type { RunReport } from './run.ts'

/** Paths of the files, relative to the working directory where `dir` was. */
export interface WrittenReports {
  json: string
  junit: string
  html: string
  summary: string
}

// masked when it was written, if lvslab wrote it: a second time costs little
async function* maskLines(lines: AsyncIterable<JournalLine>, mask: Masker): AsyncGenerator<JournalLine> {
  for await (const line of lines) yield maskDeep(line, mask)
}

/**
 * Writes `run.json`, `junit.xml`, `report.html` and `summary.md` into `dir`, and makes it where it is missing. Files
 * are written aside and renamed when all of them are complete: a reader never sees half a report. Report and journal
 * are masked first: `auth_pass` always, the run's own secrets with its masker. A journal that cannot be read costs the
 * timelines, not the reports.
 *
 * @param copies files that are to be in the folder as well
 * @throws LvslabError REPORT_WRITE; a folder that was not there is not there then either
 */
export const writeReports = async (
  dir: string,
  report: RunReport,
  journalPath: string,
  mask: Masker = createMasker([]),
  copies: string[] = [],
): Promise<WrittenReports> => {
  const masked = maskDeep(report, mask)
  const files = {
    json: { path: join(dir, 'run.json'), text: formatJson(masked) },
    junit: { path: join(dir, 'junit.xml'), text: formatJunit(masked) },
    html: { path: join(dir, 'report.html'), text: await formatHtml(masked, maskLines(readJournal(journalPath), mask)) },
    summary: { path: join(dir, 'summary.md'), text: formatSummary(masked) },
  }
  const aside = (path: string): string => `${path}.${process.pid}.part`
  const texts = Object.values(files).map(({ path, text }) => ({ path, make: (to: string) => writeFile(to, text) }))
  const copied = copies.map(from => ({ path: join(dir, basename(from)), make: (to: string) => copyFile(from, to) }))
  const all = [...texts, ...copied]
  const present = existsSync(dir)
  try {
    await makeFolder(dir)
    // all of them have ended before anything is taken away again
    const failed = (await Promise.allSettled(all.map(({ path, make }) => make(aside(path))))).find(
      one => one.status === 'rejected',
    )
    if (failed) throw failed.reason
    for (const { path } of all) await rename(aside(path), path)
  } catch (cause) {
    await Promise.allSettled(all.map(({ path }) => rm(aside(path), { force: true })))
    if (!present) await rm(dir, { recursive: true, force: true }).catch(() => {})
    throw new LvslabError('REPORT_WRITE', `cannot write the reports to ${dir}: ${(cause as Error).message}`, {
      remedy: 'Check that the folder is writable and has space left (df -h).',
      cause,
    })
  }
  return { json: files.json.path, junit: files.junit.path, html: files.html.path, summary: files.summary.path }
}
