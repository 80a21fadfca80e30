import { formatIpv6 } from '../topology/ipv6.ts'
import type { DraftNode } from './draft.ts'

const endOf = (address: string): string => address.replace(/.*[.:]/, '')

/**
 * A host that speaks both families has a real server in the pools of each, and no configuration says that it is one host: only
 * people do, who like to have its addresses end alike.
 *
 * @param given the IPv6 address for which an IPv4 address stands
 * @returns a question where real servers of one network may be one
 */
export const perhapsOneHost = (nodes: DraftNode[], given: Map<string, bigint>): string[] => {
  const servers = nodes
    .filter(({ role, farm }) => role === 'realserver' && !farm)
    .flatMap(({ name, interfaces }) =>
      interfaces.map(({ network, address }) => ({ name, network, address, value: given.get(address) })),
    )
  const pairs = servers.flatMap(four => {
    if (four.value !== undefined) return []
    return servers.flatMap(({ name, network, value }) => {
      if (value === undefined || network !== four.network) return []
      const six = formatIpv6(value)
      return endOf(six) === endOf(four.address) ? [`${four.name} (${four.address}) and ${name} (${six})`] : []
    })
  })
  if (pairs.length === 0) return []
  return [
    `${pairs.join(', ')} may be one host, as the addresses end alike: two nodes are taken. For one, give the first what the second has besides its name and its page, and remove that`,
  ]
}
