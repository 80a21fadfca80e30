import { LvslabError } from '../../errors.ts'
import { readInputs } from '../../lint/input.ts'
import { lint } from '../../lint/lint.ts'
import { countOf, explain, formatFindings, formatFindingsAsJson, formatSarif, listRules } from '../../lint/output.ts'
import { ruleOf } from '../../lint/rules/registry.ts'
import { defineVerb } from '../define-verb.ts'
import { runVerb } from '../run-verb.ts'
import { VERSION } from '../version.ts'

export const lintCommand = defineVerb(
  `Example: lvslab lint d1/keepalived.conf d2/keepalived.conf

PATH is a keepalived.conf, what ipvsadm-save wrote, an ldirectord.cf, a folder with topology.yaml, or a folder with a folder or a
.conf file for each director. Files and folders of one director each are compared with each other.

Exit codes: 0 nothing found, 1 findings of --fail-on or above, 2 usage, or nothing that can be read.`,
  {
    meta: {
      name: 'lint',
      description:
        'Say what is wrong with configurations of keepalived, ipvsadm and ldirectord, on paper. Needs no engine.',
    },
    args: {
      path: { type: 'positional', description: 'file or folder; any number of them', required: false },
      'fail-on': { type: 'string', description: 'error or warning: what makes the exit code 1', default: 'error' },
      'max-detection': {
        type: 'string',
        description: 'how long a silent real server may stay in the table: 10s, 1500ms',
      },
      json: { type: 'boolean', description: 'print the findings as JSON' },
      sarif: { type: 'boolean', description: 'print the findings as SARIF 2.1.0' },
      rules: { type: 'boolean', description: 'list the rules' },
      explain: { type: 'string', description: 'print the page of a rule' },
    },
    run: ({ args }) =>
      runVerb(async () => {
        if (args.rules || args.explain !== undefined) {
          process.stdout.write(args.explain === undefined ? listRules() : explain(ruleOf(args.explain)))
          return 0
        }
        const failOn = args['fail-on']
        if (failOn !== 'error' && failOn !== 'warning') throw usage(`--fail-on ${failOn}: error or warning`)
        if (args.json && args.sarif) throw usage('--json and --sarif: one of them')
        if (args._.length === 0) throw usage('lint needs a file or a folder')
        const maxDetectionMs = args['max-detection'] === undefined ? undefined : duration(args['max-detection'])
        const results = readInputs(args._).map(input =>
          lint({ ...input, ...(maxDetectionMs === undefined ? {} : { maxDetectionMs }) }),
        )
        process.stdout.write(
          args.sarif
            ? formatSarif(results, VERSION)
            : args.json
              ? formatFindingsAsJson(results)
              : formatFindings(results),
        )
        const findings = results.flatMap(result => result.findings)
        const failed = countOf(findings, 'error') + (failOn === 'warning' ? countOf(findings, 'warning') : 0)
        return failed > 0 ? 1 : 0
      }),
  },
  { anyNumber: true },
)

const usage = (message: string): LvslabError =>
  new LvslabError('USAGE', message, { remedy: 'lvslab lint --help', exitCode: 2 })

/** @returns ms */
const duration = (text: string): number => {
  const [, number, unit] = /^(\d+(?:\.\d+)?)(ms|s|m)$/.exec(text) ?? []
  if (number === undefined) throw usage(`--max-detection ${text}: a number with ms, s or m`)
  return Number(number) * { ms: 1, s: 1000, m: 60_000 }[unit as 'ms' | 's' | 'm']
}
