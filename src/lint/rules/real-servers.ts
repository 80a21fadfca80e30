import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { canonical } from '../../config/keepalived/address.ts'
import { keyword } from '../../config/keepalived/parse.ts'
import type { RealServer, VirtualService } from '../../model/types.ts'
import { addressesOf, innerAddressesOf } from '../../topology/addresses.ts'
import { parseIpv6 } from '../../topology/ipv6.ts'
import { rulesOf } from '../../topology/rules.ts'
import type { Node, Topology } from '../../topology/types.ts'
import { type Director, EVERY_PROGRAM, type Found, type LintInput, type Rule } from '../rule.ts'
import { globalsOf } from '../statements.ts'
import { eachService, onePerPlace } from './each-service.ts'
import { markedAddresses } from './marks.ts'

/** Whether an address, as configurations are read, is among those of a topology. */
const isAmong = (address: string, addresses: string[]): boolean => addresses.some(one => canonical(one) === address)

/** The addresses that the clients of a service ask for. */
const askedAt = (service: VirtualService, director: Director): string[] =>
  service.address === undefined ? markedAddresses(service, director) : [service.address]

/** The node that plays a real server which gets packets for the VIP itself; none that is a director too. */
const playing = ({ address, forwarding }: RealServer, { nodes }: Topology): Node | undefined =>
  forwarding === 'NAT' ? undefined : nodes.find(node => node.role !== 'director' && isAmong(address, addressesOf(node)))

/** Rules and scripts of a node may do what topology.yaml does not say. */
const helpsItself = (node: Node, vip: string): boolean =>
  rulesOf(node).some(rule => rule.split(/[\s/]/).includes(vip)) ||
  (node.files !== undefined && existsSync(join(node.files, 'etc/rc.local')))

const eachPlayed = (
  judge: (node: Node, vip: string, server: RealServer, director: Director) => string | undefined,
): ((input: LintInput) => Found[]) =>
  eachService((service, director, { topology }) =>
    onePerPlace(
      service.realServers.flatMap(server => {
        const node = topology && playing(server, topology)
        if (!node) return []
        return askedAt(service, director).flatMap(vip => {
          const message = helpsItself(node, vip) ? undefined : judge(node, vip, server, director)
          return message === undefined ? [] : [{ at: server.at, message }]
        })
      }),
    ),
  )

const vipMissing = eachPlayed((node, vip, { forwarding }) =>
  isAmong(vip, addressesOf(node))
    ? undefined
    : `${node.name} does not have ${vip}: with ${forwarding} the packets come for that address, and it drops them`,
)

/** The kernel takes the larger one of `all` and of the interface. */
const level = (node: Node, device: string, word: string): number =>
  Math.max(...['all', device].map(of => Number(node.sysctls[`net.ipv4.conf.${of}.arp_${word}`] ?? 0)))

/** Levels of arp_ignore at which a NIC does not answer for an address of another device (Documentation/networking/ip-sysctl.rst). */
const SILENT = [1, 2, 8]

const arpUnsilenced = eachPlayed((node, vip, _, director) => {
  if (vip.includes(':') || !isAmong(vip, innerAddressesOf(node))) return undefined
  // whoever asks for the VIP is on the director's wire
  const near = node.interfaces.filter(one => director.node?.interfaces.some(its => its.network === one.network))
  for (const { name } of near) {
    if (!SILENT.includes(level(node, name, 'ignore')))
      return `${node.name} answers ARP for ${vip} by ${name}: who asks may get its MAC address, and passes the director by`
    if (level(node, name, 'announce') < 2)
      return `${node.name} may ask for others in the name of ${vip} by ${name}: who is asked takes it for the owner of the VIP`
  }
  return undefined
})

/** Whether an address is one of a director, as far as its configuration or the topology says. */
const isOf = (address: string, { config, node }: Director): boolean =>
  config.instances.some(one => one.sourceAddress === address) ||
  (node !== undefined && isAmong(address, addressesOf(node)))

/** `net.ipv4.vs.backup_only`, which counts while the sync daemon of a backup runs (include/net/ip_vs.h sysctl_backup_only). */
const isBackupOnly = (director: Director): boolean =>
  // a sysctl of a node that nobody described is not known
  (director.node === undefined || Number(director.node.sysctls['net.ipv4.vs.backup_only'] ?? 0) !== 0) &&
  globalsOf(director).some(line => keyword(line) === 'lvs_sync_daemon')

const scheduledAgain = eachService((service, director, { directors }) => {
  const { address: vip, forwarding, name } = service
  const others = directors.filter(one => one !== director)
  return onePerPlace(
    service.realServers.flatMap(server => {
      const { address, at } = server
      if (vip === undefined || server.forwarding === 'NAT') return []
      const partner = others.find(one => isOf(address, one))
      // a partner that was not given has the same services, as it should
      const isPeer = others.length === 0 && director.config.instances.some(one => one.unicastPeers.includes(address))
      const its = partner ? partner.config.services.find(one => one.name === name) : isPeer ? service : undefined
      const sendsOn = its?.realServers.find(
        one => one.address !== address && !(partner && isOf(one.address, partner)) && !/^127\.|^::1$/.test(one.address),
      )
      if (!sendsOn || isBackupOnly(partner ?? director)) return []
      const who = partner ? `${address} is ${partner.name}` : `${address} is a unicast_peer`
      const message = `${who}, a director with ${name} in its own table: as BACKUP it schedules what comes by ${forwarding} for ${vip} once more, to ${sendsOn.address}`
      return [{ at, message }]
    }),
  )
})

