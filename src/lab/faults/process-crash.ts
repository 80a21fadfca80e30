import { z } from 'zod'
import { PROCESS_NAME } from '../../model/looks-for.ts'
import { defineFault } from './fault.ts'
import { kept, sh } from './shell.ts'

/**
 * All processes of a name are killed with no chance to tidy up: what `killall -0` or `pidof` of a tracked script looks for. The heal starts
 * the oldest of them again: a service of the node as that, any other by its own command line.
 */
export const processCrash = defineFault({
  title: 'a program on NODE crashes',
  params: z.strictObject({
    process: z.string().regex(PROCESS_NAME, { error: 'must be the name of a process, at most 15 characters' }),
  }),
  example: { process: 'nginx' },
  inject: target => {
    const { process } = target.params
    const again = `${process} could not be started again: its command line does not begin with a program`
    const prepare = sh`
      pids=$(pgrep -x ${process}) || fail ${`no process ${process} is running`}
      command=${kept(target, 'command')}
      if /usr/lib/lvslab/service ${process} running 2>/dev/null; then
        printf '%s\0' /usr/lib/lvslab/service ${process} start >"$command"
      else
        line=/proc/$(pgrep -o -x ${process})/cmdline
        program=$(tr '\0' '\n' <"$line" | head -n 1)
        command -v "$program" >/dev/null || fail ${again}
        { printf 'setsid\0-f\0'; cat "$line"; } >"$command"
      fi`
    return [{ node: target.node.name, prepare, script: 'kill -KILL $pids' }]
  },
  heal: target => [
    {
      node: target.node.name,
      script: sh`xargs -0 -a ${kept(target, 'command')} env </dev/null >/dev/null 2>&1`,
    },
  ],
  healed: target => {
    const { process } = target.params
    return [
      { node: target.node.name, script: sh`pgrep -x ${process} >/dev/null || fail ${`${process} is not running`}` },
    ]
  },
})
