import { z } from 'zod'
import { LvslabError } from '../../errors.ts'
import { hint } from '../../topology/did-you-mean.ts'
import { speaksIpv6 } from '../../topology/ipv6.ts'
import { defineFault, type Target } from './fault.ts'
import { sh } from './shell.ts'

const params = z.strictObject({
  /** `in`: the node hears nobody; `out`: nobody hears it. */
  direction: z.enum(['in', 'out', 'both']).default('both'),
  /** A node: what comes from it, or (unicast) goes to it, alone. */
  peer: z.string().optional(),
})

type Self = Target<z.output<typeof params>>

const hasIpv6 = ({ topology: { nodes } }: Self): boolean => nodes.some(speaksIpv6)

/** @throws LvslabError where a peer is named in a lab with IPv6: adverts of that come from link-local addresses */
const checkPeer = (target: Self): void => {
  addressesOf(target)
  if (target.params.peer === undefined || !hasIpv6(target)) return
  throw new LvslabError('FAULT_PEER', 'vrrp-block: no rule tells the adverts of one peer from others over IPv6', {
    remedy: 'leave peer out, or inject `partition`',
    exitCode: 2,
  })
}

const addressesOf = ({ topology, params: { peer } }: Self): string[] => {
  if (peer === undefined) return []
  const found = topology.nodes.find(node => node.name === peer)
  if (found) return found.interfaces.map(i => i.address)
  const names = topology.nodes.map(node => node.name)
  throw new LvslabError('FAULT_NODE', `peer: no node "${peer}"${hint(peer, names, 'the nodes are')}`, {
    remedy: `peer: one of ${names.join(', ')}`,
    exitCode: 2,
  })
}

/** VRRP, and the authentication header behind which adverts of `auth_type AH` are. */
const PROTOCOLS = [112, 51]

/** The rules as iptables-restore takes them, each with the injection's own mark. */
const rules = (target: Self, action: '-I' | '-D'): string => {
  const { direction } = target.params
  const peers = addressesOf(target)
  const rule = (chain: string, side: string): string[] =>
    (peers.length > 0 ? peers.map(peer => ` ${side} ${peer}`) : ['']).flatMap(match =>
      PROTOCOLS.map(protocol => `${action} ${chain} -p ${protocol}${match} -m comment --comment ${target.id} -j DROP`),
    )
  return [
    '*filter',
    ...(direction === 'out' ? [] : rule('INPUT', '-s')),
    ...(direction === 'in' ? [] : rule('OUTPUT', '-d')),
    'COMMIT',
  ].join('\n')
}

const tools = (target: Self): string[] => (hasIpv6(target) ? ['iptables', 'ip6tables'] : ['iptables'])

const load = (target: Self, action: '-I' | '-D'): string =>
  tools(target)
    .map(tool => sh`printf '%s\n' ${rules(target, action)} | ${`${tool}-restore`} --noflush`)
    .join('\n')

/** A firewall that forgot IP protocol 112, and 51. Rules at the head of INPUT, of OUTPUT, or of both. */
export const vrrpBlock = defineFault({
  title: 'VRRP is blocked on NODE',
  params,
  example: { direction: 'out' },
  check: checkPeer,
  inject: target => [{ node: target.node.name, script: load(target, '-I') }],
  heal: target => [{ node: target.node.name, script: load(target, '-D') }],
  healed: target =>
    tools(target).map(tool => ({
      node: target.node.name,
      script: sh`! ${`${tool}-save`} | grep -e ${`--comment ${target.id} `} >&2 || fail 'a rule of the fault is left'`,
    })),
})
