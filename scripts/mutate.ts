/**
 * Which changes of a check's code no test would notice: Stryker, on the files named, on all of src/judge where none is.
 * Usage: npm run mutate -- [src/judge/shares.ts | PATTERN | FILE:LINE-LINE]...
 */
import { globSync } from 'node:fs'
import path from 'node:path'
import { $ } from 'zx'
import { printError } from '../src/cli/run-verb.ts'
import { LvslabError } from '../src/errors.ts'

const home = path.resolve(import.meta.dirname, '..')

/** A file may have the lines behind it that are to be mutated: `:3-9`, `:3:1-9:80`. */
const matchesNothing = (pattern: string): boolean =>
  globSync(pattern.replace(/:\d+(:\d+)?-\d+(:\d+)?$/, ''), { cwd: home }).length === 0

const run = async (patterns: string[]): Promise<number> => {
  // Stryker itself goes on, with nothing to do
  const wrong = patterns.find(matchesNothing)
  if (wrong !== undefined)
    throw new LvslabError('USAGE', `no file matches ${wrong}`, {
      remedy: 'name checks: npm run mutate -- src/judge/shares.ts',
      exitCode: 2,
    })
  const mutate = patterns.length > 0 ? ['--mutate', patterns.join(',')] : []
  const stryker = $({ cwd: home, preferLocal: home, stdio: 'inherit', nothrow: true })
  return (await stryker`stryker run scripts/mutation/stryker.config.json ${mutate}`).exitCode ?? 1
}

try {
  process.exitCode = await run(process.argv.slice(2).flatMap(argument => argument.split(',')))
} catch (error) {
  process.exitCode = printError(error)
}
