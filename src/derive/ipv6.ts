import { LvslabError } from '../errors.ts'
import type { DirectorConfig, RealServer, VipAddress, VirtualService, VrrpInstance } from '../model/types.ts'
import { formatIpv4, formatSubnet, parseIpv4, type Subnet } from '../topology/ipv4.ts'
import { formatIpv6, parseIpv6 } from '../topology/ipv6.ts'
import type { Draft, DraftNode } from './draft.ts'
import { findLinks, nicOf, unusedSubnet } from './links.ts'
import { perhapsOneHost } from './one-host.ts'
import { crossings, isSix } from './unbuilt.ts'

/**
 * A lab knows its nodes by IPv4, and what is derived is derived of that. So each IPv6 address of a configuration gets an IPv4
 * address that stands for it: in the network of the IPv4 addresses that are on the same device, or in one of its own. When the
 * topology is drafted, the IPv6 addresses come beside those that stand for them, and in their place wherever they do something.
 */
export interface StandIns {
  configs: DirectorConfig[]
  /** The addresses that stand for others. */
  has: (address: string) => boolean
  restore: (draft: Draft) => Draft
}

/** A subnet of IPv6, and the one that stands for it. */
interface Prefix {
  first: bigint
  length: number
  subnet: Subnet
  taken: Set<bigint>
}

/** Where the clients are when they must not be beside the real servers: documentation addresses, RFC 3849. */
const CLIENTS = { first: parseIpv6('2001:db8:c::') as bigint, length: 64 }

/** Around an address of which nothing says how large its subnet is. */
const USUAL = 64

const firstOf = (address: bigint, length: number): bigint => (address >> BigInt(128 - length)) << BigInt(128 - length)

const isIn = (address: bigint, { first, length }: Pick<Prefix, 'first' | 'length'>): boolean =>
  firstOf(address, length) === first

/** Addresses that a node can have: not the loopback's, and not one of a link, which is keepalived's own. */
export const numberOf = (text: string): bigint | undefined => {
  const value = parseIpv6(text)
  return value === undefined || value <= 1n || value >> 118n === 0xfe80n >> 6n ? undefined : value
}

const vipsOf = ({ addresses, excludedAddresses }: VrrpInstance): VipAddress[] => [...addresses, ...excludedAddresses]

const addressesOf = ({ instances, services, statics }: DirectorConfig): string[] => [
  ...(statics?.addresses ?? []).map(one => one.address),
  ...instances.flatMap(one => [...vipsOf(one).map(vip => vip.address), one.sourceAddress ?? '', ...one.unicastPeers]),
  ...services.flatMap(({ realServers, sorryServer }) => [
    ...realServers.flatMap(server => [server.address, ...server.checks.map(check => check.sourceAddress ?? '')]),
    ...(sorryServer ? [sorryServer.address] : []),
  ]),
]

export const standIns = (configs: DirectorConfig[]): StandIns => {
  const all = new Map(
    configs.flatMap(addressesOf).flatMap(text => {
      const value = numberOf(text)
      return value === undefined ? [] : [[value, text] as const]
    }),
  )
  if (all.size === 0) return { configs, has: () => false, restore: draft => draft }
  const prefixes = prefixesOf(configs, [...all.keys()])
  const taken = new Set(configs.flatMap(addressesOf).flatMap(text => parseIpv4(text) ?? []))
  const standInOf = new Map<bigint, string>()
  for (const [value, text] of all) {
    const prefix = prefixes.find(one => isIn(value, one)) as Prefix
    prefix.taken.add(value)
    standInOf.set(value, freeIn(prefix.subnet, taken, text))
  }
  const given = new Map([...standInOf].map(([value, standIn]) => [standIn, value]))
  const mapped = (text: string): string => {
    const value = numberOf(text)
    return (value === undefined ? undefined : standInOf.get(value)) ?? text
  }
  return {
    configs: configs.map(config => withAddresses(config, mapped)),
    has: address => given.has(address),
    restore: draft =>
      restore({ ...draft, questions: [...draft.questions, ...new Set(crossings(configs))] }, given, prefixes),
  }
}

