import { z } from 'zod'
import { defineFault } from './fault.ts'

const RUNS = 'grep -q "^frozen 0" /sys/fs/cgroup/cgroup.events || fail "its processes are held"'

/**
 * Every process of the node is held (the cgroup freezer), and its kernel goes on: it answers ARP, forwards through IPVS and
 * accepts connections. A probe runs on, as it is no process of its client's.
 */
export const nodePause = defineFault({
  title: 'NODE is paused',
  params: z.strictObject({}),
  example: {},
  inject: ({ node }) => [{ node: node.name, machine: 'pause', prepare: RUNS }],
  heal: ({ node }) => [{ node: node.name, machine: 'unpause' }],
  // a command that is run in it would be no process of its cgroup's: what was held must go on by itself
  healed: ({ node }) => [{ node: node.name, script: RUNS }],
})
