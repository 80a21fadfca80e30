import { z } from 'zod'
import { defineFault } from './fault.ts'
import { keepNode, nodeRuns } from './node.ts'

/** The power is cut: every process is gone and every link is down at once. The heal boots the node. */
export const nodeKill = defineFault({
  title: 'NODE loses its power',
  params: z.strictObject({}),
  example: {},
  inject: target => [{ node: target.node.name, machine: 'kill', prepare: keepNode(target) }],
  heal: ({ node }) => [{ node: node.name, machine: 'start' }],
  healed: nodeRuns,
})
