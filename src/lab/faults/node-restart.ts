import { z } from 'zod'
import { defineFault } from './fault.ts'
import { keepNode, nodeRuns } from './node.ts'

/** The node goes down in order, its services first, each asked to end and waited for. The heal boots it. */
export const nodeRestart = defineFault({
  title: 'NODE goes down for a restart',
  params: z.strictObject({}),
  example: {},
  inject: target => [{ node: target.node.name, machine: 'shutdown', prepare: keepNode(target) }],
  heal: ({ node }) => [{ node: node.name, machine: 'start' }],
  healed: nodeRuns,
})
