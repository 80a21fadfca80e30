import { LvslabError } from '../errors.ts'
import { namedDevices } from '../model/devices.ts'
import { familyOf } from '../model/pair.ts'
import type { DirectorConfig } from '../model/types.ts'
import { contains, formatIpv4, formatSubnet, parseIpv4, parseSubnet, type Subnet } from '../topology/ipv4.ts'
import type { DraftNetwork, DraftNode } from './draft.ts'
import { boundOf, type Link, linkOf, servers, staticsOf, unusedSubnet, vipsOf } from './links.ts'

/** The networks of a draft, and who has which address there. */

/** Where the clients are when they must not be beside the real servers: documentation addresses, RFC 5737. */
const CLIENTS: Subnet = parseSubnet('198.51.100.0/24') as Subnet

/** A network in the making: who has which address. */
export interface Wire extends Link {
  name: string
  taken: Set<number>
  /** The address that each director has there. */
  directors: Map<string, string>
}

/** The network that an address is in. */
export const wireOf = (wires: Wire[], address: string): Wire | undefined => linkOf(wires, address) as Wire | undefined

/** Addresses that the configurations give to somebody. */
export const takenIn = ({ subnet }: Link, configs: DirectorConfig[]): Set<number> => {
  const said = configs.flatMap(config => [
    ...config.instances.flatMap(one => [
      ...vipsOf(one).map(vip => vip.address),
      one.sourceAddress ?? '',
      ...one.unicastPeers,
    ]),
    ...config.services.flatMap(({ address }) => address ?? []),
    ...staticsOf(config).map(one => one.address),
    ...boundOf(config, configs),
    ...namedDevices(config).flatMap(({ gateway }) => gateway ?? []),
  ])
  const values = [...said, ...servers(configs)].flatMap(text => parseIpv4(text) ?? [])
  return new Set(values.filter(value => contains(subnet, value)))
}

/** An address as an interface of that network has it: `10.0.0.10/24`. */
export const withPrefix = (address: string, { subnet }: Wire): string =>
  `${address}/${formatSubnet(subnet).replace(/.*\//, '')}`

/** The first free address from a place in the network on; from its end back where it is too small. */
export const free = ({ subnet, taken, name }: Wire, from: number): string => {
  const [low, high] = [subnet.first + 1, subnet.last - 1]
  const size = Math.min(high - low + 1, 65_536)
  let found: number | undefined
  for (let n = 0; n < size && found === undefined; n++) {
    const value = low + ((from - 1 + n) % (high - low + 1))
    if (!taken.has(value)) found = value
  }
  if (found === undefined)
    throw new LvslabError('DERIVE_FULL', `no address of ${formatSubnet(subnet)} (${name}) is free for another node`, {
      remedy: 'write topology.yaml yourself, see "A scenario" in CONTRIBUTING.md',
      exitCode: 2,
    })
  taken.add(found)
  return formatIpv4(found)
}

/** Gives a node an interface, and the next free address from a place in the network on. */
export const onWire = (node: DraftNode, device: string, wire: Wire, from: number): DraftNode => {
  node.interfaces.push({ name: device, network: wire.name, address: free(wire, from) })
  return node
}

/** A network for clients alone. */
export const clientsWire = (wires: Wire[]): Wire => {
  const subnets = wires.map(wire => wire.subnet)
  const subnet = subnets.some(other => other.first <= CLIENTS.last && CLIENTS.first <= other.last)
    ? unusedSubnet(subnets)
    : CLIENTS
  return {
    name: 'clients',
    subnet,
    because: 'where the clients are',
    devices: [],
    taken: new Set(),
    directors: new Map(),
  }
}

/** Directors that have VMACs of one hardware address on a network, which those of one virtual router have. */
const sharingVmac = ({ devices }: Wire, configs: DirectorConfig[]): string[] => {
  const having = configs.flatMap(({ node, instances }) =>
    instances
      .filter(one => one.vmac !== undefined)
      .filter(one => devices.some(({ director, name }) => director === node && name === one.interface))
      .map(one => ({ node, router: `${one.virtualRouterId} ${familyOf(one)}` })),
  )
  const shared = having.filter(({ node, router }) =>
    having.some(other => other.router === router && other.node !== node),
  )
  return [...new Set(shared.map(({ node }) => node))]
}

/** A network as topology.yaml has it. */
export const network = (wire: Wire, router: DraftNode | undefined, configs: DirectorConfig[]): DraftNetwork => {
  const { name, subnet, because } = wire
  const gateway = router?.interfaces.find(one => one.network === name)?.address
  const having = sharingVmac(wire, configs)
  const bridged = having.length > 0
  return {
    ...{ name, subnet: formatSubnet(subnet) },
    because: bridged ? `${because}; a bridge, as ${having.join(' and ')} have use_vmac` : because,
    ...(gateway === undefined ? {} : { gateway }),
    ...(bridged && { driver: 'bridge' as const }),
  }
}
