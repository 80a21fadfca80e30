import { SCHEDULERS, type SchedulerName } from './registry.ts'
import type { Connection, Destination, SchedulerFlag, SchedulerService, Server } from './types.ts'

/**
 * An IPVS service without persistence: the scheduler and what it sees. Servers are known by number, in the order of their
 * first addition. Thresholds (`--u-threshold`) are not modelled.
 *
 * What a connection counts as is the kernel's (tcp_state_active_table, net/netfilter/ipvs/ip_vs_proto_tcp.c): active from the
 * SYN on, inactive from the FIN or RST on, gone when its entry expires. ESTABLISHED changes nothing.
 */
export interface Scheduler {
  /** A SYN: the server that gets the connection, which is active from now on; undefined where nobody gets it. */
  connect(connection: Connection): number | undefined
  /** A connection that came to be otherwise, from the other director for instance: counts as active. */
  count(server: number): void
  /** FIN or RST. The entry of a server that was removed does not see it. */
  close(server: number): void
  /** The entry of a connection that was closed expires. */
  expire(server: number): void
  /** `ipvsadm -e`, keepalived's reload: also a weight that stays as it is makes some schedulers start anew. */
  setWeight(server: number, weight: number): void
  /** Its connections are kept, and count again if it is added again. */
  remove(server: number): void
  /** Adds a server, or one again that was removed less than two minutes ago; returns its number. */
  add(server: Server): number
  /** What the scheduler sees, in the kernel's order. */
  readonly destinations: readonly Readonly<Destination>[]
}

export interface SchedulerOptions {
  flags?: Iterable<SchedulerFlag>
  /** See {@link SchedulerService.random}; only `twos` asks for it. */
  random?: () => number
}

/**
 * A scheduler of the Linux kernel (6.12) as a state machine.
 *
 * @param servers in the order in which they were added to the service
 */
export const createScheduler = (
  name: SchedulerName,
  servers: readonly Server[],
  { flags = [], random = Math.random }: SchedulerOptions = {},
): Scheduler => {
  const known: Destination[] = []
  const list: Destination[] = []
  const service: SchedulerService = { destinations: list, flags: new Set(flags), random }
  const algorithm = SCHEDULERS[name].create(service)

  const numbered = (server: number): Destination => {
    const destination = known[server]
    if (!destination) throw new RangeError(`no server ${server}, there are ${known.length}`)
    return destination
  }
  const add = ({ address, port, weight }: Server): number => {
    let destination = known.find(one => one.address === address && one.port === port)
    if (destination?.available) throw new RangeError(`${address}:${port} is there already`)
    if (!destination) {
      const none = { lastWeight: 0, active: 0, inactive: 0, available: false }
      destination = { index: known.length, address, port, weight, ...none }
      known.push(destination)
    }
    destination.weight = weight
    destination.lastWeight = weight
    destination.available = true
    list.unshift(destination)
    algorithm.changed?.()
    return destination.index
  }
  // one after the other, as the kernel gets them: some schedulers end up elsewhere than with all at once
  for (const server of servers) add(server)

  return {
    destinations: list,
    add,
    connect(connection) {
      const destination = algorithm.schedule(connection)
      if (destination) destination.active++
      return destination?.index
    },
    count(server) {
      numbered(server).active++
    },
    close(server) {
      const destination = numbered(server)
      if (!destination.available) return
      destination.active--
      destination.inactive++
    },
    expire(server) {
      numbered(server).inactive--
    },
    setWeight(server, weight) {
      const destination = numbered(server)
      destination.weight = weight
      if (weight !== 0) destination.lastWeight = weight
      algorithm.changed?.()
    },
    remove(server) {
      const destination = numbered(server)
      const position = list.indexOf(destination)
      list.splice(position, 1)
      destination.available = false
      algorithm.removed?.(destination, list[position - 1])
      algorithm.changed?.()
    },
  }
}
