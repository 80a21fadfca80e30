import { namedDevices } from '../model/devices.ts'
import type { DirectorConfig, VipAddress, VrrpInstance } from '../model/types.ts'
import { contains, formatSubnet, overlaps, parseIpv4, parseSubnet, type Subnet } from '../topology/ipv4.ts'

/** A device of a director, and the addresses by which the configuration says where it is. */
export interface Device {
  director: string
  name: string
  /** The director's own address on it (`unicast_src_ip`, `mcast_src_ip`), where it is written or follows from `unicast_peer`. */
  own?: string
  vips: { address: string; prefix: number }[]
  /** Of `static_ipaddress`, which keepalived puts there itself. */
  statics: VipAddress[]
  /** Of routes that lead through it. */
  gateways: string[]
}

/** A layer-2 network that the configuration speaks of. */
export interface Link {
  subnet: Subnet
  /** Why there is one, and why it is that large. */
  because: string
  devices: Device[]
}

/** Devices of tunnels that the kernel makes itself, and that a topology has as `tunnels`. */
const TUNNELS = ['tunl0', 'ip6tnl0']

export const WITHOUT_WIRE = ['lo', ...TUNNELS]

/** The kernel's devices of tunnels that a director's configuration names: keepalived does not start where they are missing. */
export const tunnelsOf = (config: DirectorConfig): string[] => {
  const named = namedDevices(config).map(({ device }) => device)
  return TUNNELS.filter(device => named.includes(device))
}

/** The instances of other directors that one speaks to, each with its director. */
const partnersOf = ({ virtualRouterId, name }: VrrpInstance, others: DirectorConfig[]) =>
  others.flatMap(({ node, instances }) =>
    instances
      .filter(one => one.virtualRouterId === virtualRouterId && one.name === name)
      .map(instance => ({ node, instance })),
  )

/**
 * The address of its own that an instance speaks from: written, or the one that the peers speak to and it does not. One that speaks
 * to nobody (no `unicast_peer`) has it where no other director is left to have it.
 */
const ownAddress = (instance: VrrpInstance, others: DirectorConfig[]): string | undefined => {
  if (instance.sourceAddress !== undefined) return instance.sourceAddress
  const partners = partnersOf(instance, others).map(one => one.instance)
  if (isSilent(instance) && partners.length > 1 && partners.some(one => one.sourceAddress === undefined))
    return undefined
  const asked = new Set(partners.flatMap(one => one.unicastPeers))
  for (const known of [...instance.unicastPeers, ...partners.map(one => one.sourceAddress ?? '')]) asked.delete(known)
  const [only, more] = [...asked]
  return more === undefined ? only : undefined
}

const isSilent = ({ unicastPeers }: VrrpInstance): boolean => unicastPeers.length === 0

/** Where a director has an address because others speak to it, which it does not answer: one sentence each. */
export const presumed = (configs: DirectorConfig[]): string[] =>
  configs.flatMap(config =>
    config.instances.flatMap(instance => {
      const others = configs.filter(one => one !== config)
      const address = ownAddress(instance, others)
      if (instance.sourceAddress !== undefined || address === undefined || !isSilent(instance)) return []
      const speakers = partnersOf(instance, others)
        .filter(one => one.instance.unicastPeers.includes(address))
        .map(({ node }) => node)
      return [
        `${config.node}: ${address} is taken for its address, as ${speakers.join(', ')} ${speakers.length > 1 ? 'speak' : 'speaks'} to it (unicast_peer); ${config.node} itself speaks to all (no unicast_peer)`,
      ]
    }),
  )

/** Configurations with the addresses of their own that `unicast_peer` says, as if `unicast_src_ip` said them. */
export const withOwnAddresses = (configs: DirectorConfig[]): DirectorConfig[] =>
  configs.map(config => {
    const others = configs.filter(one => one !== config)
    const instances = config.instances.map(instance => {
      const sourceAddress = ownAddress(instance, others)
      return sourceAddress === undefined ? instance : { ...instance, sourceAddress }
    })
    return { ...config, instances }
  })

