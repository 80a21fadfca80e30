import type { Proof } from '../../agent/protocol.ts'
import type { Target } from './fault.ts'
import { kept, sh } from './shell.ts'

type Self = Target<object>

/** Keeps the node's interfaces, addresses and routes; then it is no longer ready. */
export const keepNode = (target: Self): string => sh`
  /usr/lib/lvslab/network >${kept(target, 'network')}
  rm -f /run/lvslab/ready`

/** The node has booted: its network is what {@link keepNode} kept, and every service of its role runs. */
export const nodeRuns = (target: Self): Proof[] => [
  { node: target.node.name, script: "[ -e /run/lvslab/ready ] || fail 'its main program did not come to its end'" },
  { node: target.node.name, script: sh`/usr/lib/lvslab/network | diff ${kept(target, 'network')} - >&2` },
  { node: target.node.name, script: '/usr/lib/lvslab/service all running' },
]
