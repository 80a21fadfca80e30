import { styleText } from 'node:util'
import { type Finding, runDoctor } from '../../engine/doctor.ts'
import { defineVerb } from '../define-verb.ts'
import { runVerb } from '../run-verb.ts'

const MARKS: Record<Finding['state'], string> = {
  found: styleText('green', '✓'),
  warning: styleText('yellow', '!'),
  missing: styleText('red', '✗'),
}

export const doctorCommand = defineVerb('Example: lvslab doctor', {
  meta: {
    name: 'doctor',
    description: 'Try everything that the engine needs on this machine, and say what to do about what is missing.',
  },
  args: { json: { type: 'boolean', description: 'print JSON' } },
  run: ({ args }) =>
    runVerb(async ({ signal }) => {
      const findings = await runDoctor(signal)
      if (args.json) process.stdout.write(`${JSON.stringify(findings, null, 1)}\n`)
      for (const { what, state, detail, remedy } of args.json ? [] : findings) {
        process.stdout.write(`${MARKS[state]} ${what}: ${detail}\n`)
        if (remedy) process.stdout.write(`${remedy.replace(/^/gm, '    ')}\n`)
      }
      return findings.some(finding => finding.state === 'missing') ? 3 : 0
    }),
})
