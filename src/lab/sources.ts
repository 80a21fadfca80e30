import { LvslabError } from '../errors.ts'
import type { LabEvent } from '../history/event.ts'
import { addressesOf } from '../topology/addresses.ts'
import { contains, formatIpv4, parseIpv4, parseSubnet } from '../topology/ipv4.ts'
import type { Node, Topology } from '../topology/types.ts'
import type { AgentConnection } from './agent-connection.ts'

export interface SourceOptions {
  /** How many. */
  count: number
  /** The first of them; free ones of the client's own network where it is left out. */
  from?: string
}

/** Addresses that somebody has, or was given. */
interface Taken {
  events: Iterable<LabEvent>
  given: Set<string>
}

const COMMAND_TIMEOUT_MS = 30_000

/** See `LabProbes.addSources`. */
export const addSources = async (
  agent: AgentConnection,
  topology: Topology,
  { events, given }: Taken,
  client: string,
  { count, from }: SourceOptions,
): Promise<string[]> => {
  const { node, device, network, subnet } = placeOf(topology, client)
  if (!Number.isInteger(count) || count < 1) throw usage(`count ${count}: 1 or more sources can be added`)
  const taken = new Set([...takenAddresses(topology, events), ...given])
  const run = async (on: Node, lines: string[]): Promise<void> => {
    const argv = ['sh', '-c', `ip -batch - <<'END'\n${lines.join('\n')}\nEND`]
    const result = await agent.call('exec', { node: on.name, argv, timeoutMs: COMMAND_TIMEOUT_MS, record: true })
    if (result.code === 0) return
    throw new LvslabError('SOURCES_FAILED', `ip on ${on.name} ended with ${result.code}: ${result.stderr.trim()}`)
  }
  const give = async (addresses: string[], prefix: number): Promise<string[]> => {
    for (const address of addresses) given.add(address)
    await run(
      node,
      addresses.map(address => `address add ${address}/${prefix} dev ${device}`),
    )
    return addresses
  }
  if (from === undefined) {
    const free = freeAddresses(subnet, taken)
    if (free.length < count) {
      throw new LvslabError(
        'SOURCES_FULL',
        `${network} (${subnet}) has ${free.length} free addresses for sources of ${client}; ${count} were asked for`,
        {
          remedy: `name a range of its own, to which the other nodes get a route: addSources('${client}', { count: ${count}, from: '10.9.0.1' })`,
          exitCode: 2,
        },
      )
    }
    return give(free.slice(0, count), parseSubnet(subnet)?.prefix ?? 32)
  }
  const addresses = addressesFrom(from, count)
  const clash = addresses.find(address => taken.has(address))
  if (clash !== undefined)
    throw new LvslabError('SOURCES_TAKEN', `${clash}, of the ${count} sources from ${from} on, is in use`, {
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

const usage = (message: string): LvslabError => new LvslabError('USAGE', message, { exitCode: 2 })

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

/** The host addresses of a subnet that nobody has, lowest first. */
export const freeAddresses = (subnet: string, taken: ReadonlySet<string>): string[] => {
  const range = parseSubnet(subnet)
  const free: string[] = []
  if (!range) return free
  for (let value = range.first + 1; value < range.last; value++) {
    const address = formatIpv4(value)
    if (!taken.has(address)) free.push(address)
  }
  return free
}

/** So many addresses from one on. */
export const addressesFrom = (from: string, count: number): string[] => {
  const first = parseIpv4(from)
  if (first === undefined || first + count > 2 ** 32) throw usage(`from ${from}: an IPv4 address is needed`)
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
