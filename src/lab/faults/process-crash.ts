import { z } from 'zod'
import { PROCESS_NAME, VITAL_PROCESSES } from '../../topology/processes.ts'
import { defineFault } from './fault.ts'
import { COMMAND_OF, startAgain } from './restart.ts'
import { kept, sh } from './shell.ts'

/**
 * All processes of a name are killed with no chance to tidy up: what `killall -0` or `pidof` of a tracked script looks for. The heal starts
 * the oldest of them again: a service of the node as that, any other by its own command line.
 */
export const processCrash = defineFault({
  title: 'a program on NODE crashes',
  params: z.strictObject({
    process: z
      .string()
      .regex(PROCESS_NAME, { error: 'must be the name of a process, at most 15 characters' })
      .refine(name => !VITAL_PROCESSES.includes(name), { error: 'must not be what the node itself lives by' }),
  }),
  example: { process: 'nginx' },
  inject: target => {
    const { process } = target.params
    const prepare = sh`
      pids=$(pgrep -x ${process}) || fail ${`no process ${process} is running: have etc/rc.local start it, or give the node processes: [${process}] in topology.yaml`}
      command=${kept(target, 'command')}
      if /usr/lib/lvslab/service ${process} running 2>/dev/null; then
        printf '%s\0' /usr/lib/lvslab/service ${process} start >"$command"
      else
        words=$(perl -e ${COMMAND_OF} "$(pgrep -o -x ${process})" ${process} 2>&1 >"$command") ||
          fail ${`${process} could not be started again:`} "$words"
      fi`
    return [{ node: target.node.name, prepare, script: 'kill -KILL $pids' }]
  },
  heal: target => [
    {
      node: target.node.name,
      script: startAgain(kept(target, 'command')),
    },
  ],
  healed: target => {
    const { process } = target.params
    return [
      { node: target.node.name, script: sh`pgrep -x ${process} >/dev/null || fail ${`${process} is not running`}` },
    ]
  },
})
