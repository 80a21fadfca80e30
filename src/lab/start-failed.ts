import { LvslabError, messageOf } from '../errors.ts'
import type { NodeFile } from '../topology/node-files.ts'

/** How a file of rules is refused (iptables-restore, then images/base/root/usr/lib/lvslab/service). */
const REFUSED_RULE = /line: (\d+)\n[^]* did not take (\S+)/

/**
 * Why a node did not come up.
 *
 * @param said what it has put out
 * @param files its own, of which what it said may name a line: rules of topology.yaml are a file that nobody has seen
 * @param cause what testcontainers says, which waits for a word in what the node puts out
 */
export const startFailed = (node: string, said: string, files: NodeFile[], cause: unknown): LvslabError => {
  const words = said.trim().split('\n').slice(-20).join('\n')
  const how = messageOf(cause).startsWith('Log stream ended')
    ? 'ended while it was set up'
    : `did not start: ${messageOf(cause)}`
  const [, line, path] = REFUSED_RULE.exec(words) ?? []
  const rule = files
    .find(file => file.path === path)
    ?.content.toString()
    .split('\n')[Number(line) - 1]
  const last = words ? `; its last words: ${words}` : ''
  return new LvslabError('LAB_NODE_START', `${node} ${how}${last}${rule ? `\nline ${line} of it: ${rule}` : ''}`, {
    cause,
    remedy: rule
      ? `correct it, below iptables of ${node} in topology.yaml or in ${node}${path}`
      : `look at what ${node} runs when it starts: its routes and sysctls in topology.yaml, and ${node}/etc/rc.local`,
  })
}