/** The subnets of the addresses, as the VIPs' prefixes say them, and what stands for each. */
const prefixesOf = (configs: DirectorConfig[], addresses: bigint[]): Prefix[] => {
  const vips = configs.flatMap(({ node, instances, statics }) =>
    [
      ...instances.flatMap(instance => vipsOf(instance).map(vip => ({ ...vip, device: nicOf(instance, vip) }))),
      ...(statics?.addresses ?? []),
    ].flatMap(({ address, prefix, device }) => {
      const value = numberOf(address)
      return value === undefined ? [] : [{ value, prefix, director: node, device }]
    }),
  )
  const said = vips.filter(({ prefix }) => prefix < 127).toSorted((a, b) => a.prefix - b.prefix)
  const found: Omit<Prefix, 'subnet'>[] = []
  for (const { value, length } of [
    ...said.map(one => ({ value: one.value, length: one.prefix })),
    ...addresses.map(one => ({ value: one, length: USUAL })),
  ])
    if (!found.some(one => isIn(value, one))) found.push({ first: firstOf(value, length), length, taken: new Set() })
  const links = findLinks(configs)
  const used = links.map(({ subnet }) => subnet)
  return found.map(prefix => {
    const its = vips.filter(({ value }) => isIn(value, prefix))
    const link = links.find(({ devices }) =>
      devices.some(({ director, name }) => its.some(vip => vip.director === director && vip.device === name)),
    )
    const subnet = link?.subnet ?? unusedSubnet(used)
    used.push(subnet)
    return { ...prefix, subnet }
  })
}

/** @param text the address for which it is to stand */
const freeIn = (subnet: Subnet, taken: Set<number>, text: string): string => {
  for (let value = subnet.first + 10; value < subnet.last; value++) {
    if (taken.has(value)) continue
    taken.add(value)
    return formatIpv4(value)
  }
  throw new LvslabError('DERIVE_FULL', `no address of ${formatSubnet(subnet)} is free to stand for ${text}`, {
    remedy: 'write topology.yaml yourself, see "A scenario" in CONTRIBUTING.md',
    exitCode: 2,
  })
}

const withAddresses = (config: DirectorConfig, mapped: (text: string) => string): DirectorConfig => {
  const vip = (one: VipAddress): VipAddress => {
    const address = mapped(one.address)
    // how large the network is, is known already
    return address === one.address ? one : { ...one, address, prefix: 32 }
  }
  const server = (one: RealServer): RealServer => ({
    ...one,
    address: mapped(one.address),
    checks: one.checks.map(check => ({
      ...check,
      ...(check.target?.address !== undefined && {
        target: { ...check.target, address: mapped(check.target.address) },
      }),
      ...(check.sourceAddress !== undefined && { sourceAddress: mapped(check.sourceAddress) }),
    })),
  })
  const service = (one: VirtualService): VirtualService => ({
    ...one,
    ...(one.address !== undefined && { address: mapped(one.address) }),
    ...(one.sorryServer && { sorryServer: { ...one.sorryServer, address: mapped(one.sorryServer.address) } }),
    realServers: one.realServers.map(server),
  })
  return {
    ...config,
    instances: config.instances.map(instance => ({
      ...instance,
      addresses: instance.addresses.map(vip),
      excludedAddresses: instance.excludedAddresses.map(vip),
      ...(instance.sourceAddress !== undefined && { sourceAddress: mapped(instance.sourceAddress) }),
      unicastPeers: instance.unicastPeers.map(mapped),
    })),
    ...(config.statics && { statics: { ...config.statics, addresses: config.statics.addresses.map(vip) } }),
    services: config.services.map(service),
  }
}

/** What a node has of IPv6 in a network. */
interface Own {
  node: string
  network: string
  /** Of IPv4. */
  address: string
  value: bigint
  length: number
}

const restore = (draft: Draft, given: Map<string, bigint>, prefixes: Prefix[]): Draft => {
  const of = new Map(
    draft.networks.map(({ name, subnet }) => [name, prefixes.filter(one => formatSubnet(one.subnet) === subnet)]),
  )
  // a network of clients alone has no address of the configurations
  const apart = draft.nodes.find(node => node.role === 'client')?.interfaces[0]?.network ?? ''
  if (of.get(apart)?.length === 0)
    of.set(apart, [{ ...CLIENTS, taken: new Set(), subnet: { first: 0, last: 0, prefix: 0 } }])

  const own = draft.nodes.flatMap(node =>
    node.interfaces.flatMap(({ network, address }) =>
      (of.get(network) ?? []).flatMap((prefix): Own[] => {
        const value = ownIn(prefix, node, address, given)
        return value === undefined ? [] : [{ node: node.name, network, address, value, length: prefix.length }]
      }),
    ),
  )
  const words = new Map([...given].map(([standIn, value]) => [standIn, formatIpv6(value)]))
  const standsAlone = draft.networks.filter(({ because }) => given.has(/\d+(?:\.\d+){3}/.exec(because)?.[0] ?? ''))
  for (const { name, subnet } of standsAlone) {
    words.set(subnet, (of.get(name) ?? []).map(textOf).join(' and '))
    for (const { network, address, value } of own) if (network === name) words.set(address, formatIpv6(value))
  }
  const said = inWords(words)
  return {
    ...draft,
    networks: draft.networks.map(one =>
      standsAlone.includes(one) ? { ...one, because: `stands for ${words.get(one.subnet)}` } : one,
    ),
    nodes: draft.nodes.map(node => restoreNode(node, { draft, given, own, said })),
    questions: [...draft.questions.map(said), ...perhapsOneHost(draft.nodes, given)],
  }
}

