import { z } from 'zod'
import type { Condition, FaultStep, Proof } from '../../agent/protocol.ts'
import { defineFault, type Fault, type Target } from './fault.ts'
import { kept, sh } from './shell.ts'

const NO_PARAMS = z.strictObject({})
type Self = Target<object>

/** keepalived's log in every director. */
const KEEPALIVED_LOG = '/var/log/keepalived.log'

/**
 * Finds keepalived's processes and keeps how many there are: `$parent`, `$children` (all of them), `$vrrp`, `$checkers`.
 */
export const findKeepalived = (target: Self): string => sh`
  child() { cat /run/keepalived/$1.pid /run/$1.pid 2>/dev/null || :; }
  parent=$(cat /run/keepalived.pid 2>/dev/null) && kill -0 "$parent" || fail 'keepalived is not running'
  children=$(pgrep -P "$parent") || fail 'keepalived has no children'
  vrrp=$(child vrrp) checkers=$(child checkers)
  echo "$children" | wc -l >${kept(target, 'children')}`

/** With what {@link findKeepalived} found. */
export const NOT_FROZEN =
  '! ps -o stat= -p "$parent" --ppid "$parent" | grep -q ^T || fail \'a process of keepalived is frozen\''

/** All of keepalived runs again, as many processes as before, and none is frozen. */
export const keepalivedRuns = (target: Self): Proof[] => [
  {
    node: target.node.name,
    script: `${sh`
      parent=$(cat /run/keepalived.pid 2>/dev/null) && kill -0 "$parent" || fail 'keepalived is not running'
      read -r had <${kept(target, 'children')}
      has=$(pgrep -c -P "$parent") || :
      [ "$has" -eq "$had" ] || fail "keepalived has $has children, it had $had"`}
${NOT_FROZEN}`,
  },
]

/**
 * A fault that is done to keepalived's processes; `script` is sh, and kill is the shell's own: no process is started.
 *
 * @param check further preparation: what does not succeed there refuses the fault
 */
export const keepalivedFault = (
  title: string,
  script: string,
  heal: (target: Self) => FaultStep[],
  { until, check = '' }: { until?: (node: string) => Condition; check?: string } = {},
): Fault<typeof NO_PARAMS> =>
  defineFault({
    title,
    roles: ['director'],
    params: NO_PARAMS,
    example: {},
    inject: target => {
      const { name: node } = target.node
      return [{ node, prepare: `${findKeepalived(target)}\n${check}`, script, ...(until && { until: until(node) }) }]
    },
    heal,
    healed: keepalivedRuns,
  })

/** keepalived is started again, when what is left of it has ended. */
export const startKeepalived = ({ node }: Self): FaultStep[] => [
  { node: node.name, script: '/usr/lib/lvslab/service keepalived start' },
]

/** keepalived's parent has read its configuration again, and so have its children. */
export const reloaded = (node: string): Condition => ({
  kind: 'line',
  node,
  file: KEEPALIVED_LOG,
  match: 'Reload complete',
})

/** It comes back by itself: the heal has nothing to do but to prove that. */
export const byItself = ({ node }: Self): FaultStep[] => [{ node: node.name, script: ':' }]