/** How many bits two addresses of IPv6 have in common, no more than the prefix of the first has. */
const commonBits = (address: string, prefix: number, other: string): number => {
  const [a, b] = [parseIpv6(address), parseIpv6(other)]
  if (a === undefined || b === undefined) return 0
  return Math.min(prefix, 128 - (a === b ? 0 : (a ^ b).toString(2).length))
}

/** What a director's own address of the server's network has in common with the server; 64 bits where nobody says which it has. */
const ownBits = ({ node }: Director, server: string): number => {
  const own = (node?.interfaces ?? []).flatMap(({ addresses }) => addresses).map(text => text.split('/'))
  const bits = own.map(([address = '', prefix]) => commonBits(address, Number(prefix ?? 128), server))
  return node ? Math.max(0, ...bits) : 64
}

/**
 * Linux sends from the address that has most bits in common with the destination, no more than its prefix has; of equals from the
 * youngest (net/ipv6/addrconf.c `ipv6_get_saddr_eval`, `ipv6_link_dev_addr`), and a VIP comes after the node's own.
 */
const askedFromVip = eachService((service, director) => {
  const vips = director.config.instances
    .filter(one => one.vmac === undefined && !one.addressVmacs)
    .flatMap(one => [...one.addresses, ...one.excludedAddresses])
    .filter(one => one.preferred && askedAt(service, director).includes(one.address))
  return service.realServers
    .filter(({ forwarding }) => forwarding !== 'NAT')
    .flatMap(({ address, checks }) => {
      const vip = vips.find(
        one => commonBits(one.address, one.prefix, address) >= Math.max(1, ownBits(director, address)),
      )
      const check = checks.find(one => !ASKS_ELSEWHERE.has(one.type) && !one.sourceAddress && !one.target?.address)
      if (!vip || !check) return []
      const message = `the MASTER asks ${address} from ${vip.address}/${vip.prefix}, which ${address} has too: no answer comes back, and ${check.keyword} fails`
      return [{ at: check.at, message }]
    })
})

/** What asks nobody, or what nobody knows. */
const ASKS_ELSEWHERE: ReadonlySet<string> = new Set(['MISC_CHECK', 'OTHER'])

/** Of real servers that packets for the VIP come to (DR, TUN), where their nodes are known. */
export const realServerRules: Rule[] = [
  {
    code: 'server-without-vip',
    severity: 'error',
    rejected: false,
    programs: EVERY_PROGRAM,
    title: 'A real server behind DR or TUN that does not have the VIP',
    why: 'The director leaves the destination as it is: a host takes only what is sent to an address of its own. Told where a topology describes the real server, unless its rules or its rc.local may see to it.',
    remedy: 'Give the node `loopback: [VIP/32]`, behind TUN `tunnels: { tunl0: [VIP/32] }`.',
    check: vipMissing,
  },
  {
    code: 'server-answers-arp',
    severity: 'warning',
    rejected: false,
    programs: EVERY_PROGRAM,
    title: 'A real server that speaks of the VIP in ARP',
    why: 'By default Linux answers on any interface for any of its addresses, and asks in the name of the address that it sends from (Documentation/networking/ip-sysctl.rst, arp_ignore and arp_announce): clients meet a real server in place of the director. Told where a topology describes the real server.',
    remedy: 'Give the node `arp: { ignore: 1, announce: 2 }`, or arptables rules.',
    check: arpUnsilenced,
  },
  {
    code: 'server-schedules-again',
    severity: 'warning',
    rejected: false,
    title: 'A real server behind DR or TUN that is the other director, with the same service',
    why: 'keepalived has the services in the table of a BACKUP too, and with DR and TUN a packet keeps the VIP as its destination: the table of the BACKUP takes what the MASTER sent it for a new connection, and where it sends that back to the MASTER, both pass it on to each other until its time to live is over (Documentation/networking/ipvs-sysctl.rst, backup_only). Told where the topology, unicast_src_ip, mcast_src_ip or unicast_peer say whose the address is.',
    remedy:
      'Set net.ipv4.vs.backup_only=1 on both and write lvs_sync_daemon INTERFACE INSTANCE into global_defs; or make it a virtual_server fwmark, with a rule that marks nothing that comes from the MAC address of the other director: -t mangle -A PREROUTING -d VIP -m mac ! --mac-source MAC -j MARK --set-mark N.',
    check: scheduledAgain,
  },
  {
    code: 'asked-from-vip',
    severity: 'error',
    rejected: false,
    title: 'A real server behind DR or TUN that is checked from its own VIP',
    why: 'An IPv6 VIP with another prefix than /128 is an address like others, and as the youngest of its network the one that Linux sends from (keepalived issue 1483). A real server that has the VIP as well answers itself: on the MASTER its checks fail, and the BACKUP sees nothing wrong.',
    remedy:
      'Write the VIP with /128 or with preferred_lft 0, or bindto with an own address of the director into each check.',
    check: input => onePerPlace(askedFromVip(input)),
  },
]
