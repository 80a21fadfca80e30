import { LvslabError } from '../../errors.ts'
import { drawSvg } from '../../report/graph/draw.ts'
import { drawMermaid, drawText } from '../../topology/draw.ts'
import type { Topology } from '../../topology/types.ts'
import { defineVerb } from '../define-verb.ts'
import { knownOf } from '../known-of.ts'
import { runVerb } from '../run-verb.ts'
import { printTopologyOf } from '../topology-of.ts'

export const graphCommand = defineVerb('Example: lvslab graph --svg topologies/keepalived-dr > keepalived-dr.svg', {
  meta: {
    name: 'graph',
    description:
      'Draw a topology as text, Mermaid or SVG: networks, nodes, addresses, routes, rules, VIPs, services. Needs no engine.',
  },
  args: {
    dir: {
      type: 'positional',
      description: 'folder with topology.yaml, or with configurations that one is derived from',
      required: true,
    },
    svg: { type: 'boolean', description: 'print an SVG: the VIP with whoever holds it, by the configurations' },
    mermaid: { type: 'boolean', description: 'print a Mermaid flowchart, which GitHub renders' },
  },
  run: ({ args }) =>
    runVerb(async () => {
      if (args.svg && args.mermaid) throw usage()
      await printTopologyOf(args.dir, args.svg ? withVips : args.mermaid ? drawMermaid : drawText)
      return 0
    }),
})

const withVips = (topology: Topology): string => drawSvg(topology, knownOf(topology))

const usage = (): LvslabError =>
  new LvslabError('USAGE', '--svg and --mermaid: one of them', { remedy: 'lvslab graph --help', exitCode: 2 })
