/**
 * Measures, and proves nothing: speed goes here and never into a test. `npm run bench -- NAME [options]`; the head of each
 * file in scripts/bench/ says what it measures and which options it has, and so does `npm run bench -- NAME --help`.
 */
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { printError } from '../src/cli/run-verb.ts'
import { LvslabError } from '../src/errors.ts'
import { hint } from '../src/topology/did-you-mean.ts'

const folder = path.join(import.meta.dirname, 'bench')
const names = readdirSync(folder).map(file => path.basename(file, '.ts'))
const usage = `npm run bench -- ${names.join('|')}; example: npm run bench -- forks --forks 10`

/** The first comment of a bench, without its stars. */
const headOf = (file: string): string =>
  (/^\/\*\*\n(.*?) \*\//s.exec(readFileSync(file, 'utf8'))?.[1] ?? '').replace(/^ \* ?/gm, '')

const [name = '--help'] = process.argv.splice(2, 1)
const file = path.join(folder, `${name}.ts`)
try {
  if (name === '--help') process.stdout.write(`${usage}\n`)
  else if (!names.includes(name))
    throw new LvslabError('USAGE', `no bench ${name}${hint(name, names, 'benches')}`, { remedy: usage, exitCode: 2 })
  else if (process.argv.includes('--help')) process.stdout.write(headOf(file))
  else await import(file)
} catch (error) {
  process.exitCode = printError(error)
}
