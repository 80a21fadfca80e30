import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { canonical } from '../config/keepalived/address.ts'
import { readDirector } from '../config/keepalived/director.ts'
import { type Marked, markedBy } from '../config/marks.ts'
import type { TableConfig } from '../config/table.ts'
import { formatPosition, LvslabError } from '../errors.ts'
import type { Readiness } from '../lab/readiness.ts'
import { explainDualMaster } from '../model/dual-master.ts'
import { endpoint } from '../model/endpoint.ts'
import { KEEPALIVED, type KeepalivedRelease, OWN_KEEPALIVED } from '../model/keepalived.ts'
import { type GroupMember, vrrpGroups } from '../model/pair.ts'
import { type Kernel, rateLimitOf, withHeldBack } from '../model/refusals.ts'
import type { DirectorConfig, RealServer, VirtualService } from '../model/types.ts'
import { createMasker } from '../history/mask.ts'
import type { Untested } from '../judge/verdict.ts'
import { addressesOf, innerAddressesOf } from '../topology/addresses.ts'
import { filesOfNode, refuseMisspelt } from '../topology/director-files.ts'
import { nodeFiles } from '../topology/node-files.ts'
import { rulesOf } from '../topology/rules.ts'
import type { Node, Topology } from '../topology/types.ts'
import { type FixedService, planFixed, tableOf } from './fixed.ts'
import { entriesOfMark, type Entry, schemeOf, tableName, urlOf } from './reach.ts'
import { fixedVipsOf, keptByMany } from './fixed-vips.ts'
import { readinessOf } from './ready.ts'
import { type Scheme, spokenIn, type SpokenTo } from './spoken.ts'
import { apart, plannedVips } from './vips.ts'

/** A VIP with the directors that may hold it, the expected MASTER first. */
export interface PlannedVip {
  address: string
  /** Network that its directors are heard on; where they are on several, that of one of them. */
  network: string
  members: GroupMember[]
}

/** A real server with the node that plays it. */
export interface PlannedServer {
  node: string
  /** What its answers begin with, and what it is called: the node's name, or its own address where the node is a farm. */
  name: string
  server: RealServer
}

/** A virtual service that clients reach through a VIP of this lab. */
export interface PlannedService {
  /** As the service is called; one by firewall mark with the VIP and the port, as it is planned once for each VIP. */
  name: string
  vip: PlannedVip
  service: VirtualService
  /** As the kernel's table calls it: `TCP 10.0.0.100:80`, `FWM 50`. */
  table: string
  /** Port of the VIP that a client asks. */
  port: number
  /** What a client asks for: a URL, `udp://10.0.0.100:53` where datagrams are sent. */
  url: string
  servers: PlannedServer[]
}

/** What the configuration of a topology's directors promises, and what of it can be verified. */
export interface Plan {
  topology: Topology
  configs: DirectorConfig[]
  /** What the directors run: some bounds depend on it. */
  keepalived: KeepalivedRelease
  /** Names of the directors. */
  directors: string[]
  /** Node that the probes start from. */
  client: string
  vips: PlannedVip[]
  /** VIPs that one director has for good, each with it alone. */
  fixedVips: PlannedVip[]
  services: PlannedService[]
  /** What real and sorry servers speak. */
  spokenTo: SpokenTo
  /** Of the directors without keepalived that have an ldirectord.cf or an ipvsadm-save file: it, and its services. */
  tables: TableConfig[]
  fixed: FixedService[]
  readiness: Readiness[]
  /** Why two could be MASTER, on paper. */
  dualMaster: string[]
  /** Passwords of the configuration: masked in what a lab tells, and already where `untested` quotes the configuration. */
  secrets: string[]
  untested: Untested[]
}

