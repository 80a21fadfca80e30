import { markedBy } from '../config/marks.ts'
import type { Position } from '../errors.ts'
import { ownerOf } from '../model/fixed-vip.ts'
import type { DirectorConfig, VirtualService } from '../model/types.ts'
import { addressesOfScript } from '../topology/rc-local.ts'
import { rulesOf } from '../topology/rules.ts'
import type { Node, Topology } from '../topology/types.ts'
import type { PlannedVip } from './plan.ts'

/** Addresses that a director has for good: clients reach the services there, and no VRRP moves them. */

/** A director that has an address for good, and the device that it is on. */
interface Keeper {
  node: Node
  device: string
}

/** The directors that have an address for good: in the topology, by their rc.local, or by `static_ipaddress`. */
const keepersOf = ({ nodes }: Topology, configs: DirectorConfig[], address: string): Keeper[] =>
  nodes.flatMap(node => {
    const device =
      node.role === 'director' ? (deviceOf(node, address) ?? staticDevice(node, configs, address)) : undefined
    return device === undefined ? [] : [{ node, device }]
  })

/** The device on which a topology, or the node's own rc.local, gives it an address. */
export const deviceOf = ({ interfaces, tunnels, loopback, files }: Node, address: string): string | undefined => {
  const has = (list: string[]): boolean => list.some(text => text.replace(/\/.*/, '') === address)
  const found =
    interfaces.find(one => one.address === address || has(one.addresses)) ?? tunnels.find(one => has(one.addresses))
  if (found) return found.name
  return has(loopback) || (files !== undefined && addressesOfScript(files).includes(address)) ? 'lo' : undefined
}

/** The device of a `static_ipaddress`; keepalived ends where the node does not have it (vrrp_ipaddress.c `alloc_ipaddress`). */
const staticDevice = (node: Node, configs: DirectorConfig[], address: string): string | undefined => {
  const devices = ['lo', ...[...node.interfaces, ...node.tunnels].map(({ name }) => name)]
  const statics = configs.find(config => config.node === node.name)?.statics?.addresses ?? []
  return statics.find(one => one.address === address && devices.includes(one.device))?.device
}

/** @param at where the configuration has the address */
export const fixedVip = ({ node, device }: Keeper, address: string, at: Position): PlannedVip => {
  const [link] = node.interfaces
  const network = link?.network ?? ''
  const member = {
    ...{ node: node.name, address: link?.address ?? address, network, otherNetworks: [] },
    ...{ instance: ownerOf(device, [address], at), startupDelay: 0 },
  }
  return { address, network, members: [member] }
}

/** Where clients ask for a service: its own address, or those whose connections get its mark. */
const addressesOf = ({ nodes }: Topology, director: string, { address, fwmark }: VirtualService): string[] => {
  if (address !== undefined) return [address]
  const marked = markedBy(nodes.filter(({ name }) => name === director).flatMap(rulesOf))
  return marked.filter(({ mark }) => mark === fwmark).map(one => one.address)
}

/** The VIPs of keepalived's services that no VRRP moves and that one director has for good, which has the service. */
export const fixedVipsOf = (topology: Topology, configs: DirectorConfig[], moving: PlannedVip[]): PlannedVip[] => {
  const known = new Set(moving.map(vip => vip.address))
  return configs.flatMap(({ node, services }) =>
    services.flatMap(service =>
      addressesOf(topology, node, service).flatMap(address => {
        const [keeper, other] = known.has(address) ? [] : keepersOf(topology, configs, address)
        if (keeper?.node.name !== node || other) return []
        known.add(address)
        return [fixedVip(keeper, address, service.at)]
      }),
    ),
  )
}

/** That clients may reach a service at several directors, each of which has its address for good; undefined where they do not. */
export const keptByMany = (
  topology: Topology,
  configs: DirectorConfig[],
  director: string,
  service: VirtualService,
): string | undefined => {
  for (const address of addressesOf(topology, director, service)) {
    const names = keepersOf(topology, configs, address).map(({ node }) => node.name)
    if (names.length > 1)
      return `${names.join(' and ')} have ${address} for good: which of them clients reach is not known`
  }
  return undefined
}
