import { existsSync } from 'node:fs'
import path from 'node:path'
import { shortPath } from '../../topology/find.ts'
import { drawText } from '../../topology/draw.ts'
import { withKeepalived } from '../../topology/keepalived.ts'
import { createMasker } from '../../history/mask.ts'
import { createRunReport } from '../../report/run.ts'
import { formatJson } from '../../report/json.ts'
import { formatText } from '../../report/text.ts'
import { writeReports } from '../../report/write.ts'
import { planTopology, requirePredictions } from '../../verify/plan.ts'
import { CHECKS_FILE } from '../../verify/saved-checks.ts'
import { verify } from '../../verify/verify.ts'
import { CHECK_NOTES, checkArguments, choiceOf, topologyArgument } from '../check-arguments.ts'
import { releaseOf } from '../keepalived-argument.ts'
import { lintHint } from '../lint-hint.ts'
import { engineArguments, sourceOf } from '../engine-arguments.ts'
import { defineVerb } from '../define-verb.ts'
import { runVerb } from '../run-verb.ts'
import { runDir } from '../run-dir.ts'
import { topologyOf } from '../topology-of.ts'
import { durationOf } from '../usage.ts'
import { VERSION } from '../version.ts'

const BUDGET_NOTES = `--budget 2m tries one check of each kind first, then the second of each. Building the lab counts. What has begun is brought to
its end, and nothing begins that is not expected to end in time: it is expected to take what the longest of its kind took in
this run, and the first of a kind what the longest of any took.`

export const verifyCommand = defineVerb(
  `Example: lvslab verify topologies/keepalived-dr --only failover,shares

${CHECK_NOTES}

${BUDGET_NOTES}`,
  {
    meta: {
      name: 'verify',
      description: 'Build the lab that a topology describes, break it, and judge what it does.',
    },
    args: {
      dir: topologyArgument,
      ...checkArguments,
      budget: { type: 'string', description: 'host time that it may take, 90s, 2m, 1h: what does not fit is untested' },
      ...engineArguments,
      reports: { type: 'string', description: 'folder for the reports', default: 'reports' },
      json: { type: 'boolean', description: 'print the report as JSON on standard output' },
    },
    run: ({ args, rawArgs }) =>
      runVerb(async ({ steps, signal }) => {
        const started = new Date()
        const startedMs = performance.now()
        const choice = choiceOf('verify', args)
        const keepalived = releaseOf('verify', args.keepalived)
        const limitMs = durationOf('verify', 'budget', args.budget)
        const budget = limitMs === undefined ? undefined : { limitMs, startedMs, name: `--budget ${args.budget}` }
        const derived = (name: string): string => path.join(runDir(args.reports, name, started), 'topology')
        const found = await topologyOf(args.dir, derived, line => process.stderr.write(`${line}\n`))
        const topology = withKeepalived(found, keepalived)
        const plan = planTopology(topology)
        requirePredictions(plan)
        await using source = sourceOf(args)
        const dir = runDir(args.reports, topology.name, started)
        const outcome = await verify(plan, source, { dir, steps, signal, choice, budget }).catch((error: unknown) => {
          if (signal.aborted && existsSync(path.join(dir, CHECKS_FILE)))
            process.stderr.write(`what was seen until then: lvslab judge ${shortPath(dir)}\n`)
          throw error
        })
        const mask = createMasker(plan.secrets)
        const report = createRunReport({
          lvslab: VERSION,
          verb: 'verify',
          topology: {
            name: topology.name,
            drawing: drawText(topology),
            networks: topology.networks,
            nodes: topology.nodes,
          },
          started: started.toISOString(),
          tookMs: Date.now() - started.getTime(),
          engine: source.facts(),
          command: `lvslab verify ${rawArgs.map(quoted).join(' ')}`,
          results: outcome.results,
          untested: plan.untested,
        })
        const files = await writeReports(dir, report, outcome.journal, mask)
        const colour = process.stdout.isTTY && process.env['NO_COLOR'] === undefined
        const file = path.relative(process.cwd(), files.html)
        process.stdout.write(mask(args.json ? formatJson(report) : formatText(report, { colour, file })))
        if (outcome.leftOut > 0) process.stderr.write(`${budget?.name} left out ${outcome.leftOut} scenarios\n`)
        const hint = report.outcome === 'PASS' ? undefined : lintHint(args.dir)
        if (hint !== undefined) process.stderr.write(`${hint}\n`)
        process.stderr.write(`report: ${file}\n`)
        return { PASS: 0, FAIL: 1, INCONCLUSIVE: 3 }[report.outcome] as 0 | 1 | 3
      }),
  },
)

/** A word as a shell takes it: the `*` of a name stays one. */
const quoted = (word: string): string =>
  /^[\w%+,./:=@-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`
