import type { Node } from './types.ts'

const withoutPrefix = (text: string): string => text.replace(/\/.*/, '')

/** Those of lo and of tunnels, which no network of the topology leads to: VIPs of a real server. */
export const innerAddressesOf = ({ loopback, tunnels }: Pick<Node, 'loopback' | 'tunnels'>): string[] =>
  [...loopback, ...tunnels.flatMap(its => its.addresses)].map(withoutPrefix)

/** Every address that the topology gives to a node, without prefix: of its interfaces, its tunnels and lo. */
export const addressesOf = (node: Node): string[] => [
  ...node.interfaces.map(({ address }) => address),
  ...node.interfaces.flatMap(({ addresses }) => addresses.map(withoutPrefix)),
  ...innerAddressesOf(node),
]
