import { endKept, keptEngines } from '../../engine/vm/kept.ts'
import { findKept } from '../kept-lab.ts'
import { defineVerb } from '../define-verb.ts'
import { runVerb } from '../run-verb.ts'

export const downCommand = defineVerb('Example: lvslab down keepalived-dr', {
  meta: { name: 'down', description: 'End a lab that `lvslab up` keeps.' },
  args: {
    lab: { type: 'positional', description: 'name of the lab; not needed where only one is up', required: false },
    all: { type: 'boolean', description: 'every lab that is up' },
  },
  run: ({ args }) =>
    runVerb(async () => {
      for (const kept of args.all ? await keptEngines() : [await findKept(args.lab)]) {
        await endKept(kept)
        process.stdout.write(`${kept.record.lab} is down\n`)
      }
      return 0
    }),
})
