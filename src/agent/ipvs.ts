import { readFileSync } from 'node:fs'
import type { IpvsDestination, IpvsService } from '../history/event.ts'
import { now } from './clock.ts'
import { record } from './journal.ts'
import { runInNode } from './namespace.ts'
import type { AgentNode } from './protocol.ts'

/**
 * Reads /proc/net/ip_vs, whose addresses and ports are hexadecimal (net/netfilter/ipvs/ip_vs_ctl.c, ip_vs_info_seq_show).
 * IPv6 addresses stand in brackets there and are kept as they are.
 */
export const parseIpvs = (text: string): IpvsService[] => {
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
      const mark = Number.parseInt(words[1] ?? '', 16)
      services.push({ service: `FWM ${mark}`, ...flags(words) })
    } else if (words[0]) {
      services.push({ service: `${words[0]} ${endpoint(words[1] ?? '').join(':')}`, ...flags(words) })
    }
  }
  return services
}

const flags = (words: string[]): Omit<IpvsService, 'service'> => ({
  scheduler: words[2] ?? '',
  persistent: words.includes('persistent'),
  destinations: [],
})

/** Address and port as the kernel writes them: `0A000064:0050`. */
export const endpoint = (text: string): [string, number] => {
  const colon = text.lastIndexOf(':')
  const [address, port] = [text.slice(0, colon), Number.parseInt(text.slice(colon + 1), 16)]
  if (address.startsWith('[')) return [address, port]
  const bytes = address.match(/../g) ?? []
  return [bytes.map(byte => Number.parseInt(byte, 16)).join('.'), port]
}

/** The IPVS table of a node as the kernel holds it now; empty where the node has none. */
export const ipvsTable = (node: AgentNode): IpvsService[] => {
  try {
    return parseIpvs(readFileSync(`/proc/${node.pid}/net/ip_vs`, 'utf8'))
  } catch {
    return [] // no ip_vs in this kernel, or the node is gone
  }
}

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
  const services = ipvsTable(node) // after what took time: it is stamped with the moment at which it held
  for (const { service, destinations } of services) {
    for (const destination of destinations) {
      const found = counters.get(`${service} ${destination.address}:${destination.port}`)
      if (found) destination.counters = found
    }
  }
  record({ kind: 'ipvs', t: now(), node: node.name, reason: 'step', services })
}

/** What a pool is, without the connection counters, which change with every request. */
const shape = (services: IpvsService[]): string =>
  JSON.stringify(services.map(s => [s.service, s.destinations.map(d => [d.address, d.port, d.weight])]))

const seen = new Map<string, string>()

/** Records the table of a node; `onlyChanged`: where the pool is not what it was at the last call. */
export const snapshotIpvs = (node: AgentNode, reason: string, onlyChanged: boolean): void => {
  const services = ipvsTable(node)
  const is = shape(services)
  if (onlyChanged && seen.get(node.name) === is) return
  seen.set(node.name, is)
  record({ kind: 'ipvs', t: now(), node: node.name, reason, services })
}

/** keepalived writes its log line before it changes the table, so the table is read again a little later. */
const AFTER_LOG_MS = [0, 5, 20, 100]

export const snapshotAfterLog = (node: AgentNode): void => {
  for (const ms of AFTER_LOG_MS) setTimeout(() => snapshotIpvs(node, 'log', true), ms)
}
