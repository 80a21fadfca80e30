import { LvslabError } from '../../errors.ts'
import { drawSvg } from '../../report/graph/draw.ts'
import { drawMermaid, drawText } from '../../topology/draw.ts'
import { loadTopology } from '../../topology/load.ts'
import type { Topology } from '../../topology/types.ts'
import { defineVerb } from '../define-verb.ts'
import { knownOf } from '../known-of.ts'
import { runVerb } from '../run-verb.ts'

export const graphCommand = defineVerb('Example: lvslab graph topologies/keepalived-dr', {
  meta: {
    name: 'graph',
    description: 'Draw a topology as text, Mermaid or SVG: networks, nodes, addresses, routes, rules. Needs no engine.',
  },
  args: {
    dir: { type: 'positional', description: 'folder with topology.yaml', required: true },
    svg: { type: 'boolean', description: 'print an SVG: the VIP with whoever holds it, by the configurations' },
    mermaid: { type: 'boolean', description: 'print a Mermaid flowchart, which GitHub renders' },
  },
  run: ({ args }) =>
    runVerb(async () => {
      const topology = loadTopology(args.dir)
      if (args.svg && args.mermaid) throw usage()
      const draw = args.svg ? (its: Topology) => drawSvg(its, knownOf(its)) : args.mermaid ? drawMermaid : drawText
      process.stdout.write(draw(topology))
      return 0
    }),
})

const usage = (): LvslabError =>
  new LvslabError('USAGE', '--svg and --mermaid: one of them', { remedy: 'lvslab graph --help', exitCode: 2 })
