import { createReadStream, createWriteStream } from 'node:fs'
import { readdir, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { TaskMeta } from 'vitest'
import { createVitest, type TestModule, type Vitest } from 'vitest/node'
import { LvslabError, messageOf } from '../../errors.ts'
import { makeFolder } from '../../history/make-folder.ts'
import { openJournal } from '../../history/journal.ts'
import { createMasker } from '../../history/mask.ts'
import { type PreparedEngine, prepareEngine } from '../../lab/vm-labs.ts'
import { createRunReport } from '../../report/run.ts'
import { writeReports } from '../../report/write.ts'
import { JOURNAL_FILE, writeChecks } from '../../verify/saved-checks.ts'
import { clockOf, engineArguments } from '../engine-arguments.ts'
import { runDir } from '../run-dir.ts'
import { defineVerb } from '../define-verb.ts'
import { runVerb } from '../run-verb.ts'
import { VERSION } from '../version.ts'

const ROOT = path.resolve(import.meta.dirname, '../../..')

export const testCommand = defineVerb(
  'Example: lvslab test keepalived-dr --name failover\n\nThe last line of standard output is `N passed, N failed, N skipped`.',
  {
    meta: {
      name: 'test',
      description: 'Run the unit tests and the suites, which run real labs.',
    },
    args: {
      filter: {
        type: 'positional',
        description: 'only test files whose path contains this, or one of these',
        required: false,
      },
      name: { type: 'string', description: 'only tests whose name matches this pattern' },
      unit: { type: 'boolean', description: 'unit tests only: no lab is built' },
      clock: engineArguments.clock,
      long: { type: 'boolean', description: 'run also those that take minutes on the real clock' },
      reports: { type: 'string', description: 'folder for the reports', default: 'reports' },
    },
    run: ({ args, rawArgs }) =>
      runVerb(async ({ steps, signal }) => {
        const started = new Date()
        const dir = path.resolve(runDir(args.reports, 'test', started))
        const clock = clockOf(args.clock)
        process.chdir(ROOT) // suites name topologies from there
        const prepare = async (): Promise<PreparedEngine | undefined> => {
          const engine = args.unit ? undefined : await prepareEngine({ clock, steps, signal })
          await makeFolder(dir)
          return engine
        }
        const { modules, errors, prepared: engine } = await runVitest(dir, clock, args, { signal, prepare })
        const counts = count(modules)
        if (engine) {
          const checks = modules.flatMap(checksOf)
          const report = createRunReport({
            lvslab: VERSION,
            verb: 'test',
            topology: { name: 'suites', drawing: '' },
            started: started.toISOString(),
            tookMs: Date.now() - started.getTime(),
            engine: { engine: 'vm', ...engine.build.versions, clock: engine.spec.clock },
            command: `lvslab test ${rawArgs.join(' ')}`.trim(),
            results: checks.map(({ result }) => result),
            untested: [],
          })
          const saved = checks.map(check => check.saved)
          await writeChecks(dir, saved, createMasker([])) // each test has masked its own
          const files = await writeReports(dir, report, await gatherJournals(dir))
          process.stderr.write(`report: ${path.relative(process.cwd(), files.html)}\n`)
        }
        const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : ''
        process.stdout.write(`${counts.passed} passed, ${counts.failed} failed${skipped}\n`)
        if (signal.aborted) return 130
        if (counts.failed > 0 || errors > 0) return 1
        return counts.passed === 0 ? 3 : 0
      }),
  },
  { anyNumber: true },
)

/** @throws LvslabError USAGE */
const checkPattern = (name = ''): void => {
  try {
    ''.match(name)
  } catch (error) {
    throw new LvslabError('USAGE', `--name ${name} is no regular expression: ${messageOf(error)}`, {
      remedy: "write \\ before what stands for itself: --name 'reload \\(twice\\)'",
      exitCode: 2,
    })
  }
}

/**
 * Runs vitest in this process, which owns the signals: `vitest run` by itself would end at once on Ctrl-C, with labs running
 * and no clean-up.
 *
 * @param prepare called when it is known that there is something to run
 */
const runVitest = async (
  dir: string,
  clock: 'real' | 'virtual' | 'default',
  args: {
    _: string[]
    name?: string | undefined
    unit?: boolean | undefined
    long?: boolean | undefined
  },
  { signal, prepare }: { signal: AbortSignal; prepare: () => Promise<PreparedEngine | undefined> },
): Promise<{ modules: TestModule[]; errors: number; prepared: PreparedEngine | undefined }> => {
  checkPattern(args.name)
  const before = new Map(SIGNALS.map(name => [name, process.listeners(name)]))
  const vitest: Vitest = await createVitest({
    root: ROOT,
    watch: false,
    provide: { runDir: dir, clock, long: args.long ?? false },
    ...(args.unit ? { project: ['unit'] } : {}),
    // on the host's clock a lab needs both of the processors that an emulated one has
    ...(clock === 'real' ? { maxWorkers: 1 } : {}),
    ...(args.name === undefined ? {} : { testNamePattern: args.name }),
    reporters: ['default', ['junit', { outputFile: path.join(dir, 'tests.xml') }]],
  })
  for (const name of SIGNALS) {
    for (const listener of process.listeners(name)) {
      if (!before.get(name)?.includes(listener)) process.off(name, listener)
    }
  }
  const cancel = (): void => void vitest.cancelCurrentRun('keyboard-input')
  signal.addEventListener('abort', cancel, { once: true })
  try {
    signal.throwIfAborted()
    for (const filter of args._) {
      if ((await vitest.globTestSpecifications([filter])).length > 0) continue
      throw new LvslabError('USAGE', `no test file has ${filter} in its path`, {
        remedy: 'lvslab test keepalived-dr; the files are suites/*.test.ts and src/**/*.test.ts',
        exitCode: 2,
      })
    }
    const prepared = await prepare()
    const { testModules, unhandledErrors } = await vitest.start(args._)
    return { modules: testModules, errors: unhandledErrors.length, prepared }
  } finally {
    signal.removeEventListener('abort', cancel)
    await vitest.close()
    process.exitCode = 0 // vitest sets it; the verb's own code says it all
  }
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Counts tests; a file that could not be collected counts as one that failed. */
const count = (modules: TestModule[]): { passed: number; failed: number; skipped: number } => {
  const counts = { passed: 0, failed: 0, skipped: 0 }
  for (const module of modules) {
    let tests = 0
    for (const test of module.children.allTests()) {
      tests++
      const { state } = test.result()
      if (state !== 'pending') counts[state]++
      else counts.skipped++
    }
    if (tests === 0 && !module.ok()) counts.failed++
  }
  return counts
}

const checksOf = (module: TestModule): NonNullable<TaskMeta['checks']> =>
  [...module.children.allTests()].flatMap(test => test.meta().checks ?? [])

/** One journal of those that the workers wrote, each its own. */
const gatherJournals = async (dir: string): Promise<string> => {
  const journal = path.join(dir, JOURNAL_FILE)
  const parts = path.join(dir, 'journals')
  await writeFile(journal, '')
  for (const name of await readdir(parts).catch(() => [])) {
    const part = path.join(parts, name)
    // a worker that died may have left half a line: opening the journal mends it
    await (await openJournal(part, createMasker([]))).close()
    await pipeline(createReadStream(part), createWriteStream(journal, { flags: 'a' }))
  }
  await rm(parts, { recursive: true, force: true })
  return journal
}
