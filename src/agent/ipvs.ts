import { closeSync, existsSync, openSync, readSync } from 'node:fs'
import { SocketAddress } from 'node:net'
import type { IpvsDestination, IpvsService } from '../history/event.ts'
import { atTimes } from './at-times.ts'
import { now } from './clock.ts'
import { record } from './journal.ts'
import { runInNode } from './namespace.ts'
import type { AgentNode, CommandResult } from './protocol.ts'
import { soonAfter } from './soon-after.ts'
import { serviceArguments, wholeTable } from './whole-table.ts'

/** How numbers are written: in /proc/net/ip_vs, or by `ipvsadm -Ln`. */
interface Notation {
  endpoint: (text: string) => [string, number]
  mark: (text: string) => number
}

/** Reads a table: three lines of heads, then each service with its destinations. */
const parseTable = (text: string, { endpoint, mark }: Notation): IpvsService[] => {
  const services: IpvsService[] = []
  for (const line of text.split('\n').slice(3)) {
    const words = line.trim().split(/\s+/)
    if (words[0] === '->') {
      const [address, port] = endpoint(words[1] ?? '')
      services.at(-1)?.destinations.push({
        address,
        port,
        forwarding: (words[2] ?? 'Route') as IpvsDestination['forwarding'],
        weight: Number(words[3]),
        active: Number(words[4]),
        inactive: Number(words[5]),
      })
    } else if (words[0] === 'FWM') {
      services.push({ service: `FWM ${mark(words[1] ?? '')}`, ...flags(words) })
    } else if (words[0]) {
      services.push({ service: `${words[0]} ${joined(...endpoint(words[1] ?? ''))}`, ...flags(words) })
    }
  }
  return services
}

const flags = (words: string[]): Omit<IpvsService, 'service'> => ({
  // ipvsadm says of a mark of IPv6 that it is one
  scheduler: (words[2] === 'IPv6' ? words[3] : words[2]) ?? '',
  persistent: words.includes('persistent'),
  destinations: [],
})

