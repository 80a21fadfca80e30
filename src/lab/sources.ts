import { LvslabError } from '../errors.ts'
import type { LabEvent } from '../history/event.ts'
import { addressesOf } from '../topology/addresses.ts'
import { contains, formatIpv4, parseIpv4, parseSubnet } from '../topology/ipv4.ts'
import { formatIpv6, parseIpv6 } from '../topology/ipv6.ts'
import type { Node, Topology } from '../topology/types.ts'
import type { AgentConnection } from './agent-connection.ts'

export interface SourceOptions {
  /** How many, up to {@link MOST}. */
  count: number
  /** Fewer will do where fewer are free: none, even. */
  atMost?: true
  /** The first of them; free ones of the client's own network where it is left out. */
  from?: string
  /** Whom they are to ask: where that is an IPv6 address, they are of the client's network that has it, or of its first of IPv6. */
  to?: string
}

/** Addresses that somebody has, or was given. */
interface Taken {
  events: Iterable<LabEvent>
  given: Set<string>
}

const COMMAND_TIMEOUT_MS = 30_000

/** As many as fit into one command: Linux takes no longer word than 128 KiB (MAX_ARG_STRLEN). */
const MOST = 2000

/** See `LabProbes.addSources`. */
export const addSources = async (
  agent: AgentConnection,
  topology: Topology,
  { events, given }: Taken,
  client: string,
  { count, atMost, from, to }: SourceOptions,
): Promise<string[]> => {
  const { node, device, network, subnet } = placeOf(topology, client)
  const six = to === undefined ? undefined : parseIpv6(to)
  if (!Number.isInteger(count) || count < 1 || count > MOST)
    throw usage(`count ${count}: from 1 to ${MOST} sources can be added at once`)
  const taken = new Set([...takenAddresses(topology, events), ...given])
  const run = async (on: Node, lines: string[]): Promise<void> => {
    const argv = ['sh', '-c', `ip -batch - <<'END'\n${lines.join('\n')}\nEND`]
    const result = await agent.call('exec', { node: on.name, argv, timeoutMs: COMMAND_TIMEOUT_MS, record: true })
    if (result.code === 0) return
    throw new LvslabError('SOURCES_FAILED', `ip on ${on.name} ended with ${result.code}: ${result.stderr.trim()}`)
  }
  const give = async (addresses: string[], prefix: number, on = device): Promise<string[]> => {
    if (addresses.length === 0) return []
    for (const address of addresses) given.add(address)
    // an address of IPv6 that is still being looked for elsewhere is no source
    const options = addresses[0]?.includes(':') ? ' nodad' : ''
    await run(
      node,
      addresses.map(address => `address add ${address}/${prefix} dev ${on}${options}`),
    )
    return addresses
  }
  const enough = (free: string[], where: string, remedy: string): string[] => {
    if (free.length >= count || atMost) return free
    throw new LvslabError(
      'SOURCES_FULL',
      `${where} has ${free.length} free addresses for sources of ${client}; ${count} were asked for`,
      { remedy, exitCode: 2 },
    )
  }
  if (six !== undefined) {
    const own = networksOf(node)
    const home = own.find(one => six >= one.first && six <= one.last) ?? own[0]
    if (!home) throw usage(`${client} has no address of IPv6, and is to ask ${to}`)
    const remedy = `give ${client} an address of a wider network in topology.yaml`
    return give(enough(freeIpv6(home, taken, count), home.text, remedy), home.prefix, home.device)
  }
  if (from === undefined) {
    const remedy = `name a range of its own, to which the other nodes get a route: addSources('${client}', { count: ${count}, from: '10.9.0.1' })`
    const free = freeAddresses(subnet, taken, count)
    return give(enough(free, `${network} (${subnet})`, remedy), parseSubnet(subnet)?.prefix ?? 32)
  }
  const addresses = addressesFrom(from, count)
  const clash = addresses.find(address => taken.has(address))
  if (clash !== undefined)
    throw new LvslabError('SOURCES_TAKEN', `${clash}, of the ${count} sources from ${from} on, is in use`, {
      remedy: 'name a range that nothing in the topology has, or leave `from` out',
      exitCode: 2,
    })
  const outside = addresses.filter(address => !isIn(subnet, address))
  await give(addresses, 32)
  // an address of the network itself is reached without
  const blocks = coveringBlocks(outside)
  for (const other of topology.nodes) {
    const way = other.interfaces.find(i => i.network === network)
    if (other === node || !way || blocks.length === 0) continue
    await run(
      other,
      blocks.map(block => `route replace ${block} dev ${way.name}`),
    )
  }
  return addresses
}