/** Has each address, and each subnet, in the words of what it stands for. */
const inWords = (words: Map<string, string>): ((text: string) => string) => {
  const longestFirst = [...words.keys()].toSorted((a, b) => b.length - a.length)
  const known = new RegExp(`(?<![\\d.])(?:${longestFirst.join('|').replaceAll('.', '\\.')})(?![\\d.]\\d)(?!\\d)`, 'g')
  return text => text.replaceAll(known, found => words.get(found) ?? found)
}

const textOf = ({ first, length }: Pick<Prefix, 'first' | 'length'>): string => `${formatIpv6(first)}/${length}`

/** The address of a node in a subnet: that for which its own stands; of a node that is no real server, a free one that ends alike. */
const ownIn = (prefix: Prefix, node: DraftNode, address: string, given: Map<string, bigint>): bigint | undefined => {
  const real = given.get(address)
  if (real !== undefined) return isIn(real, prefix) ? real : undefined
  if (node.role === 'realserver') return undefined
  let value = prefix.first + BigInt(`0x${address.replace(/.*\./, '')}`)
  while (prefix.taken.has(value)) value++
  prefix.taken.add(value)
  return value
}

/**
 * Settings that a VIP on lo, or on a tunnel's device, needs of IPv4 alone: IPv6 answers for the addresses of the interface that is
 * asked, and does not look whether the way back leads by the same device.
 */
const OF_IPV4 = /\.rp_filter$/

/** A node with what it has of IPv6; of a real server of IPv6 nothing of IPv4 is left but the address that stands for its own. */
const restoreNode = (
  node: DraftNode,
  { draft, given, own, said }: { draft: Draft; given: Map<string, bigint>; own: Own[]; said: (text: string) => string },
): DraftNode => {
  const mine = own.filter(one => one.node === node.name)
  const hosts = (list: string[]): string[] => list.map(text => said(text).replace(/^(.*:.*)\/\d+$/, '$1/128'))
  const interfaces = node.interfaces.map(one => {
    const its = mine.filter(({ network }) => network === one.network)
    const addresses = [
      ...hosts(one.addresses ?? []),
      ...its.map(({ value, length }) => `${formatIpv6(value)}/${length}`),
    ]
    return {
      ...one,
      ...(addresses.length > 0 && { addresses }),
      ...(one.because !== undefined && { because: said(one.because) }),
    }
  })
  /** What an address by which the way leads has of IPv6 in a network of this node. */
  const beyond = (address: string): bigint | undefined =>
    given.get(address) ?? own.find(one => one.address === address)?.value
  const isReal = node.interfaces.some(({ address }) => given.has(address))
  const routes = node.routes.map(route => {
    const [, via = ''] = /^default via (\S+)$/.exec(route) ?? []
    const hop = isReal ? beyond(via) : undefined
    return hop === undefined
      ? said(route).replace(/^([0-9a-f:]*:[0-9a-f:]*)\/32\b/, '$1/128')
      : `::/0 via ${formatIpv6(hop)}`
  })
  const exit = mine
    .map(({ network }) => draft.networks.find(one => one.name === network)?.gateway)
    .filter(gateway => gateway !== undefined && node.interfaces.every(({ address }) => address !== gateway))
    .flatMap(gateway => beyond(gateway as string) ?? [])[0]
  if (exit !== undefined && !routes.some(route => route.startsWith('::/0 ')))
    routes.push(`::/0 via ${formatIpv6(exit)}`)
  const forwards = mine.length > 0 && (node.role === 'router' || node.sysctls['net.ipv4.ip_forward'] === 1)
  const { arp, ...kept } = node
  return {
    ...kept,
    ...(arp && !isReal && { arp }),
    because: node.because.map(said),
    interfaces,
    routes,
    loopback: hosts(node.loopback),
    tunnel: hosts(node.tunnel).filter(text => isSix(text) === isReal),
    sysctls: {
      ...Object.fromEntries(Object.entries(node.sysctls).filter(([name]) => !isReal || !OF_IPV4.test(name))),
      ...(forwards && { 'net.ipv6.conf.all.forwarding': 1 }),
    },
    files: Object.fromEntries(Object.entries(node.files).map(([file, text]) => [file, said(text)])),
  }
}
