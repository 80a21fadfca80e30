import { LvslabError } from '../errors.ts'
import { namedDevices } from '../model/devices.ts'
import { familyOf } from '../model/pair.ts'
import type { DirectorConfig } from '../model/types.ts'
import { contains, formatIpv4, formatSubnet, parseIpv4, parseSubnet, type Subnet } from '../topology/ipv4.ts'
import { type Draft, type DraftNetwork, type DraftNode, emptyNode } from './draft.ts'
import { type Backend, backendsOf, FARM_ABOVE, farmsOf, sharesNodes } from './farms.ts'
import { standIns } from './ipv6.ts'
import {
  boundElsewhere,
  boundOf,
  findLinks,
  type Link,
  linkOf,
  presumed,
  servers,
  staticsOf,
  tunnelsOf,
  unusedSubnet,
  vipsOf,
  withOwnAddresses,
} from './links.ts'
import { farmStub, stubFor } from './stubs.ts'
import { refuseAddresses, refuseInterfaces, refuseTwice, unbuilt } from './unbuilt.ts'

/** Nobody answers ARP for the VIP that a real server has on lo or tunl0, and nobody speaks of it. */
const QUIET = { ignore: 1, announce: 2 }

/** What comes out of a tunnel is from clients, whom the way back leads to by another device. */
const FROM_TUNNEL = { 'net.ipv4.conf.all.rp_filter': 0, 'net.ipv4.conf.tunl0.rp_filter': 0 }

/** Where the clients are when they must not be beside the real servers: documentation addresses, RFC 5737. */
const CLIENTS: Subnet = parseSubnet('198.51.100.0/24') as Subnet

/**
 * Drafts the topology that directors' configurations describe: their networks, real servers that satisfy their checks, a client, and
 * a router where somebody needs one. What the configurations do not say is a question with a default.
 *
 * @throws LvslabError DERIVE_NOTHING where no director has a VIP, DERIVE_INTERFACE, DERIVE_ADDRESS and DERIVE_NETWORK where it has what
 *   no topology can have, DERIVE_FULL
 */