/** The devices of a director that its configuration names and that have a wire, in the order of the file, those of VRRP and VIPs first. */
const devicesOf = (config: DirectorConfig): Device[] => {
  const { node, instances } = config
  const devices = new Map<string, Device>()
  const device = (name: string): Device => {
    const found = devices.get(name) ?? { director: node, name, vips: [], statics: [], gateways: [] }
    devices.set(name, found)
    return found
  }
  for (const instance of instances) {
    const speaks = device(instance.interface)
    if (instance.sourceAddress !== undefined) speaks.own = instance.sourceAddress
    for (const vip of vipsOf(instance)) {
      device(nicOf(instance, vip)).vips.push(vip)
    }
  }
  for (const { device: name, gateway } of namedDevices(config)) {
    if (WITHOUT_WIRE.includes(name)) continue
    const through = device(name)
    if (gateway !== undefined && parseIpv4(gateway) !== undefined) through.gateways.push(gateway)
  }
  for (const one of staticsOf(config)) if (!WITHOUT_WIRE.includes(one.device)) device(one.device).statics.push(one)
  return [...devices.values()]
}

/**
 * The NIC on whose network a VIP is: that of the instance where it is on the VMAC, which keepalived makes on top of that, and on a
 * device without a wire, as the kernel answers ARP for all of its addresses.
 */
export const nicOf = ({ vmac, interface: own }: VrrpInstance, { device }: VipAddress): string =>
  device === vmac || WITHOUT_WIRE.includes(device) ? own : device

/** Where the checks of a director ask from, but its loopback. */
const boundIn = ({ services }: DirectorConfig): string[] =>
  services
    .flatMap(({ realServers }) => realServers.flatMap(({ checks }) => checks))
    .flatMap(({ sourceAddress }) => sourceAddress ?? [])
    .filter(address => parseIpv4(address) !== undefined && !address.startsWith('127.'))

/** Who has the addresses that checks ask from (`bindto`), but those that keepalived puts there itself. */
const ownersOfBound = (configs: DirectorConfig[]): Map<string, DirectorConfig> => {
  const moved = configs.flatMap(config => [...config.instances.flatMap(vipsOf), ...staticsOf(config)])
  const speakers = configs.flatMap(config =>
    config.instances.flatMap(one => (one.sourceAddress === undefined ? [] : [[one.sourceAddress, config] as const])),
  )
  // of two that ask from one address, who sends adverts from it has it, else the first
  const owners = new Map([
    ...configs.flatMap(one => boundIn(one).map(from => [from, one] as const)).toReversed(),
    ...speakers,
  ])
  const bound = new Set(configs.flatMap(boundIn))
  for (const { address } of moved) bound.delete(address)
  return new Map([...owners].filter(([address]) => bound.has(address)))
}

/** The addresses of its own that a director's checks ask from. */
export const boundOf = (config: DirectorConfig, configs: DirectorConfig[]): string[] => {
  const owners = ownersOfBound(configs)
  return [...new Set(boundIn(config))].filter(address => owners.get(address) === config)
}

/** Where checks ask from an address that another director has: one sentence each. */
export const boundElsewhere = (configs: DirectorConfig[]): string[] => {
  const owners = ownersOfBound(configs)
  return configs.flatMap(config =>
    [...new Set(boundIn(config))].flatMap(address => {
      const owner = owners.get(address)
      if (owner === undefined || owner === config) return []
      return [`${config.node}: its checks ask from ${address} (bindto), which is taken for ${owner.node}'s: they fail`]
    }),
  )
}

/** Every `static_ipaddress` that is an IPv4 address. */
export const staticsOf = ({ statics }: DirectorConfig): VipAddress[] =>
  (statics?.addresses ?? []).filter(({ address }) => parseIpv4(address) !== undefined)

/** Every VIP of an instance that is an IPv4 address. */
export const vipsOf = (instance: VrrpInstance) =>
  [...instance.addresses, ...instance.excludedAddresses].filter(vip => parseIpv4(vip.address) !== undefined)

/**
 * The networks of the directors: a VIP's prefix says how large one is; around an address that nothing is known of, a /24 is
 * taken. Where one subnet lies in another, the larger is the network.
 */
