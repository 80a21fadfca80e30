/** Format, lint, types and the direction of imports, all of them whatever one says. Usage: npm run check */
import path from 'node:path'
import { $, type ProcessPromise } from 'zx'
import { checkImportDirection } from './import-direction.ts'

const home = path.resolve(import.meta.dirname, '..')
const run = $({ cwd: home, preferLocal: home, quiet: true, nothrow: true })

interface Result {
  ok: boolean
  output: string
}

const tool = async (running: ProcessPromise): Promise<Result> => {
  const { exitCode, stdout, stderr } = await running
  return { ok: exitCode === 0, output: `${stdout}${stderr}` }
}

const imports = async (): Promise<Result> => {
  const messages = await checkImportDirection(home)
  return { ok: messages.length === 0, output: messages.join('\n') }
}

const checks: [name: string, result: Promise<Result>][] = [
  ['biome format', tool(run`biome format --max-diagnostics=none .`)],
  ['oxlint', tool(run`oxlint --type-aware --deny-warnings --report-unused-disable-directives .`)],
  ['tsc', tool(run`tsc -p . --pretty false`)],
  ['import direction', imports()],
]
for (const [name, result] of checks) {
  const { ok, output } = await result
  console.log(ok ? `${name}: ok` : `${name}: failed\n${output.trim()}`)
  if (!ok) process.exitCode = 1
}
