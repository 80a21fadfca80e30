import { z } from 'zod'
import { PROCESS_NAME, VITAL_PROCESSES } from '../../topology/processes.ts'
import { defineFault } from './fault.ts'
import { kept, sh } from './shell.ts'

/**
 * Prints what starts a process again, as `xargs -0 env` takes it: its own words from its program on (an interpreter before a script is the
 * kernel's), environment, folder, user and group.
 */
const COMMAND_OF = String.raw`
  my ($pid, $name) = @ARGV;
  my $read = sub { local $/; open my $file, "<", "/proc/$pid/$_[0]" or die "$!\n"; split /\0/, <$file> };
  my @words = $read->("cmdline");
  shift @words while @words && $words[0] !~ m{(?:^|/)\Q$name\E$};
  die "its command line has no program of that name\n" unless @words;
  my ($user, $group) = (stat "/proc/$pid")[4, 5];
  my @as = $user ? ("setpriv", "--reuid=$user", "--regid=$group", "--clear-groups") : ();
  print join "\0", "-i", "-C", readlink("/proc/$pid/cwd"), $read->("environ"), @as, "setsid", "-f", @words`

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