export const findLinks = (configs: DirectorConfig[]): Link[] => {
  const subnets: { subnet: Subnet; because: string }[] = []
  const add = (text: string, because: string): void => {
    const subnet = parseSubnet(text)
    if (!subnet || subnets.some(other => within(subnet, other.subnet))) return
    for (let n = subnets.length - 1; n >= 0; n--)
      if (overlaps((subnets[n] as { subnet: Subnet }).subnet, subnet)) subnets.splice(n, 1)
    subnets.push({ subnet, because })
  }
  const devices = configs.flatMap(devicesOf)
  const bound = configs.flatMap(config => boundOf(config, configs))
  const said = (list: { address: string; prefix: number }[], what: string): void => {
    for (const { address, prefix } of list)
      if (prefix < 31) add(`${address}/${prefix}`, `the prefix of ${what} ${address}/${prefix}`)
  }
  for (const { vips } of devices) said(vips, 'the VIP')
  for (const { statics } of devices) said(statics, 'static_ipaddress')
  for (const address of [
    ...devices.flatMap(({ own, vips, statics }) => [
      ...(own ? [own] : []),
      ...[...vips, ...statics].map(one => one.address),
    ]),
    ...servers(configs),
    ...bound,
    ...devices.flatMap(({ gateways }) => gateways),
  ])
    if (!subnets.some(({ subnet }) => contains(subnet, parseIpv4(address) ?? 0)))
      add(`${address}/24`, `around ${address}; the prefix is a guess`)

  const links = subnets.map(({ subnet, because }): Link => ({ subnet, because, devices: [] }))
  const backs = servers(configs).flatMap(address => linkOf(links, address) ?? [])
  for (const device of devices) {
    const hints = [device.own ?? [], device.gateways, [...device.vips, ...device.statics].map(one => one.address)]
      .flat()
      .flatMap(address => linkOf(links, address) ?? [])
    // a VIP may be in a subnet of its own on the same wire: the wire's own is where somebody else is
    const home = (device.own && hints[0]) || hints.find(link => backs.includes(link)) || hints[0]
    const taken = home?.devices.some(other => other.director === device.director)
    if (home && !taken) home.devices.push(device)
    else links.push(unknownLink(links, device))
  }
  for (const config of configs)
    for (const address of boundOf(config, configs)) {
      const device = linkOf(links, address)?.devices.find(({ director }) => director === config.node)
      if (device) device.own ??= address
    }
  // the VIP's subnet without a device, and without a server, is no network but addresses on somebody's wire
  const needed = new Set([...backs, ...bound.map(address => linkOf(links, address))])
  return links.filter(link => link.devices.length > 0 || needed.has(link))
}

const within = (inner: Subnet, outer: Subnet): boolean => outer.first <= inner.first && inner.last <= outer.last

/** IPv4 addresses of every real server and sorry server that is another host, and no VIP. */
export const servers = (configs: DirectorConfig[]): string[] => {
  const all = configs.flatMap(({ services }) =>
    services.flatMap(({ realServers, sorryServer }) => [...realServers, ...(sorryServer ? [sorryServer] : [])]),
  )
  const addresses = all.map(({ address }) => address)
  const held = new Set(configs.flatMap(config => config.instances.flatMap(vipsOf)).map(vip => vip.address))
  return [...new Set(addresses)].filter(
    address => parseIpv4(address) !== undefined && !address.startsWith('127.') && !held.has(address),
  )
}

/** The network that an address lies in. */
export const linkOf = (links: Link[], address: string): Link | undefined => {
  const value = parseIpv4(address)
  return value === undefined ? undefined : links.find(({ subnet }) => contains(subnet, value))
}

/** Directors that use a device of one name, of which nothing more is known, are on one network. */
const unknownLink = (links: Link[], device: Device): Link => {
  const because = `${device.name} of the directors; no address of it is written anywhere`
  const alike = links.find(link => link.because === because)
  if (alike) {
    alike.devices.push(device)
    links.splice(links.indexOf(alike), 1)
    return alike
  }
  return { subnet: unusedSubnet(links.map(link => link.subnet)), because, devices: [device] }
}

/** A private /24 that nobody uses. */
export const unusedSubnet = (used: Subnet[]): Subnet => {
  for (let third = 201; third < 255; third++) {
    const subnet = parseSubnet(`192.168.${third}.0/24`) as Subnet
    if (!used.some(other => overlaps(other, subnet))) return subnet
  }
  throw new RangeError(`no free subnet beside ${used.map(formatSubnet).join(', ')}`)
}