/** `10.0.0.100:80`, `[fd00::100]:80` */
const joined = (address: string, port: number): string =>
  address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`

/** `[fd00:0000:0000:0000:0000:0000:0000:0100]`, of which ipvsadm leaves the zeros out, as `fd00::100`; others as they are. */
const shortened = (address: string): string =>
  address.startsWith('[') ? new SocketAddress({ address: address.slice(1, -1), family: 'ipv6' }).address : address

/** Address and port as the kernel writes them: `0A000064:0050`; an IPv6 address stands in brackets. */
export const endpoint = (text: string): [string, number] => {
  const colon = text.lastIndexOf(':')
  const [address, port] = [text.slice(0, colon), Number.parseInt(text.slice(colon + 1), 16)]
  if (address.startsWith('[')) return [shortened(address), port]
  const bytes = address.match(/../g) ?? []
  return [bytes.map(byte => Number.parseInt(byte, 16)).join('.'), port]
}

/** Reads /proc/net/ip_vs, whose addresses and ports are hexadecimal (net/netfilter/ipvs/ip_vs_ctl.c, ip_vs_info_seq_show). */
export const parseIpvs = (text: string): IpvsService[] =>
  parseTable(text, { endpoint, mark: word => Number.parseInt(word, 16) })

/** Reads what `ipvsadm -Ln` prints. */
export const parseIpvsadm = (text: string): IpvsService[] =>
  parseTable(text, {
    endpoint: word => {
      const colon = word.lastIndexOf(':')
      return [shortened(word.slice(0, colon)), Number(word.slice(colon + 1))]
    },
    mark: Number,
  })

/** More than the kernel gives in one read. */
const page = Buffer.alloc(2 ** 16)

/** What one read gives of a file, from a position on. */
const readOnce = (file: string, position: number): string => {
  const descriptor = openSync(file, 'r')
  try {
    return page.toString('latin1', 0, readSync(descriptor, page, 0, page.length, position))
  } finally {
    closeSync(descriptor)
  }
}

/**
 * The table from /proc where one read, of a page of memory, has all of it; undefined where it has not. The second read cannot be
 * trusted: it leaves services out when other network namespaces have some too, as ip_vs_info_seq_next counts those and
 * ip_vs_info_array, which finds the place again, does not. Reading from a later position walks there from the beginning (traverse,
 * fs/seq_file.c), so that it tells for certain whether anything comes after the first page.
 */
const smallTable = (node: AgentNode): IpvsService[] | undefined => {
  const file = `/proc/${node.pid}/net/ip_vs`
  try {
    const first = readOnce(file, 0)
    return readOnce(file, first.length + 1) === '' ? parseIpvs(first) : undefined
  } catch {
    return [] // no ip_vs in this kernel, or the node is gone
  }
}

/** Services that come twice, as others came while they were read (see whole-table.ts), once; a mark may be one of each family. */
const once = (services: IpvsService[]): IpvsService[] => [
  ...new Map(services.map((one, n) => [one.service.startsWith('FWM') ? n : one.service, one])).values(),
]

/** What `ipvsadm -Ln` came to; undefined, and trouble, where it failed: half a table would be judged as a whole one. */
export const listed = (node: AgentNode, { code, stdout, stderr }: CommandResult): IpvsService[] | undefined => {
  if (code === 0) return once(parseIpvsadm(stdout))
  const what = `ipvsadm ended with code ${code}, and its table is unknown: ${stderr.trim()}`
  record({ kind: 'trouble', t: now(), node: node.name, what })
  return undefined
}

/**
 * The table by netlink, which has all of it. It takes a process: on an emulated machine 30 ms for 60 services. A node that went
 * down meanwhile has another table since, or none: undefined where that is a large one, which is read when it has started.
 */
export const largeTable = async (node: AgentNode): Promise<IpvsService[] | undefined> => {
  const { pid } = node
  const result = await runInNode(node, ['ipvsadm', '-Ln', '--nosort'], 10_000)
  // the link is there for as long as the process has a network
  const lives = node.pid === pid && existsSync(`/proc/${pid}/ns/net`)
  return lives ? listed(node, result) : smallTable(node)
}

/** Undefined where it could not be read. */
type Table = Promise<IpvsService[] | undefined>

/**
 * Each reading takes instructions in which nobody is served, and many may be asked for in a row: so one is followed by three times as
 * long without.
 */
const REST = 3

const largeTables = new Map<AgentNode, () => Table>()

/** When the reading of a large table was begun, on the lab's clock. */
const begun = new WeakMap<IpvsService[], number>()

const stampedTable = async (node: AgentNode): Table => {
  const began = now()
  const services = await largeTable(node)
  if (services) begun.set(services, began)
  return services
}

/** Whether a node's kernel has a service; one that did not answer in time is asked again. */
const stands = async (node: AgentNode, service: string): Promise<boolean> => {
  const asked = serviceArguments(service).map(args => runInNode(node, ['ipvsadm', '-Ln', ...args], 10_000))
  return (await Promise.all(asked)).some(({ code }) => code === 0 || code === 124)
}

const wholeTableOf = (node: AgentNode): (() => Table) =>
  wholeTable(
    () => stampedTable(node),
    service => stands(node, service),
  )

const largeTableAtTimes = (node: AgentNode): Table => {
  const read = largeTables.get(node) ?? atTimes(wholeTableOf(node), REST)
  largeTables.set(node, read)
  return read()
}

/**
 * The IPVS table of a node as the kernel holds it now, at once where it is small; empty where the node has none, undefined where
 * it could not be read.
 */
export const ipvsTable = (node: AgentNode): IpvsService[] | Table => smallTable(node) ?? largeTableAtTimes(node)

/** Reads the counters of `ipvsadm -Ln --stats --exact`, by service and `address:port` of the real server. */
export const parseCounters = (text: string): Map<string, IpvsDestination['counters']> => {
  const counters = new Map<string, IpvsDestination['counters']>()
  let service = ''
  for (const line of text.split('\n')) {
    const [first = '', second = '', ...numbers] = line.trim().split(/\s+/)
    if (/^(TCP|UDP|SCTP|FWM)$/.test(first)) service = `${first} ${second}`
    if (first !== '->' || numbers.length !== 5) continue
    const [connections = 0, packetsIn = 0, packetsOut = 0, bytesIn = 0, bytesOut = 0] = numbers.map(Number)
    counters.set(`${service} ${second}`, { connections, packetsIn, packetsOut, bytesIn, bytesOut })
  }
  return counters
}

/** Records the table of a node with what each real server has got since the service was made. */
export const snapshotCounters = async (node: AgentNode): Promise<void> => {
  const { stdout } = await runInNode(node, ['ipvsadm', '-Ln', '--stats', '--exact'], 10_000)
  const counters = parseCounters(stdout)
  const services = await ipvsTable(node) // after what took time: it is stamped with the moment at which it held
  if (!services) return
  for (const { service, destinations } of services) {
    for (const destination of destinations) {
      const found = counters.get(`${service} ${joined(destination.address, destination.port)}`)
      if (found) destination.counters = found
    }
  }
  record({ kind: 'ipvs', t: now(), node: node.name, reason: 'step', ...sinceOf(node, services), services })
}

const shapes = new WeakMap<IpvsService[], string>()

/**
 * What a pool is, without the connection counters, which change with every request. Of a table that many have asked for it is made
 * once: for 1000 real servers that takes an emulated machine longer than to answer a health check.
 */
export const shape = (services: IpvsService[]): string => {
  const known = shapes.get(services)
  if (known !== undefined) return known
  const is = JSON.stringify(
    services.map(({ service, scheduler, persistent, destinations }) => [
      ...[service, scheduler, persistent],
      destinations.map(d => [d.address, d.port, d.forwarding, d.weight]),
    ]),
  )
  shapes.set(services, is)
  return is
}

const seen = new Map<string, string>()

/** When the last reading of a node's table was begun. */
const lastBegun = new Map<string, number>()

/** When the reading before this one was begun; this one is the last from here on. */
const sinceOf = ({ name }: AgentNode, services: IpvsService[]): { since?: number } => {
  const since = lastBegun.get(name)
  lastBegun.set(name, Math.max(since ?? 0, begun.get(services) ?? now()))
  return since === undefined ? {} : { since }
}

/**
 * Records the table of a node, before it returns where that is small; `onlyChanged`: where the pool is not what it was at the
 * last call. A large table is stamped when it has been read, never before it held.
 *
 * @returns the table, recorded or not; undefined where it could not be read
 */
export const snapshotIpvs = async (
  node: AgentNode,
  reason: string,
  onlyChanged: boolean,
): Promise<IpvsService[] | undefined> => {
  const table = ipvsTable(node)
  const services = Array.isArray(table) ? table : await table
  if (!services) return undefined
  const is = shape(services)
  const since = sinceOf(node, services)
  if (!onlyChanged || seen.get(node.name) !== is) {
    seen.set(node.name, is)
    record({ kind: 'ipvs', t: now(), node: node.name, reason, ...since, services })
  }
  return services
}

/** keepalived writes its log line before it changes the table, so the table is read again a little later. */
const AFTER_LOG_MS = [0, 5, 20, 100]

/**
 * With 1000 real servers on two directors, of which one in ten goes, lines come all the time, and both would do little but read: the
 * line itself tells when the table changed, and the table that it did.
 */
const LARGE_AFTER_LOG_MS = [1000]

type Soon = (() => void)[]
const afterLog = new Map<AgentNode, { small: Soon; large: Soon }>()

export const snapshotAfterLog = (node: AgentNode): void => {
  const read = (): void => void snapshotIpvs(node, 'log', true)
  const soon = (moments: number[]): Soon => moments.map(ms => soonAfter(ms, read))
  const known = afterLog.get(node) ?? { small: soon(AFTER_LOG_MS), large: soon(LARGE_AFTER_LOG_MS) }
  afterLog.set(node, known)
  for (const one of largeTables.has(node) ? known.large : known.small) one()
}
