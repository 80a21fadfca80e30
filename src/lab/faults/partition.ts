import { z } from 'zod'
import type { FaultStep } from '../../agent/protocol.ts'
import { LvslabError } from '../../errors.ts'
import { hint } from '../../topology/did-you-mean.ts'
import type { Node } from '../../topology/types.ts'
import { defineFault, type Target } from './fault.ts'
import { sh } from './shell.ts'

const params = z.strictObject({
  /** Nodes on the side of the fault's node. */
  with: z.array(z.string()).default([]),
  /** Nodes of the other side; every other node where it is left out. What is on no side still reaches both. */
  from: z.array(z.string()).min(1).optional(),
})

type Self = Target<z.output<typeof params>>

const refuse = (message: string, remedy: string): never => {
  throw new LvslabError('FAULT_PARTITION', `partition: ${message}`, { remedy, exitCode: 2 })
}

const sidesOf = ({ node, params, topology: { nodes } }: Self): [Node[], Node[]] => {
  const names = nodes.map(one => one.name)
  const find = (name: string): Node =>
    nodes.find(one => one.name === name) ??
    refuse(`no node "${name}"${hint(name, names, 'the nodes are')}`, `name nodes of ${names.join(', ')}`)
  const near = [...new Set([node, ...params.with.map(find)])]
  const far = params.from ? [...new Set(params.from.map(find))] : nodes.filter(one => !near.includes(one))
  return [near, far]
}

const networksOf = (node: Node): string[] => node.interfaces.map(i => i.network)

/**
 * Each side drops what comes from the other as it arrives, by its sender's MAC address, whatever it is: ARP, multicast, what a
 * real server sends in the VIP's name. By its IP address too, as keepalived's virtual MAC addresses are nobody's own.
 */
const drop = (node: Node, senders: Node[]): FaultStep => {
  const devices = node.interfaces.map(i => i.name)
  const addresses = senders.flatMap(sender => sender.interfaces.map(i => i.address))
  const prepare = sh`
    batch=
    add() { batch="$batch$*
    "; }
    for device in ${devices}; do
      ! tc qdisc show dev "$device" | grep -q '^qdisc \(clsact\|ingress\)' || fail "$device filters what arrives already"
      add qdisc add dev "$device" clsact
      for mac; do add filter add dev "$device" ingress protocol all flower src_mac "$mac" action drop; done
      for address in ${addresses}; do
        add filter add dev "$device" ingress protocol ip flower src_ip "$address" action drop
      done
    done`
  return { node: node.name, prepare, script: 'printf %s "$batch" | tc -batch -', macsOf: senders.map(one => one.name) }
}

/** Two sets of nodes lose each other, in both directions; within a set all is as before. */
export const partition = defineFault({
  title: 'NODE and those with it are cut off from others',
  params,
  example: { with: ['rs1'] },
  check: target => {
    const [near, far] = sidesOf(target)
    const both = near.find(node => far.includes(node))
    if (both) refuse(`${both.name} is on both sides`, 'name a node in `with` or in `from`')
    if (far.length === 0) refuse('no node is on the other side', 'leave a node out of `with`')
    const reached = new Set(near.flatMap(networksOf))
    const apart = far.filter(node => !networksOf(node).some(network => reached.has(network)))
    // frames end at a router, and what it sends on has its own sender
    if (target.params.from && apart.length > 0) {
      const names = apart.map(node => node.name).join(', ')
      refuse(`${names} shares no network with ${target.node.name}`, 'name the router between them in `from`')
    }
  },
  inject: target => {
    const [near, far] = sidesOf(target)
    return [...near.map(node => drop(node, far)), ...far.map(node => drop(node, near))]
  },
  heal: target =>
    sidesOf(target)
      .flat()
      .map(({ name, interfaces }) => ({
        node: name,
        script: sh`for device in ${interfaces.map(i => i.name)}; do echo qdisc del dev "$device" clsact; done | tc -batch -`,
      })),
  healed: target =>
    sidesOf(target)
      .flat()
      .map(({ name }) => ({
        node: name,
        script: `! tc qdisc show | grep '^qdisc clsact' >&2 || fail 'a filter of the fault is left'`,
      })),
})
