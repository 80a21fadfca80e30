import path from 'node:path'
import { createMasker } from '../../history/mask.ts'
import { inconclusive } from '../../judge/guard.ts'
import type { CheckResult } from '../../judge/verdict.ts'
import { formatJson } from '../../report/json.ts'
import { readRun } from '../../report/read-run.ts'
import { createRunReport, type RunReport } from '../../report/run.ts'
import { formatText } from '../../report/text.ts'
import { writeReports } from '../../report/write.ts'
import { CHECKS_FILE, JOURNAL_FILE, type JudgedAgain, judgeAgain } from '../../verify/saved-checks.ts'
import { defineVerb } from '../define-verb.ts'
import { runDir } from '../run-dir.ts'
import { runVerb } from '../run-verb.ts'
import { VERSION } from '../version.ts'

export const judgeCommand = defineVerb(
  'Example: lvslab judge reports/2026-11-20T071611Z-keepalived-dr-11898\n\nNeeds no engine, and changes nothing in RUN. A bound changed in RUN/checks.json is judged as it stands there.',
  {
    meta: {
      name: 'judge',
      description: 'Judge what a run of verify or test recorded once more, from its folder.',
    },
    args: {
      run: { type: 'positional', description: 'folder of the run: journal.ndjson and checks.json', required: true },
      reports: { type: 'string', description: 'folder for new reports; without it none are written' },
      json: { type: 'boolean', description: 'print the report as JSON on standard output' },
    },
    run: ({ args }) =>
      runVerb(async () => {
        const judged = await judgeAgain(args.run)
        const before = await reportOf(args.run)
        const report = createRunReport({ ...before, results: merge(judged, before.results) })
        if (judged.torn) {
          const { line, what } = judged.torn
          process.stderr.write(`warning: ${path.join(args.run, JOURNAL_FILE)}:${line} ${what}\n`)
        }
        const colour = process.stdout.isTTY && process.env['NO_COLOR'] === undefined
        const mask = createMasker([]) // the run masked its own secrets when it wrote the folder
        process.stdout.write(
          mask(
            args.json ? formatJson(report) : formatText(report, { colour, file: `lvslab judge ${args.run} --json` }),
          ),
        )
        if (args.reports !== undefined) {
          const dir = runDir(args.reports, report.topology.name, new Date())
          const [journal, checks] = [path.join(args.run, JOURNAL_FILE), path.join(args.run, CHECKS_FILE)]
          const files = await writeReports(dir, report, journal, mask, [journal, checks])
          process.stderr.write(`report: ${path.relative(process.cwd(), files.html)}\n`)
        }
        return { PASS: 0, FAIL: 1, INCONCLUSIVE: 3 }[report.outcome] as 0 | 1 | 3
      }),
  },
)

/** The run's own report; of a run that did not come to its end, what can be said without one. */
const reportOf = async (dir: string): Promise<RunReport> => {
  const report = await readRun(dir)
  if (report) return report
  const name = path.basename(path.resolve(dir))
  return createRunReport({
    ...{ lvslab: VERSION, verb: 'judge', topology: { name, drawing: '' }, started: new Date().toISOString() },
    ...{ tookMs: 0, engine: {}, command: `lvslab judge ${dir}`, results: [notFinished(name)], untested: [] },
  })
}

/** What is in the journal is judged, but the last labs in it may have been driven half-way. */
const notFinished = (name: string): CheckResult => ({
  ...inconclusive(`${name} has no run.json: the run was ended before all was recorded that it was to judge.`),
  ...{ check: 'run', title: 'the run came to its end', lab: '', tookMs: 0 },
})

/**
 * The run's results with the new verdicts in their places. An INCONCLUSIVE one without a saved check was never judged (the lab
 * did not converge, a scenario could not be driven), and stays; any other was judged by a check that is no more.
 */
const merge = ({ checks, verdicts }: JudgedAgain, before: CheckResult[]): CheckResult[] => {
  const fresh = checks.map(({ check, title, lab }, index) => ({
    ...(verdicts[index] as JudgedAgain['verdicts'][number]),
    ...{ check, title, lab, tookMs: 0 },
  }))
  const results = before.flatMap(old => {
    const index = fresh.findIndex(one => one.check === old.check && one.lab === old.lab)
    if (index < 0) return old.outcome === 'INCONCLUSIVE' ? [old] : []
    return [{ ...(fresh.splice(index, 1)[0] as CheckResult), tookMs: old.tookMs }]
  })
  return [...results, ...fresh]
}
