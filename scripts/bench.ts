/**
 * Measures, and proves nothing: speed goes here and never into a test. `npm run bench -- NAME [options]`; the head of each
 * file in scripts/bench/ says what it measures and which options it has.
 */
import { readdirSync } from 'node:fs'
import path from 'node:path'
import { messageOf } from '../src/errors.ts'

const folder = path.join(import.meta.dirname, 'bench')
const names = readdirSync(folder).map(file => path.basename(file, '.ts'))
const [name = ''] = process.argv.splice(2, 1)
if (names.includes(name)) {
  try {
    await import(path.join(folder, `${name}.ts`))
  } catch (error) {
    const usage = String((error as { code?: unknown }).code).startsWith('ERR_PARSE_ARGS')
    process.stderr.write(`${process.env['LVSLAB_DEBUG'] ? (error as Error).stack : messageOf(error)}\n`)
    process.exitCode = usage ? 2 : 1
  }
} else {
  const help = name === '' || name === '--help'
  process.stderr.write(
    `${help ? '' : `no bench ${name}; `}npm run bench -- ${names.join('|')}; example: npm run bench -- forks --forks 10\n`,
  )
  process.exitCode = help ? 0 : 2
}
