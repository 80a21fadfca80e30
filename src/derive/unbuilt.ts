import { LvslabError } from '../errors.ts'
import { namedDevices } from '../model/devices.ts'
import type { DirectorConfig } from '../model/types.ts'
import { contains, isReserved, parseIpv4 } from '../topology/ipv4.ts'
import { parseIpv6 } from '../topology/ipv6.ts'
import { INTERFACE_NAME } from '../topology/schema.ts'
import { boundOf, type Link, vipsOf } from './links.ts'

/** What the reader says of services and real servers that keepalived goes on without, as of host names. */
const LEFT_OUT =
  /^(?:real_server|sorry_server|virtual_server|there is no virtual_server_group) .*; keepalived (?:leaves (?:it|the service) out|goes without it)$/

/** What of the configurations the lab is without, or what it needs that they do not bring; one sentence each. */
export const unbuilt = (configs: DirectorConfig[]): string[] => {
  const held = new Set(configs.flatMap(config => config.instances.flatMap(vipsOf)).map(vip => vip.address))
  const ofLinks = new Set(
    configs.flatMap(config =>
      config.instances.flatMap(one => [...one.addresses, ...one.excludedAddresses].map(vip => parseIpv6(vip.address))),
    ),
  )
  const questions = configs.flatMap(config => [
    ...config.notices.flatMap(({ message }) =>
      LEFT_OUT.test(message) ? [`${message}, and the lab has no node for it`] : [],
    ),
    ...config.services.flatMap(service =>
      oddServers(
        service.realServers.map(server => server.address),
        held,
        [...config.instances.flatMap(one => one.sourceAddress ?? []), ...boundOf(config, configs)],
      ),
    ),
    ...config.services.flatMap(({ name, address }) => {
      if (address === undefined || held.has(address)) return []
      // what is IPv6 still has no address that stands for it: nobody has it, or it is of a link
      return isSix(address) && ofLinks.has(parseIpv6(address))
        ? [`${name} is at an address of the link: no real server has it on lo`]
        : [`no vrrp_instance holds the address of ${name}: nobody reaches it`]
    }),
    ...config.instances
      .flatMap(vipsOf)
      .filter(({ device, address }) => device === 'lo' && !address.startsWith('127.'))
      .map(
        ({ address }) =>
          `${address} is on lo of the directors, where its gratuitous ARP reaches nobody: who asks for it by ARP, as here, notices no failover for seconds; yours may have a route`,
      ),
    ...[
      ...config.instances.flatMap(({ virtualRoutes = [] }) =>
        virtualRoutes.map(line => ({ list: 'virtual_routes', ...line })),
      ),
      ...(config.statics?.routes ?? []).map(line => ({ list: 'static_routes', ...line })),
    ]
      .filter(({ words }) => words.includes('via'))
      .map(({ list, words }) => `${config.node}: ${list} has ${words.join(' ')}: no node is made for its gateway`),
  ])
  return [...new Set(questions)]
}

const oddServers = (addresses: string[], held: Set<string>, own: string[]): string[] =>
  addresses.flatMap(address => {
    if (isSix(address)) return [`real_server ${address} is IPv6 of the link or of the loopback: no node is made for it`]
    if (held.has(address)) return [`real_server ${address} is a VIP: no node is made for it`]
    return own.includes(address) || address.startsWith('127.')
      ? [`real_server ${address} is a director itself: nothing is put there to answer`]
      : []
  })

export const isSix = (address: string): boolean => address.includes(':')

/** ip6tnl0 takes IPv6 alone (net/ipv6/ip6_tunnel.c `ip6_fb_tnl_dev_init`), and tunl0 is a device of IPv4. */
export const crossings = (configs: DirectorConfig[]): string[] =>
  configs.flatMap(({ services }) =>
    services.flatMap(({ name, address, realServers }) =>
      realServers
        .filter(
          server => server.forwarding === 'TUN' && address !== undefined && isSix(server.address) !== isSix(address),
        )
        .map(
          server => `${name}: its tunnel to ${server.address} is of the other family: no device takes what comes out`,
        ),
    ),
  )

/** @throws LvslabError DERIVE_INTERFACE where a director names what cannot be an interface of a node */
export const refuseInterfaces = (configs: DirectorConfig[]): void => {
  for (const config of configs) {
    const { instances } = config
    const dummy = [...instances.map(one => ({ device: one.interface, at: one.at })), ...namedDevices(config)].find(
      one => /^dummy\d+$/.test(one.device),
    )
    if (dummy)
      throw new LvslabError(
        'DERIVE_INTERFACE',
        `${dummy.device} has no wire, and a topology builds no dummy interface`,
        {
          at: dummy.at,
          remedy: `write the interface of a network; an address may be on lo, where ${config.node} answers for it as on ${dummy.device}`,
          exitCode: 2,
        },
      )
    for (const { name, interface: device, at } of instances) {
      if (INTERFACE_NAME.test(device)) continue
      const alias = device.includes(':') ? `, but an alias of ${device.replace(/:.*/, '')}` : ''
      throw new LvslabError(
        'DERIVE_INTERFACE',
        `vrrp_instance ${name}: ${JSON.stringify(device)} is no interface${alias}`,
        {
          at,
          remedy: 'write the name that the interface has in `ip link`, at most 15 characters',
          exitCode: 2,
        },
      )
    }
  }
}

/** @throws LvslabError DERIVE_ADDRESS where a director or a real server would have an address that no host can have */
export const refuseAddresses = (configs: DirectorConfig[]): void => {
  const all = configs.flatMap(({ instances, services }) => [
    ...instances.flatMap(one => [
      { address: one.sourceAddress ?? '', at: one.at },
      ...[...one.addresses, ...one.excludedAddresses].filter(vip => vip.device !== 'lo'),
    ]),
    ...services
      .flatMap(({ realServers, sorryServer }) => [...realServers, ...(sorryServer ? [sorryServer] : [])])
      // that is the director itself
      .filter(({ address }) => !address.startsWith('127.')),
  ])
  for (const { address, at } of all) {
    const value = parseIpv4(address)
    if (value === undefined ? !/^ff.*:/i.test(address) : !isReserved(value)) continue
    throw new LvslabError('DERIVE_ADDRESS', `${address} is loopback, multicast or reserved: no host can have it`, {
      at,
      remedy: 'write an address of the host there, as `ip address` shows it',
      exitCode: 2,
    })
  }
}

/** @throws LvslabError DERIVE_NETWORK where a director has two interfaces in one network, which no topology has */
export const refuseTwice = (configs: DirectorConfig[], links: Link[]): void => {
  for (const { subnet, devices } of links)
    for (const { director, name, own, vips, statics, gateways } of devices) {
      const known = [...(own === undefined ? [] : [own]), ...[...vips, ...statics].map(one => one.address), ...gateways]
      if (known.length === 0 || known.some(address => contains(subnet, parseIpv4(address) ?? 0))) continue
      // the network of its addresses has another interface of the director
      const instance = configs
        .find(({ node }) => node === director)
        ?.instances.find(one => one.interface === name || vipsOf(one).some(vip => vip.device === name))
      const place = instance ?? statics[0]
      throw new LvslabError(
        'DERIVE_NETWORK',
        `${director} has ${name} in a network where it has another interface already: a topology has one for each`,
        {
          ...(place && { at: place.at }),
          remedy: `derive from a copy in which what is on ${name} has a subnet of its own, or is left out`,
          exitCode: 2,
        },
      )
    }
}
