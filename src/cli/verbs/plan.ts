import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { createMasker } from '../../history/mask.ts'
import { formatPromises } from '../../report/promises.ts'
import { drawText } from '../../topology/draw.ts'
import { planTopology, requirePredictions } from '../../verify/plan.ts'
import { promisesOf } from '../../verify/promises.ts'
import type { Choice } from '../../verify/agenda.ts'
import { CHECK_NOTES, checkArguments, choiceOf } from '../check-arguments.ts'
import { defineVerb } from '../define-verb.ts'
import { runVerb } from '../run-verb.ts'
import { topologyOf } from '../topology-of.ts'

export const planCommand = defineVerb(
  `Example: lvslab plan topologies/keepalived-dr --only failover

${CHECK_NOTES}`,
  {
    meta: {
      name: 'plan',
      description:
        'Say what would be built, and what is predicted of it: each promise with its bound and formula. Needs no engine.',
    },
    args: {
      dir: {
        type: 'positional',
        description: 'folder with topology.yaml, or with the plain configurations of directors',
        required: true,
      },
      ...checkArguments,
      json: { type: 'boolean', description: 'print JSON; times in ms' },
    },
    run: ({ args }) =>
      runVerb(async () => {
        // nothing is written before the derived topology is gone: whoever reads may go away at the first line
        const { text, told } = await planned(args.dir, choiceOf('plan', args), args.json ?? false)
        for (const line of told) process.stderr.write(`${line}\n`)
        process.stdout.write(text)
        return 0
      }),
  },
)

const planned = async (dir: string, choice: Choice, json: boolean): Promise<{ text: string; told: string[] }> => {
  const scratch = await mkdtemp(path.join(os.tmpdir(), 'lvslab-plan-'))
  await using _scratch = { [Symbol.asyncDispose]: () => rm(scratch, { recursive: true, force: true }) }
  const told: string[] = []
  const topology = await topologyOf(
    dir,
    name => path.join(scratch, name),
    line => told.push(line),
  )
  const plan = planTopology(topology)
  requirePredictions(plan)
  const promises = promisesOf(plan, choice)
  const colour = process.stdout.isTTY && process.env['NO_COLOR'] === undefined
  const text = json
    ? `${JSON.stringify({ topology: topology.name, ...promises }, null, 1)}\n`
    : `${drawText(topology)}\n${formatPromises(promises, { colour })}`
  // of a derived topology that is gone, what stands in it is left
  return { text: createMasker(plan.secrets)(text).replaceAll(`${scratch}/`, ''), told }
}