export const deriveTopology = (name: string, given: DirectorConfig[]): Draft => {
  const owning = withOwnAddresses(given)
  refuseAddresses(owning)
  const ipv6 = standIns(owning)
  const { configs } = ipv6
  const vips = [...new Set(configs.flatMap(c => c.instances.flatMap(vipsOf)).map(vip => vip.address))]
  if (vips.length === 0)
    throw new LvslabError(
      'DERIVE_NOTHING',
      `no vrrp_instance of ${configs.map(c => c.node).join(', ')} has a VIP that can be built`,
      {
        remedy:
          'write topology.yaml yourself, see "A scenario" in CONTRIBUTING.md; `lvslab lint` says what is wrong with the configuration',
        exitCode: 2,
      },
    )
  refuseInterfaces(configs)
  const questions = [...presumed(given), ...boundElsewhere(configs), ...unbuilt(configs)]
  const names = unusedNames(configs)
  const links = findLinks(configs)
  refuseTwice(configs, links)
  const wires = links.map(
    (link, n): Wire => ({
      ...link,
      name: n === 0 ? 'lan' : `lan${n + 1}`,
      taken: takenIn(link, configs),
      directors: new Map(),
    }),
  )
  const directors = configs.map(config => directorNode(config, boundOf(config, configs), wires))
  const backs = backendsOf(configs)
  const kindOf = (back: Backend): string | undefined =>
    sharesNodes(back) && !ipv6.has(back.address)
      ? `${wireOf(wires, back.address)?.name} ${back.methods.toSorted().join()}`
      : undefined
  const farms = backs.length > FARM_ABOVE ? farmsOf(backs, kindOf) : []
  const shared = new Set(farms.flat())
  const realServers = [
    ...farms.map((farm, n) => farmNode(names(`farm${n + 1}`), farm, wires, configs)),
    ...backs.filter(back => !shared.has(back)).map((back, n) => serverNode(names(`rs${n + 1}`), back, wires, configs)),
  ]

  const methods = (wire: Wire | undefined) =>
    backs.filter(back => wireOf(wires, back.address) === wire).flatMap(back => back.methods)
  const services = configs.flatMap(c => c.services)
  const served = vips.filter(vip => services.some(({ address }) => address === vip))
  // which VIPs a mark is for is in rules that are not read here: not one that leads back from behind NAT
  if (services.some(({ fwmark }) => fwmark !== undefined))
    served.push(...vips.filter(vip => !methods(wireOf(wires, vip)).includes('NAT')))
  const homes = new Set((served.length > 0 ? served : vips.slice(0, 1)).map(vip => wireOf(wires, vip)))
  // beside the VIPs, where all that serve are in one network
  const [home] = homes.size === 1 ? homes : []
  // a client beside a NAT real server would be answered by the server itself, past the director
  const place = home !== undefined && !methods(home).includes('NAT') ? home : clientsWire(wires)
  const apart = place !== home
  const all = apart ? [...wires, place] : wires
  const client = onWire(
    emptyNode(
      names('c1'),
      'client',
      apart && home ? 'Not beside the real servers: those behind NAT would answer it past the director.' : '',
    ),
    'eth0',
    place,
    50,
  )

  // DR and TUN real servers answer clients themselves, wherever those are
  const direct = wires.filter(wire => wire !== place && methods(wire).some(method => method !== 'NAT'))
  const router = apart || direct.length > 0 ? routerNode(names('r1'), all, configs, links) : undefined
  const nodes = [
    client,
    ...(router ? [router] : []),
    ...directors.map(one => one.node),
    ...realServers.map(one => one.node),
  ]
  questions.push(...directors.flatMap(one => one.questions), ...realServers.flatMap(one => one.questions))
  return ipv6.restore({
    name,
    summary: `Derived from the configuration of ${configs.map(c => c.node).join(' and ')}`,
    networks: all.map(wire => network(wire, router, configs)),
    nodes: nodes.map(node => ({ ...node, because: node.because.filter(line => line !== '') })),
    questions: [...new Set(questions)],
  })
}

/** Names for nodes that are no directors, where a director may be called so. */
const unusedNames = (configs: DirectorConfig[]) => {
  const directors = configs.map(config => config.node)
  return (name: string): string => (directors.includes(name) ? `${name}-derived` : name)
}

/** A network in the making: who has which address. */
interface Wire extends Link {
  name: string
  taken: Set<number>
  /** The address that each director has there. */
  directors: Map<string, string>
}

const wireOf = (wires: Wire[], address: string): Wire | undefined => linkOf(wires, address) as Wire | undefined