const usage = (message: string): LvslabError =>
  new LvslabError('USAGE', message, { remedy: "lab.addSources('c1', { count: 250, from: '10.9.0.1' })", exitCode: 2 })

const placeOf = (
  topology: Topology,
  client: string,
): { node: Node; device: string; network: string; subnet: string } => {
  const node = topology.nodes.find(n => n.name === client && n.role === 'client')
  const [way] = node?.interfaces ?? []
  const network = topology.networks.find(n => n.name === way?.network)
  if (!node || !way || !network) {
    const clients = topology.nodes.filter(n => n.role === 'client').map(n => n.name)
    throw usage(`${client} is not a client of ${topology.name}; its clients are ${clients.join(', ')}`)
  }
  return { node, device: way.name, network: network.name, subnet: network.subnet }
}

/** Every address that the topology gives to somebody, and that any node held at any time: VIPs that moved are taken too. */
export const takenAddresses = (topology: Topology, events: Iterable<LabEvent>): Set<string> => {
  const taken = new Set<string>(topology.networks.flatMap(n => n.gateway ?? []))
  for (const address of topology.nodes.flatMap(addressesOf)) taken.add(address)
  for (const event of events) {
    if (event.kind === 'address') taken.add(event.address)
    if (event.kind === 'advert') for (const address of event.addresses) taken.add(address.replace(/\/.*/, ''))
  }
  return taken
}

/** The host addresses of a subnet that nobody has, lowest first, and no more than `atMost`. */
export const freeAddresses = (subnet: string, taken: ReadonlySet<string>, atMost = Infinity): string[] => {
  const range = parseSubnet(subnet)
  const free: string[] = []
  if (!range) return free
  for (let value = range.first + 1; value < range.last && free.length < atMost; value++) {
    const address = formatIpv4(value)
    if (!taken.has(address)) free.push(address)
  }
  return free
}

/** A network of IPv6 that a node has an address of. */
interface Ipv6Network {
  device: string
  first: bigint
  last: bigint
  prefix: number
  text: string
}

/** fe80::/10 (RFC 4291, 2.4). */
const LINK_LOCAL = 0xfe80n >> 6n

const networksOf = ({ interfaces }: Node): Ipv6Network[] =>
  interfaces.flatMap(({ name, addresses }) =>
    addresses.flatMap(text => {
      const [address = '', length] = text.split('/')
      const [value, prefix] = [parseIpv6(address), Number(length ?? 128)]
      // a link-local address is no source for whom a router leads to
      if (value === undefined || value >> 118n === LINK_LOCAL) return []
      const size = 1n << BigInt(128 - prefix)
      const first = value - (value % size)
      return [{ device: name, first, last: first + size - 1n, prefix, text: `${formatIpv6(first)}/${prefix}` }]
    }),
  )

/** The addresses of a network that nobody has, lowest first, but for its first, which all its routers have (RFC 4291, 2.6.1). */
const freeIpv6 = ({ first, last }: Ipv6Network, taken: ReadonlySet<string>, atMost: number): string[] => {
  const values = new Set([...taken].flatMap(address => parseIpv6(address) ?? []))
  const free: string[] = []
  for (let value = first + 1n; value <= last && free.length < atMost; value++)
    if (!values.has(value)) free.push(formatIpv6(value))
  return free
}

/** So many addresses from one on. */
export const addressesFrom = (from: string, count: number): string[] => {
  const first = parseIpv4(from)
  if (first === undefined) throw usage(`from ${from}: an IPv4 address is needed`)
  if (first + count > 2 ** 32) throw usage(`${count} sources from ${from} on: the last IPv4 address is 255.255.255.255`)
  return Array.from({ length: count }, (_, i) => formatIpv4(first + i))
}

const isIn = (subnet: string, address: string): boolean => {
  const [range, value] = [parseSubnet(subnet), parseIpv4(address)]
  return range !== undefined && value !== undefined && contains(range, value)
}

/** The fewest CIDR blocks that have exactly these addresses in them; ascending and without gaps where they came from a range. */
export const coveringBlocks = (addresses: string[]): string[] => {
  const left = addresses.flatMap(address => parseIpv4(address) ?? [])
  const blocks: string[] = []
  for (let i = 0; i < left.length; ) {
    const first = left[i] as number
    let size = 1
    // twice as large where the block still begins at its own boundary, and has nothing but what is asked for
    while (first % (2 * size) === 0 && left[i + 2 * size - 1] === first + 2 * size - 1) size *= 2
    blocks.push(`${formatIpv4(first)}/${32 - Math.log2(size)}`)
    i += size
  }
  return blocks
}
