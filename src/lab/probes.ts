import type {
  CurlProbeOptions,
  HttpProbeOptions,
  ProbeOptions,
  TcpProbeOptions,
  UdpProbeOptions,
} from '../agent/protocol.ts'
import type { LabEvent } from '../history/event.ts'
import { formatIpv6, parseIpv6 } from '../topology/ipv6.ts'
import type { Topology } from '../topology/types.ts'
import type { AgentConnection } from './agent-connection.ts'
import { checkClient } from './checks.ts'
import { addSources, type SourceOptions } from './sources.ts'

/** A probe that is running. */
export interface Probe {
  name: string
  /** Sends no more, waits for the answers that are under way. */
  stop(): Promise<void>
  /** Waits until it has ended by itself: one with a `count`. */
  ended(): Promise<void>
}

/** What a suite says of a probe: `timeoutMs` may be left out. */
type Started<O extends ProbeOptions> = Omit<O, 'type' | 'timeoutMs'> & { timeoutMs?: number }

/**
 * The probes of a lab. Each goes out from a client and records what becomes of all that it sends.
 *
 * Those that cannot be throw PROBE_CLIENT or AGENT_REFUSED.
 */
export interface LabProbes {
  /** Open loop of HTTP or HTTPS requests from a client, each on a connection of its own. */
  http(options: Started<HttpProbeOptions>): Promise<Probe>
  /** The real curl in a client, one request after the other, `pauseMs` between them. */
  curl(options: Started<CurlProbeOptions>): Promise<Probe>
  /** Holds TCP connections open and talks on them; the other side answers each line with one, like the service `echo`. */
  tcp(options: Started<TcpProbeOptions>): Promise<Probe>
  /** Open loop of datagrams; the other side answers each with one, like the service `echo`. */
  udp(options: Started<UdpProbeOptions>): Promise<Probe>
  /**
   * Gives a client further addresses, for `sources` of its probes: free ones of its own network, or those from `from` on;
   * then every other node of that network gets a route to them. With `to`, of
   * the family of whom they ask.
   *
   * @returns the addresses
   * @throws LvslabError SOURCES_FULL where the network has too few that are free, SOURCES_TAKEN, SOURCES_FAILED
   */
  addSources(client: string, options: SourceOptions): Promise<string[]>
}

/** Time that one request of a probe may take, ms; the client's share in the gap that a failover shows. */
export const REQUEST_TIMEOUT_MS = 1000

/** A source as the kernel tells of it: IPv6 may be written in many ways. */
const asKernel = (source: string): string => {
  const six = parseIpv6(source)
  return six === undefined ? source : formatIpv6(six)
}

/** The probes of the lab that an agent serves; `events` is its journal so far. */
export const labProbes = (agent: AgentConnection, topology: Topology, events: Iterable<LabEvent>): LabProbes => {
  const start = async (options: ProbeOptions): Promise<Probe> => {
    const { probe, client, sources } = options
    checkClient(topology, probe, client)
    const asHeld = sources?.map(asKernel)
    await agent.call('startProbe', { ...options, ...(asHeld && { sources: asHeld }) })
    return {
      name: probe,
      stop: async () => void (await agent.call('stopProbe', { probe })),
      ended: async () => void (await agent.call('endedProbe', { probe })),
    }
  }
  const timeoutMs = REQUEST_TIMEOUT_MS
  const given = new Set<string>()
  return {
    http: options => start({ type: 'http', timeoutMs, ...options }),
    curl: options => start({ type: 'curl', timeoutMs, ...options }),
    tcp: options => start({ type: 'tcp', timeoutMs, ...options }),
    udp: options => start({ type: 'udp', timeoutMs, ...options }),
    addSources: (client, options) => addSources(agent, topology, { events, given }, client, options),
  }
}
