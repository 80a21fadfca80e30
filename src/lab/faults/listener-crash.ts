import { z } from 'zod'
import { VITAL_PROCESSES } from '../../topology/processes.ts'
import { defineFault, type Target } from './fault.ts'
import { COMMAND_OF, startAgain } from './restart.ts'
import { kept, sh } from './shell.ts'

const params = z.strictObject({
  protocol: z.enum(['tcp', 'udp']),
  ports: z.array(z.int().min(1).max(65_535)).min(1).max(100),
})

type Self = Target<z.output<typeof params>>

/** Whoever listens on a port now, the oldest process first, one a line. */
const PIDS_OF = sh`pids_of() { ss -Hlnp "--$1" "sport = :$2" | grep -o 'pid=[0-9]*' | cut -d= -f2 | sort -nu; }`

const commandOf = (target: Self, port: number): string => kept(target, `${port}`)

/** What starts again whoever listens on a port goes to a file; a program that has more ports is started for the first of them. */
const keep = (target: Self, port: number): string => {
  const { protocol } = target.params
  return sh`
    found=$(pids_of ${protocol} ${port})
    [ -n "$found" ] || fail ${`no process listens on ${protocol} port ${port}: have etc/rc.local start it`}
    first=$(echo "$found" | head -n 1)
    read -r name </proc/$first/comm
    for vital in ${VITAL_PROCESSES}; do [ "$name" != "$vital" ] || fail "the node itself lives by $name"; done
    case "$pids " in
    *" $first "*) : >${commandOf(target, port)} ;;
    *)
      words=$(perl -e ${COMMAND_OF} "$first" "$name" 2>&1 >${commandOf(target, port)}) ||
        fail ${`what listens on ${protocol} port ${port} could not be started again:`} "$name: $words"
      ;;
    esac
    pids="$pids $(echo $found)"`
}

const start = (target: Self, port: number): string =>
  `[ ! -s ${commandOf(target, port)} ] || ${startAgain(commandOf(target, port))}`

const wait = ({ params: { protocol } }: Self, port: number): string =>
  sh`until [ -n "$(pids_of ${protocol} ${port})" ]; do sleep 0.02; done`

const prove = ({ params: { protocol } }: Self, port: number): string =>
  sh`[ -n "$(pids_of ${protocol} ${port})" ] || fail ${`no process listens on ${protocol} port ${port}`}`

/** A script for each of the ports, one after the other. */
const forEach = (target: Self, ...scripts: ((target: Self, port: number) => string)[]): string =>
  scripts.flatMap(script => target.params.ports.map(port => script(target, port))).join('\n')

/**
 * Every process that listens on some ports is killed with no chance to tidy up, whatever program it is: the ports then refuse. The heal starts
 * the oldest of each again by its own command line, and waits until it listens.
 */
export const listenerCrash = defineFault({
  title: 'what listens on ports of NODE crashes',
  params,
  example: { protocol: 'udp', ports: [53] },
  inject: target => [
    {
      node: target.node.name,
      prepare: [PIDS_OF, 'pids=', forEach(target, keep)].join('\n'),
      script: 'kill -KILL $pids',
    },
  ],
  heal: target => [{ node: target.node.name, prepare: PIDS_OF, script: forEach(target, start, wait) }],
  healed: target => [{ node: target.node.name, script: [PIDS_OF, forEach(target, prove)].join('\n') }],
})