/** Addresses that the configurations give to somebody. */
const takenIn = ({ subnet }: Link, configs: DirectorConfig[]): Set<number> => {
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

const withPrefix = (address: string, { subnet }: Wire): string =>
  `${address}/${formatSubnet(subnet).replace(/.*\//, '')}`

/** The first free address from a place in the network on; from its end back where it is too small. */
const free = ({ subnet, taken, name }: Wire, from: number): string => {
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

const onWire = (node: DraftNode, device: string, wire: Wire, from: number): DraftNode => {
  node.interfaces.push({ name: device, network: wire.name, address: free(wire, from) })
  return node
}

/** @param bound the addresses that its checks ask from */
const directorNode = (
  config: DirectorConfig,
  bound: string[],
  wires: Wire[],
): { node: DraftNode; questions: string[] } => {
  const node = emptyNode(config.node, 'director')
  const questions: string[] = []
  for (const wire of wires) {
    const device = wire.devices.find(one => one.director === config.node)
    const name = device?.name ?? unusedDevice(node, wires, config.node)
    const own = bound.filter(address => wireOf([wire], address))
    const address = device?.own ?? own[0] ?? free(wire, 201)
    const addresses = own.filter(one => one !== address).map(one => withPrefix(one, wire))
    wire.directors.set(config.node, address)
    const because =
      device === undefined
        ? `nothing says by which interface ${config.node} reaches ${formatSubnet(wire.subnet)}`
        : device.own === undefined
          ? device.statics.length > 0
            ? 'the address is free: that of static_ipaddress is put there by keepalived'
            : 'the address is free, the configuration has none'
          : undefined
    if (device === undefined) questions.push(`${config.node}: ${because}; ${name} is taken`)
    else if (
      device.own === undefined &&
      config.instances.some(one => one.interface === name && one.unicastPeers.length)
    )
      questions.push(
        `${config.node}: which address of ${name} the others speak to is not written (unicast_src_ip); ${address} is taken`,
      )
    node.interfaces.push({
      ...{ name, network: wire.name, address },
      ...(addresses.length > 0 && { addresses }),
      ...(because === undefined ? {} : { because }),
    })
  }
  const tunnels = tunnelsOf(config)
  if (tunnels.length > 0) node.bareTunnels = tunnels
  const nat = config.services.some(({ realServers }) => realServers.some(server => server.forwarding === 'NAT'))
  if (nat) node.sysctls['net.ipv4.ip_forward'] = 1
  // a datagram would be answered from another address than the VIP, which is not there yet when its program starts
  const local = config.services.flatMap(({ sorryServer, protocol }) =>
    protocol !== 'UDP' && sorryServer && (sorryServer.address.startsWith('127.') || sorryServer.address === '::1')
      ? [sorryServer]
      : [],
  )
  if (local.length > 0) {
    // how a probe tells who said sorry
    node.files['/var/www/html/index.html'] = `${config.node} sorry\n`
    const listens = local
      .filter(({ port }) => port !== 80 && port !== 0)
      .map(({ address, port }) => (address === '::1' ? `[::1]:${port}` : `${port}`))
    if (listens.length > 0)
      node.files['/etc/nginx/conf.d/sorry.conf'] = [...new Set(listens)]
        .map(listen => `server { listen ${listen}; root /var/www/html; }\n`)
        .join('')
  }
  for (const { fwmark, family } of config.services)
    if (fwmark !== undefined)
      questions.push(
        `${config.node}: mark ${fwmark} is set by no rule of keepalived's: etc/iptables/rules.v${family ?? 4} in its folder must set it`,
      )
  return { node, questions }
}

const unusedDevice = (node: DraftNode, wires: Wire[], director: string): string => {
  const used = [
    ...node.interfaces.map(its => its.name),
    ...wires.flatMap(w => w.devices).flatMap(d => (d.director === director ? [d.name] : [])),
  ]
  for (let n = 0; ; n++) if (!used.includes(`eth${n}`)) return `eth${n}`
}

const serverNode = (
  name: string,
  back: Backend,
  wires: Wire[],
  configs: DirectorConfig[],
): { node: DraftNode; questions: string[] } => {
  const made = serving(name, [back], wires, configs)
  const stub = stubFor(name, back.address, back.serves, back.sorry)
  const because = back.serves.length === 0 ? ['The sorry server of a service.'] : []
  return { node: { ...made.node, because, files: stub.files }, questions: [...made.questions, ...stub.questions] }
}

const farmNode = (
  name: string,
  farm: Backend[],
  wires: Wire[],
  configs: DirectorConfig[],
): { node: DraftNode; questions: string[] } => {
  const made = serving(name, farm, wires, configs)
  const because = [`${farm.length} real servers, no two of one service: what each answers begins with its address.`]
  return { node: { ...made.node, farm: true, because, files: farmStub(farm) }, questions: made.questions }
}

/** The network of a node that is these real servers, all of one network and of the same methods. */
const serving = (
  name: string,
  backs: Backend[],
  wires: Wire[],
  configs: DirectorConfig[],
): { node: DraftNode; questions: string[] } => {
  const [first, ...further] = backs as [Backend, ...Backend[]]
  const { address, methods } = first
  const wire = wireOf(wires, address) as Wire
  const node = emptyNode(name, 'realserver')
  const addresses = further.map(one => withPrefix(one.address, wire))
  node.interfaces.push({ name: 'eth0', network: wire.name, address, ...(addresses.length > 0 && { addresses }) })
  const hosts = [...new Set(backs.flatMap(back => back.vips))].map(vip => `${vip}/32`)
  const questions: string[] = []
  if (methods.includes('DR')) Object.assign(node, { loopback: hosts, arp: QUIET })
  if (methods.includes('TUN'))
    Object.assign(node, { tunnel: hosts, arp: QUIET, sysctls: { ...node.sysctls, ...FROM_TUNNEL } })
  for (const { service, server } of backs.flatMap(back => back.serves))
    if (server.tunnel && server.tunnel.type !== 'ipip')
      questions.push(
        `${name}: ${service.name} comes to it in a tunnel of type ${server.tunnel.type}, and tunl0 and ip6tnl0 open ipip alone: put what opens it into etc/rc.local`,
      )
  if (methods.includes('NAT')) {
    // a VIP that is on its own lo leads nowhere
    const gateway = natGateway(wire, configs, methods.some(method => method !== 'NAT') ? hosts : [])
    node.routes.push(`default via ${gateway.address}`)
    if (gateway.question) questions.push(`${name}: ${gateway.question}`)
    const direct = methods.filter(method => method !== 'NAT')
    if (direct.length > 0)
      questions.push(
        `${name}: it is behind ${direct.join(' and ')} and behind NAT, so its gateway is a director, which drops what comes from a VIP that it has itself: clients elsewhere get no answer by ${direct.join(' or ')}`,
      )
  }
  return { node, questions }
}

/** Replies of NAT go back through the director: by a VIP on the real servers' network where there is one, else by who is MASTER at first. */
const natGateway = (wire: Wire, configs: DirectorConfig[], held: string[]): { address: string; question?: string } => {
  const services = configs.flatMap(config => config.services.map(service => service.address))
  const inside = configs
    .flatMap(config => config.instances.flatMap(vipsOf))
    .filter(vip => wireOf([wire], vip.address) && !held.includes(`${vip.address}/32`))
    .toSorted((a, b) => Number(services.includes(a.address)) - Number(services.includes(b.address)))
  if (inside[0]) return { address: inside[0].address }
  const priority = ({ instances }: DirectorConfig): number => Math.max(0, ...instances.map(one => one.priority))
  const [master] = configs.toSorted((a, b) => priority(b) - priority(a))
  const own = wire.directors.get(master?.node ?? '') ?? ''
  return {
    address: own,
    question: `no VIP in ${formatSubnet(wire.subnet)} leads back: its gateway is ${own}, a director's own address${configs.length > 1 ? ', and stays so after a failover' : ''}`,
  }
}

const clientsWire = (wires: Wire[]): Wire => {
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

/** On every network, and in every subnet of a VIP that is on somebody's wire. */
const routerNode = (name: string, wires: Wire[], configs: DirectorConfig[], links: Link[]): DraftNode => {
  const node = emptyNode(name, 'router', 'Leads from each network to the others.')
  for (const [n, wire] of wires.entries()) onWire(node, `eth${n}`, wire, 254)
  const routes = configs.flatMap(config =>
    config.instances.flatMap(one =>
      vipsOf(one).flatMap(({ address, device }) => {
        if (linkOf(links, address)) return []
        // for what is on lo the director answers on every wire
        const wire = wires.find(({ devices }) =>
          devices.some(({ director, name: its, vips }) =>
            device === 'lo'
              ? director === config.node && its === one.interface
              : vips.some(vip => vip.address === address),
          ),
        )
        return wire ? [`${address}/32 dev ${node.interfaces[wires.indexOf(wire)]?.name}`] : []
      }),
    ),
  )
  node.routes.push(...new Set(routes))
  return node
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

const network = (wire: Wire, router: DraftNode | undefined, configs: DirectorConfig[]): DraftNetwork => {
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
