/**
 * Writes the table of systems in README.md: what `suites/systems.yaml` says of each, and what the last run of its suites
 * came to.
 *
 *   npm run systems                              the last run of `npm test` below reports/ that had all of the suites
 *   npm run systems -- reports/RUN               that run
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { parse } from 'yaml'
import { z } from 'zod'
import { printError } from '../src/cli/run-verb.ts'
import { LvslabError } from '../src/errors.ts'
import { type SuiteResult, resultsOf, systemsTable } from './systems-table.ts'

const [BEGIN, END] = ['<!-- systems: written by npm run systems -->', '<!-- end of systems -->']

const systemSchema = z.strictObject({
  document: z.string(),
  system: z.string(),
  topology: z.string(),
  suites: z.array(z.string()).min(1),
  shows: z.string(),
})

const systems = z.array(systemSchema).parse(parse(readFileSync('suites/systems.yaml', 'utf8')))
const wanted = systems.flatMap(system => system.suites)

const read = (run: string): Map<string, SuiteResult> => resultsOf(readFileSync(path.join(run, 'tests.xml'), 'utf8'))

const lastRun = (): string => {
  const runs = readdirSync('reports', { withFileTypes: true }).filter(entry => entry.isDirectory())
  const found = runs
    .map(entry => path.join('reports', entry.name))
    .sort()
    .findLast(run => readdirSync(run).includes('tests.xml') && wanted.every(suite => read(run).has(suite)))
  if (found !== undefined) return found
  throw new LvslabError('SYSTEMS_NO_RUN', `no run below reports/ has all of ${wanted.join(', ')}`, {
    remedy: 'npm test',
  })
}

const write = (): string => {
  const [given, ...more] = process.argv.slice(2)
  if (given?.startsWith('-') || more.length > 0)
    throw new LvslabError('USAGE', `${process.argv.slice(2).join(' ')}: one folder of a run, or nothing`, {
      remedy: 'npm run systems -- reports/RUN',
      exitCode: 2,
    })
  const run = given ?? lastRun()
  const readme = readFileSync('README.md', 'utf8')
  const [before, rest] = readme.split(BEGIN)
  const after = rest?.split(END)[1]
  if (before === undefined || after === undefined) throw new Error(`README.md has no ${BEGIN} and ${END}`)
  writeFileSync('README.md', `${before}${BEGIN}\n\n${systemsTable(systems, read(run))}\n${END}${after}`)
  return `${systems.length} systems, from ${run}`
}

try {
  console.log(write())
} catch (error) {
  process.exitCode = printError(error)
}
