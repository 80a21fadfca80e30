import { glob, readFile } from 'node:fs/promises'
import path from 'node:path'
import { parseSync } from 'vite'

/**
 * What each folder of src/ may import of src/, so that data flows one way:
 * config -> topology -> (engine) -> lab -> history -> judge -> report, with the model beside them.
 * `types of X`: `import type` alone, nothing of X is loaded. `X/file.ts`: that file alone.
 */
const MAY_IMPORT: Record<string, readonly string[] | 'anything'> = {
  errors: [],
  shell: [],
  config: ['types of model', 'errors'],
  model: ['types of config', 'errors'],
  topology: ['model', 'config', 'errors', 'shell'],
  history: ['model', 'errors'],
  // runs inside the engine, bundled on its own
  agent: ['types of history'],
  engine: ['errors', 'shell'],
  lab: ['engine', 'topology', 'history', 'agent/protocol.ts', 'types of agent', 'errors', 'shell'],
  judge: ['history', 'model', 'errors'],
  report: ['history', 'judge', 'topology', 'model', 'errors'],
  lint: ['config', 'model', 'topology', 'history/mask.ts', 'report/visible.ts', 'errors'],
  verify: ['config', 'model', 'topology', 'engine', 'lab', 'agent', 'history', 'judge', 'errors'],
  derive: ['config', 'model', 'topology', 'history/make-folder.ts', 'report/visible.ts', 'errors'],
  // vitest's side: what a suite imports
  suite: ['model', 'topology', 'lab', 'history', 'judge', 'verify', 'report/evidence.ts', 'errors'],
  cli: 'anything',
}

/** Tests, and what only tests import. */
const TEST_FILE = /(\.test|\/examples|\/sample-run|\/testing)\.ts$/

interface Import {
  line: number
  specifier: string
  typesOnly: boolean
}

/**
 * Says what a file of src/ imports against the direction, one message for each import:
 * `src/judge/x.ts:3 imports src/lab/lab.ts: judge may import history, model, errors`.
 *
 * @param file path from the project's folder, with `/`
 */
export const wrongImports = (file: string, text: string): string[] => {
  const folder = folderOf(file)
  const rule = MAY_IMPORT[folder]
  if (!rule) return [`${file}: scripts/import-direction.ts has no rule for ${folder}`]
  return importsOf(file, text).flatMap(({ line, specifier, typesOnly }) => {
    if (!specifier.startsWith('.')) return []
    const target = path.posix.join(path.posix.dirname(file), specifier)
    const why = wrong(file, folder, rule, target, typesOnly)
    return why ? [`${file}:${line} imports ${target}: ${why}`] : []
  })
}

const wrong = (
  file: string,
  folder: string,
  rule: readonly string[] | 'anything',
  target: string,
  typesOnly: boolean,
): string | undefined => {
  if (!/\.[cm]?[jt]s$/.test(target)) return undefined // data, like package.json
  if (!target.startsWith('src/')) return 'src/ may import nothing of the project outside of src/'
  if (TEST_FILE.test(target)) return TEST_FILE.test(file) ? undefined : 'only tests may import what is made for tests'
  const to = folderOf(target)
  if (to === folder || rule === 'anything') return undefined
  if (rule.includes(to) || rule.includes(target.slice('src/'.length))) return undefined
  if (typesOnly && rule.includes(`types of ${to}`)) return undefined
  return `${folder} may import ${rule.join(', ') || 'nothing'}`
}

/** `src/judge/x.ts` is in judge, `src/errors.ts` is errors. */
const folderOf = (file: string): string => path.posix.basename(file.split('/')[1] ?? '', '.ts')

const importsOf = (file: string, text: string): Import[] => {
  const { module } = parseSync(file, text)
  const found: [start: number, specifier: string][] = [
    ...module.staticImports.map(i => [i.start, i.moduleRequest.value] as [number, string]),
    ...module.staticExports.flatMap(e =>
      e.entries
        .slice(0, 1)
        .flatMap(({ moduleRequest }): [number, string][] => (moduleRequest ? [[e.start, moduleRequest.value]] : [])),
    ),
    ...module.dynamicImports.map(({ start, moduleRequest }): [number, string] => [
      start,
      text.slice(moduleRequest.start + 1, moduleRequest.end - 1),
    ]),
  ]
  return found.map(([start, specifier]) => ({
    line: text.slice(0, start).split('\n').length,
    specifier,
    // `import { type A }` does load the file
    typesOnly: /^(import|export)\s+type\s/.test(text.slice(start)),
  }))
}

/** {@link wrongImports} of everything in src/, sorted by file. */
export const checkImportDirection = async (home: string): Promise<string[]> => {
  const files: string[] = []
  for await (const file of glob('src/**/*.{ts,js}', { cwd: home })) files.push(file)
  const messages = files.sort().map(async file => wrongImports(file, await readFile(path.join(home, file), 'utf8')))
  return (await Promise.all(messages)).flat()
}