/** Reads the directors' configurations and says what they promise. Needs no engine. */
export const planTopology = (topology: Topology): Plan => {
  const directorNodes = topology.nodes.filter(node => node.role === 'director')
  const [client] = topology.nodes.filter(node => node.role === 'client')
  if (directorNodes.length === 0 || !client) {
    throw new LvslabError(
      'PLAN_ROLES',
      `${topology.name} has no ${client ? 'director' : 'client'}: nothing to verify`,
      {
        remedy: 'give topology.yaml a node with `role: director`, and one with `role: client` for the probes',
        exitCode: 2,
      },
    )
  }
  for (const node of topology.nodes) nodeFiles(node) // what cannot be is refused before an engine is built
  const [configured, others] = partition(directorNodes, hasKeepalived)
  const configs = configured.map(({ name, files }) =>
    withHeldBack(readDirector({ node: name, root: files ?? '' }), kernelOf(topology)),
  )
  const groups = vrrpGroups(configs, locate(topology))
  const vips = plannedVips(groups)
  refusePermanent(topology, vips)
  // what keepalived skips was not exercised either
  const untested: Untested[] = withoutInterface(topology, configs)
  const tables: TableConfig[] = []
  for (const node of others) {
    const table = tableOf(node, untested)
    if (table) {
      tables.push(table)
      continue
    }
    if (node.files !== undefined) refuseMisspelt(node.files)
    untested.push({ what: node.name, why: 'it has no keepalived, no ldirectord.cf and no ipvsadm.rules' })
  }
  for (const { name, files } of configured)
    for (const { program, file } of filesOfNode(name, files ?? ''))
      if (program !== 'keepalived')
        untested.push({ what: `${file} of ${name}`, why: 'it is beside a keepalived.conf, which alone is judged' })
  const secrets = configs.flatMap(c => c.instances.flatMap(i => (i.authentication ? [i.authentication.secret] : [])))
  // they alone quote the configuration: masking a number or a word of our own that equals a password would tell it
  const mask = createMasker(secrets)
  for (const { node, notices } of [...configs, ...tables])
    for (const { at, message } of notices)
      untested.push({ what: `${formatPosition(at)} (${node})`, why: mask(message) })
  const ofKeepalived = fixedVipsOf(topology, configs, vips)
  const spokenTo = spokenIn(topology)
  const services = planServices({ topology, configs, vips: [...vips, ...ofKeepalived], spokenTo, untested })
  const fixed = planFixed({ topology, tables, spokenTo, untested })
  const fixedVips = [...ofKeepalived, ...new Map(fixed.map(({ vip }) => [vip.address, vip])).values()]
  for (const { address } of fixedVips)
    untested.push({ what: `failover of ${address}`, why: 'no VRRP moves it: the service fails with its director' })
  const keepalived = topology.keepalived ?? OWN_KEEPALIVED
  if (topology.keepalived !== undefined && configs.length > 0) untested.push(readOtherwise(keepalived, configs))
  return {
    topology,
    configs,
    keepalived,
    directors: directorNodes.map(node => node.name),
    client: client.name,
    vips,
    fixedVips,
    services,
    spokenTo,
    tables,
    fixed,
    readiness: readinessOf({ topology, configs, vips: [...vips, ...ofKeepalived], services, fixed }),
    dualMaster: explainDualMaster(configs).map(cause => cause.message),
    secrets,
    untested,
  }
}

/** Whether a director runs keepalived; one with a folder for its configuration is meant to, whatever is in it. */
const hasKeepalived = ({ files }: Node): boolean => files !== undefined && existsSync(join(files, 'etc/keepalived'))

const partition = <T>(all: T[], is: (one: T) => boolean): [T[], T[]] => [all.filter(is), all.filter(one => !is(one))]

/** @throws LvslabError PLAN_NO_CONFIG where no director has a configuration: no bound and no share can be predicted */
export const requirePredictions = ({ topology, configs, tables, directors }: Plan): void => {
  if (configs.length > 0 || tables.length > 0) return
  const message = `no director of ${topology.name} (${directors.join(', ')}) has a configuration from which anything is predicted`
  throw new LvslabError('PLAN_NO_CONFIG', message, {
    remedy: `put etc/keepalived/keepalived.conf, etc/ha.d/ldirectord.cf or etc/ipvsadm.rules into ${directors[0]}/ beside topology.yaml, or write a suite: CONTRIBUTING.md, "A scenario"`,
    exitCode: 2,
  })
}

/** Who answers at an address, and whether that has no limit to what it refuses by ICMP. */
const kernelOf = ({ nodes }: Topology) => {
  const owners = new Map(nodes.flatMap(node => addressesOf(node).map(address => [canonical(address), node])))
  return (address: string): Kernel => {
    const { name = address, sysctls } = owners.get(address) ?? {}
    return { node: name, answersAll: sysctls?.[rateLimitOf(address)] === '0' }
  }
}

const locate = (topology: Topology) => (name: string, device: string) => {
  const interfaces = topology.nodes.find(node => node.name === name)?.interfaces ?? []
  const found = interfaces.find(i => i.name === device)
  const otherNetworks = interfaces.filter(i => i !== found).map(({ network }) => network)
  const bridged = topology.networks.some(one => one.name === found?.network && one.driver === 'bridge')
  if (!found) return undefined
  const { network, address } = found
  return { network, address, otherNetworks, ...(bridged && { bridged: true as const }) }
}

/** A VIP that a director has for good says nothing of who is MASTER. @throws LvslabError PLAN_VIP_PERMANENT */
const refusePermanent = ({ name, nodes }: Topology, vips: PlannedVip[]): void => {
  // on an interface it may be the address owner's own
  for (const { address, members } of vips)
    for (const node of nodes.filter(one => members.some(member => member.node === one.name)))
      if (innerAddressesOf(node).includes(address))
        throw new LvslabError('PLAN_VIP_PERMANENT', `${name} gives ${node.name} the VIP ${address} for good`, {
          remedy: `take ${address} out of ${node.name} in topology.yaml: keepalived puts it there, and who has it is judged`,
          exitCode: 2,
        })
}

