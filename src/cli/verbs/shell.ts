import type { ExitCode } from '../../errors.ts'
import { execInContainer } from '../container-exec.ts'
import { openNode } from '../kept-lab.ts'
import { defineVerb } from '../define-verb.ts'
import { runVerb } from '../run-verb.ts'

export const shellCommand = defineVerb('Example: lvslab shell d1', {
  meta: { name: 'shell', description: 'A shell in a node of a lab that is up.' },
  args: {
    node: { type: 'positional', description: 'name of the node', required: true },
    lab: { type: 'string', description: 'name of the lab; not needed where only one is up' },
  },
  run: ({ args }) =>
    runVerb(async () => {
      const { engine, container } = await openNode(args.lab, args.node)
      await using _connection = engine
      return (await execInContainer(engine, container, ['bash', '-i'], process.stdin.isTTY)) as ExitCode
    }),
})
