import { z } from 'zod'
import { LvslabError } from '../../errors.ts'
import { hint } from '../../topology/did-you-mean.ts'
import { defineFault, type Target } from './fault.ts'
import { sh } from './shell.ts'

const params = z.strictObject({
  /** `in`: the node hears nobody; `out`: nobody hears it. */
  direction: z.enum(['in', 'out', 'both']).default('both'),
  /** A node: what comes from it, or (unicast) goes to it, alone. */
  peer: z.string().optional(),
})

const addressesOf = ({ topology, params: { peer } }: Target<z.output<typeof params>>): string[] => {
  if (peer === undefined) return []
  const found = topology.nodes.find(node => node.name === peer)
  if (found) return found.interfaces.map(i => i.address)
  const names = topology.nodes.map(node => node.name)
  throw new LvslabError('FAULT_NODE', `peer: no node "${peer}"${hint(peer, names, 'the nodes are')}`, {
    remedy: `peer: one of ${names.join(', ')}`,
    exitCode: 2,
  })
}

/** The rules as iptables-restore takes them, each with the injection's own mark. */
const rules = (target: Target<z.output<typeof params>>, action: '-I' | '-D'): string => {
  const { direction } = target.params
  const peers = addressesOf(target)
  const rule = (chain: string, side: string): string[] =>
    (peers.length > 0 ? peers.map(peer => ` ${side} ${peer}`) : ['']).map(
      match => `${action} ${chain} -p 112${match} -m comment --comment ${target.id} -j DROP`,
    )
  return [
    '*filter',
    ...(direction === 'out' ? [] : rule('INPUT', '-s')),
    ...(direction === 'in' ? [] : rule('OUTPUT', '-d')),
    'COMMIT',
  ].join('\n')
}

/** A firewall that forgot IP protocol 112. One rule at the head of INPUT, of OUTPUT, or of both. */
export const vrrpBlock = defineFault({
  title: 'VRRP is blocked on NODE',
  params,
  example: { direction: 'out' },
  check: target => void addressesOf(target),
  inject: target => [
    { node: target.node.name, script: sh`printf '%s\n' ${rules(target, '-I')} | iptables-restore --noflush` },
  ],
  heal: target => [
    { node: target.node.name, script: sh`printf '%s\n' ${rules(target, '-D')} | iptables-restore --noflush` },
  ],
  healed: target => [
    {
      node: target.node.name,
      script: sh`! iptables-save | grep -e ${`--comment ${target.id} `} >&2 || fail 'a rule of the fault is left'`,
    },
  ],
})