/** keepalived does not start an instance whose interface the node does not have (vrrp_parser.c `vrrp_int_handler`). */
const withoutInterface = (topology: Topology, configs: DirectorConfig[]): Untested[] =>
  configs.flatMap(({ node, instances }) =>
    instances
      .filter(one => !locate(topology)(node, one.interface))
      .map(one => ({ what: `instance ${one.name} of ${node}`, why: `${node} has no interface ${one.interface}` })),
  )

/** The services of the expected MASTER; both directors of a pair are configured alike. */
const planServices = ({
  topology,
  configs,
  vips,
  spokenTo,
  untested,
}: Pick<Plan, 'topology' | 'configs' | 'vips' | 'spokenTo' | 'untested'>): PlannedService[] => {
  const planned: PlannedService[] = []
  const seen = new Set<string>()
  const nodeOf = nodesByAddress(topology)
  for (const vip of vips) {
    const config = configs.find(c => c.node === vip.members[0]?.node)
    const marked = markedBy(topology.nodes.filter(node => node.name === config?.node).flatMap(rulesOf))
    for (const service of config?.services ?? []) {
      const entries = entriesOf(service, vip, marked)
      if (entries.length === 0) continue
      seen.add(service.name)
      const unled = apart(vip) && `${apart(vip)}: what leads clients to the one that has ${vip.address} is not known`
      const ports = entries.map(entry => ({
        ...entry,
        scheme: unled ? { why: unled } : schemeOf(service, entry, spokenTo),
      }))
      const driven = ports.find((one): one is Entry & { scheme: Scheme } => typeof one.scheme === 'string')
      for (const one of ports) {
        const what =
          service.fwmark === undefined
            ? `service ${service.name}`
            : `${one.protocol} port ${one.port} of ${service.name} at ${vip.address}`
        const why = typeof one.scheme === 'string' ? 'one port of a mark is driven' : one.scheme.why
        if (one !== driven) untested.push({ what, why })
      }
      if (driven === undefined) continue
      const { port } = driven
      const servers: PlannedServer[] = []
      for (const server of service.realServers) {
        const node = nodeOf.get(server.address)
        if (node) servers.push({ node: node.name, name: node.farm ? server.address : node.name, server })
        else untested.push({ what: `real server ${server.address}`, why: 'no node of the topology has this address' })
      }
      const url = urlOf(driven.scheme, vip.address, port)
      const name = service.fwmark === undefined ? service.name : `${service.name} ${endpoint(vip.address, port)}`
      planned.push({ name, vip, service, table: tableName(service), port, url, servers })
    }
  }
  for (const { node, services } of configs)
    for (const service of services) {
      const why = (): string => keptByMany(topology, configs, node, service) ?? unreached(service)
      if (!seen.has(service.name)) untested.push({ what: `service ${service.name}`, why: why() })
      seen.add(service.name)
    }
  return planned
}

/** Where clients reach a service through a VIP; nowhere, maybe. */
const entriesOf = (service: VirtualService, vip: PlannedVip, marked: Marked[]): Entry[] => {
  const { address, port = 0, fwmark, protocol } = service
  if (fwmark === undefined) return address === vip.address ? [{ protocol, port }] : []
  return marked.filter(one => one.mark === fwmark && one.address === vip.address).flatMap(entriesOfMark)
}

const unreached = ({ address, fwmark }: VirtualService): string => {
  if (fwmark !== undefined) return `no rule that can be read marks connections to a VIP with ${fwmark}`
  return address === undefined
    ? 'services of a virtual_server_group are not driven yet'
    : 'no VRRP instance of this topology holds its address, and no director that has the service gets it by topology.yaml, static_ipaddress or etc/rc.local'
}

/** The first node that has an address on one of its networks, by address. */
const nodesByAddress = ({ nodes }: Topology): Map<string, Node> => {
  const found = nodes.flatMap(node =>
    node.interfaces.flatMap(one =>
      [one.address, ...one.addresses.map(text => text.replace(/\/.*/, ''))].map(text => [text, node] as const),
    ),
  )
  return new Map(found.toReversed())
}

/** Whether another keepalived takes every line is asked of itself; what it takes it for is not known here. */
const readOtherwise = (keepalived: KeepalivedRelease, configs: DirectorConfig[]): Untested => {
  const [ran, read] = [KEEPALIVED[keepalived], KEEPALIVED[OWN_KEEPALIVED]]
  return {
    what: `what keepalived ${ran}, which ${configs.map(({ node }) => node).join(', ')} run, reads otherwise than ${read}`,
    why: `predictions read a configuration as ${read} does, and lint judges by ${read}`,
  }
}
