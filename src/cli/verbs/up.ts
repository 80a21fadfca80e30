import path from 'node:path'
import { keepEngine, keptEngines } from '../../engine/vm/kept.ts'
import { stopKept } from '../../engine/vm/instance.ts'
import { forkEngine } from '../../engine/vm/vm-engine.ts'
import { LvslabError } from '../../errors.ts'
import { ensureTemplate, prepareEngine } from '../../lab/vm-labs.ts'
import { withKeepalived } from '../../topology/keepalived.ts'
import { loadTopology } from '../../topology/load.ts'
import { planTopology } from '../../verify/plan.ts'
import { defineVerb } from '../define-verb.ts'
import { keepalivedArgument, releaseOf } from '../keepalived-argument.ts'
import { runVerb } from '../run-verb.ts'

export const upCommand = defineVerb('Example: lvslab up topologies/keepalived-dr && lvslab exec d1 -- ipvsadm -Ln', {
  meta: {
    name: 'up',
    description: 'Build a lab and keep it, on the real clock, to look at by hand. It runs until `lvslab down`.',
  },
  args: {
    dir: { type: 'positional', description: 'folder with topology.yaml', required: true },
    keepalived: keepalivedArgument,
  },
  run: ({ args }) =>
    runVerb(async ({ steps, signal }) => {
      const topology = withKeepalived(loadTopology(args.dir), releaseOf('up', args.keepalived))
      if ((await keptEngines()).some(kept => kept.record.lab === topology.name)) {
        throw new LvslabError('LAB_EXISTS', `the lab ${topology.name} is up already`, {
          remedy: `lvslab down ${topology.name}`,
          exitCode: 2,
        })
      }
      const { readiness } = planTopology(topology)
      const prepared = await prepareEngine({ clock: 'real', steps, signal }, topology)
      const template = await ensureTemplate(prepared, topology, readiness, { steps, signal })
      const engine = await forkEngine(prepared.build, prepared.spec, template, 'private', { signal, keep: true })
      const dir = await keepEngine(engine, topology.name, path.resolve(topology.dir))
      if (signal.aborted) await stopKept(dir)
      signal.throwIfAborted()
      process.stdout.write(
        `${topology.name} is up: ${topology.nodes.map(n => n.name).join(', ')}\n` +
          `  lvslab exec ${topology.nodes[0]?.name} -- ip address\n` +
          `  lvslab shell ${topology.nodes[0]?.name}\n` +
          `  . ${path.join(dir, 'docker.env')} && docker ps\n` +
          `  lvslab down ${topology.name}\n`,
      )
      return 0
    }),
})
