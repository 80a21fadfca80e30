import type { Node } from './types.ts'

/** Every address that the topology gives to a node, without prefix: of its interfaces, its tunnels and lo. */
export const addressesOf = ({ interfaces, loopback, tunnels }: Node): string[] => [
  ...interfaces.map(({ address }) => address),
  ...[...interfaces.flatMap(({ addresses }) => addresses), ...loopback, ...tunnels.flatMap(its => its.addresses)].map(
    text => text.replace(/\/.*/, ''),
  ),
]
