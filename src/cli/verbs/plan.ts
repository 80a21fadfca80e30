import { formatPromises } from '../../report/promises.ts'
import { drawText } from '../../topology/draw.ts'
import { withKeepalived } from '../../topology/keepalived.ts'
import type { Topology } from '../../topology/types.ts'
import { planTopology, requirePredictions } from '../../verify/plan.ts'
import { promisesOf } from '../../verify/promises.ts'
import type { Choice } from '../../verify/agenda.ts'
import { CHECK_NOTES, checkArguments, choiceOf, topologyArgument } from '../check-arguments.ts'
import { defineVerb } from '../define-verb.ts'
import { releaseOf } from '../keepalived-argument.ts'
import { runVerb } from '../run-verb.ts'
import { printTopologyOf } from '../topology-of.ts'

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
      dir: topologyArgument,
      ...checkArguments,
      json: { type: 'boolean', description: 'print JSON; times in ms' },
    },
    run: ({ args }) =>
      runVerb(async () => {
        const choice = choiceOf('plan', args)
        const keepalived = releaseOf('plan', args.keepalived)
        await printTopologyOf(args.dir, topology =>
          planned(withKeepalived(topology, keepalived), choice, args.json ?? false),
        )
        return 0
      }),
  },
)

const planned = (topology: Topology, choice: Choice, json: boolean): string => {
  const plan = planTopology(topology)
  requirePredictions(plan)
  const promises = promisesOf(plan, choice)
  const colour = process.stdout.isTTY && process.env['NO_COLOR'] === undefined
  return json
    ? `${JSON.stringify({ topology: topology.name, ...promises }, null, 1)}\n`
    : `${drawText(topology)}\n${formatPromises(promises, { colour })}`
}
