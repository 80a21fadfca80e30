import type { ExitCode } from '../../errors.ts'
import { LvslabError } from '../../errors.ts'
import { execInContainer } from '../container-exec.ts'
import { openNode } from '../kept-lab.ts'
import { defineVerb } from '../define-verb.ts'
import { runVerb } from '../run-verb.ts'

export const execCommand = defineVerb('Example: lvslab exec d1 -- ipvsadm -Ln --stats', {
  meta: {
    name: 'exec',
    description: 'Run a command in a node of a lab that is up; its exit code is the exit code.',
  },
  args: {
    node: { type: 'positional', description: 'name of the node', required: true },
    lab: { type: 'string', description: 'name of the lab; not needed where only one is up' },
  },
  run: ({ args, rawArgs }) =>
    runVerb(async () => {
      const dashes = rawArgs.indexOf('--')
      const argv = dashes < 0 ? [] : rawArgs.slice(dashes + 1)
      if (argv.length === 0) {
        throw new LvslabError('USAGE', 'exec needs a command', { remedy: 'lvslab exec d1 -- ipvsadm -Ln', exitCode: 2 })
      }
      const { engine, container } = await openNode(args.lab, args.node)
      await using _connection = engine
      return (await execInContainer(engine, container, argv, false)) as ExitCode
    }),
})
