import { drawMermaid, drawText } from '../../topology/draw.ts'
import { loadTopology } from '../../topology/load.ts'
import { defineVerb } from '../define-verb.ts'
import { runVerb } from '../run-verb.ts'

export const graphCommand = defineVerb('Example: lvslab graph topologies/keepalived-dr', {
  meta: {
    name: 'graph',
    description: 'Draw a topology as text: networks, nodes, addresses, routes, rules. Needs no engine.',
  },
  args: {
    dir: { type: 'positional', description: 'folder with topology.yaml', required: true },
    mermaid: { type: 'boolean', description: 'print a Mermaid flowchart, which GitHub renders' },
  },
  run: ({ args }) =>
    runVerb(async () => {
      const topology = loadTopology(args.dir)
      process.stdout.write(args.mermaid ? drawMermaid(topology) : drawText(topology))
      return 0
    }),
})
