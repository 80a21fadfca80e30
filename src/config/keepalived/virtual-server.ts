import type { ForwardingMethod, Notice, Protocol, RealServer, VirtualService } from '../../model/types.ts'
import { SCHEDULERS } from '../words.ts'
import { addressOf, ipVersion } from './address.ts'
import { readTiming } from './health-check.ts'
import { keyword, type Statement } from './parse.ts'
import {
  noteGroupPorts,
  readForwarding,
  readTunnel,
  readPort,
  readServers,
  readSorryServer,
  readWeight,
  type Target,
} from './real-server.ts'
import { type GroupEntry, MOST_ADDRESSES } from './server-group.ts'
import { all, argument, duration, flag, integer, last, note } from './values.ts'

/** Services and their real servers that groups may make of a configuration; beyond, one is kept that nobody predicts. */
const MOST_FROM_GROUPS = 100_000

/** The `virtual_server_group` blocks, and how much has been made of them. */
export class Groups {
  readonly entries: Map<string, GroupEntry[]>
  #made = 0

  constructor(entries: Map<string, GroupEntry[]>) {
    this.entries = entries
  }

  /** Whether so many more may be made. */
  take(count: number): boolean {
    if (this.#made + count > MOST_FROM_GROUPS) return false
    this.#made += count
    return true
  }
}

/**
 * One `virtual_server` with keepalived's own defaults and corrections (keepalived check_parser.c, check_data.c
 * `validate_check_config`): one service, or one for each address and mark of its group, as IPVS has them. None where
 * keepalived leaves it out.
 */
export const readServices = (statement: Statement, groups: Groups, notices: Notice[]): VirtualService[] => {
  const block = statement.block ?? []
  const protocol = readProtocol(block, statement, groups, notices)
  const targets = readTargets(statement, protocol, groups, notices)
  const [first] = targets
  if (!first) return []
  const name = spokenName(statement, first)

  const forwarding = readForwarding(block, notices) ?? defaultForwarding(statement, name, notices)
  const timing = readTiming(block, 1, notices)
  timing.serviceDelayLoop = timing.delayLoop
  const weight = readWeight(block, 'service', notices) ?? 1
  const inhibit = flag(last(block, 'inhibit_on_failure'), notices) ?? false
  const defaults = { forwarding, tunnel: readTunnel(block), weight, inhibit, timing }
  const realServers = readServers(block, first, defaults, notices)
  if (realServers.length === 0) {
    note(notices, statement, `virtual_server ${name} has no real servers; keepalived leaves it out`)
    return []
  }

  const sum = realServers.reduce((total, server) => total + server.weight, 0)
  const sorry = readSorryServer(block, first, forwarding, notices)
  noteGroupPorts(block, otherPorts(targets), forwarding, notices)
  const allPorts = targets.some(target => target.port === 0)
  const asked = readPersistence(block, notices)
  if (allPorts && asked === undefined)
    note(notices, statement, `virtual_server ${name} is for all ports, and not persistent; keepalived takes 360 s`)
  // the kernel has services on all ports for persistent clients alone
  const persistence = asked ?? (allPorts ? 360_000 : undefined)
  const scheduler = readScheduler(block, statement, name, notices)
  const common = {
    protocol,
    scheduler,
    forwarding,
    ...(persistence === undefined ? {} : { persistence, ...readGranularity(block, first, notices) }),
    ...readFlags(block, scheduler, notices),
    ...readOnePacket(block, first, protocol, notices),
    ...readQuorum(block, sum, notices),
    alpha: timing.alpha ?? false,
    at: statement.at,
  }
  const withServers = (realServers: RealServer[], sorryServer: VirtualService['sorryServer']) => ({
    ...common,
    ...(sorryServer ? { sorryServer } : {}),
    realServers,
  })
  const service = withServers(realServers, sorry)
  if (first.group !== undefined && !groups.take(targets.length * (1 + realServers.length))) {
    const size = `${targets.length} services of ${realServers.length} real servers each`
    note(notices, statement, `${name} has ${size}, which are not predicted`)
    return [{ name, ...(first.group === undefined ? {} : { group: first.group }), ...service }]
  }
  // a mark has no family of its own
  const isSix = last(block, 'ip_family')?.words[1]?.text === 'inet6' || ipVersion(realServers[0]?.address ?? '') === 6
  // they differ in the ports of their servers alone
  const byPort = new Map([[portKey(first), service]])
  return targets.map((target): VirtualService => {
    const found =
      byPort.get(portKey(target)) ??
      withServers(readServers(block, target, defaults, []), readSorryServer(block, target, forwarding, []))
    byPort.set(portKey(target), found)
    return { ...target, ...(target.fwmark !== undefined && isSix ? { family: 6 } : {}), ...found }
  })
}

/** One service of a group for each port, and each mark, beside those of the first. */
const otherPorts = (targets: Target[]): Target[] => {
  const byPort = new Map(targets.toReversed().map(target => [portKey(target), target]))
  if (targets[0]) byPort.delete(portKey(targets[0]))
  return [...byPort.values()]
}

/** Services with the same key have the same servers. */
const portKey = ({ port, fwmark }: Target): string => (fwmark === undefined ? `port ${port}` : 'fwmark')

const spokenName = (statement: Statement, { name, group }: Target): string =>
  group === undefined ? name : `group ${argument(statement, 2)}`

const readTargets = (statement: Statement, protocol: Protocol, groups: Groups, notices: Notice[]): Target[] => {
  if (argument(statement) !== 'group') {
    const target = readTarget(statement, protocol, notices)
    return target ? [target] : []
  }
  const group = argument(statement, 2)
  const entries = groups.entries.get(group)
  if (!entries) {
    note(notices, statement, `there is no virtual_server_group ${group}; keepalived leaves the service out`)
    return []
  }
  if (entries.some(entry => 'addresses' in entry && entry.addresses.length === 0)) {
    note(
      notices,
      statement,
      `virtual_server_group ${group} has more than ${MOST_ADDRESSES} addresses; it is not predicted`,
    )
    return [{ name: `group ${group}`, group }]
  }
  return entries.flatMap((entry): Target[] =>
    'fwmark' in entry
      ? [{ name: `fwmark ${entry.fwmark}`, ...entry, group }]
      : entry.addresses.map(address => ({
          name: nameOf(address, entry.port, protocol),
          address,
          port: entry.port,
          group,
        })),
  )
}

const nameOf = (address: string, port: number, protocol: Protocol): string =>
  `${ipVersion(address) === 6 ? `[${address}]` : address}:${port}/${protocol}`

const readTarget = (statement: Statement, protocol: Protocol, notices: Notice[]): Target | undefined => {
  const address = addressOf(argument(statement))
  if (address === 'fwmark') {
    const text = argument(statement, 2)
    const fwmark = Number(text)
    if (/^\d+$/.test(text) && fwmark < 2 ** 32) return { name: `fwmark ${fwmark}`, fwmark }
    note(notices, statement, `virtual_server fwmark ${text} is not a number; keepalived leaves the service out`)
    return undefined
  }
  const port = readPort(statement.words[2]?.text)
  if (ipVersion(address) === 0 || port === undefined) {
    note(
      notices,
      statement,
      `virtual_server ${argument(statement)} ${statement.words[2]?.text ?? ''} is not an address and a port; ` +
        'keepalived leaves the service out',
    )
    return undefined
  }
  return { name: nameOf(address, port, protocol), address, port }
}

const readProtocol = (block: Statement[], statement: Statement, groups: Groups, notices: Notice[]): Protocol => {
  const entries = argument(statement) === 'group' ? groups.entries.get(argument(statement, 2)) : undefined
  const marksAlone = argument(statement) === 'fwmark' || entries?.every(entry => 'fwmark' in entry)
  let protocol: Protocol | undefined
  for (const line of all(block, 'protocol')) {
    if (marksAlone) {
      note(notices, line, 'a firewall mark has no protocol; keepalived ignores the line')
      continue
    }
    const word = argument(line).toUpperCase()
    if (word === 'TCP' || word === 'UDP' || word === 'SCTP') protocol = word
    else note(notices, line, `protocol ${argument(line)} is not TCP, UDP or SCTP; keepalived ignores the line`)
  }
  if (protocol) return protocol
  // no word for what has none: it is the kernel's table that counts
  if (marksAlone || (argument(statement) === 'group' && !entries)) return 'TCP'
  note(notices, statement, 'there is no protocol; keepalived takes UDP')
  return 'UDP'
}

const defaultForwarding = (statement: Statement, name: string, notices: Notice[]): ForwardingMethod => {
  note(notices, statement, `virtual_server ${name} has no lvs_method; keepalived takes NAT`)
  return 'NAT'
}

const readScheduler = (block: Statement[], statement: Statement, name: string, notices: Notice[]): string => {
  let scheduler: string | undefined
  for (const line of all(block, 'lvs_sched', 'lb_algo')) {
    const word = argument(line)
    if (SCHEDULERS.includes(word)) scheduler = word
    else note(notices, line, `${keyword(line)} ${word} is not a scheduler; keepalived ignores the line`)
  }
  if (scheduler === undefined) note(notices, statement, `virtual_server ${name} has no lvs_sched; keepalived takes wlc`)
  return scheduler ?? 'wlc'
}

/** Flags of the scheduler, by the one that knows them (check_parser.c `lbflags_handler`). */
const FLAGS: Record<string, string | undefined> = {
  ...{ 'flag-1': undefined, 'flag-2': undefined, 'flag-3': undefined },
  ...{ 'sh-port': 'sh', 'sh-fallback': 'sh', 'mh-port': 'mh', 'mh-fallback': 'mh' },
}

const readFlags = (
  block: Statement[],
  scheduler: string,
  notices: Notice[],
): Pick<VirtualService, 'schedulerFlags' | 'persistenceEngine'> => {
  const schedulerFlags: string[] = []
  for (const line of all(block, ...Object.keys(FLAGS))) {
    const flag = keyword(line)
    if ((FLAGS[flag] ?? scheduler) === scheduler) schedulerFlags.push(flag)
    else note(notices, line, `${flag} is of the scheduler ${FLAGS[flag]}; keepalived ignores it with ${scheduler}`)
  }
  const engine = last(block, 'persistence_engine')
  return {
    ...(schedulerFlags.length > 0 ? { schedulerFlags } : {}),
    ...(engine ? { persistenceEngine: argument(engine) } : {}),
  }
}

/** `ops` is for UDP, and for firewall marks. */
const readOnePacket = (
  block: Statement[],
  target: Target,
  protocol: Protocol,
  notices: Notice[],
): Pick<VirtualService, 'onePacket'> => {
  const line = last(block, 'ops')
  if (!line) return {}
  if (protocol === 'UDP' || target.fwmark !== undefined) return { onePacket: true }
  note(notices, line, 'one-packet scheduling is for UDP; keepalived goes without it')
  return {}
}

/** ms; without a value it is 360 s. */
const readPersistence = (block: Statement[], notices: Notice[]): number | undefined => {
  const line = last(block, 'persistence_timeout')
  if (line?.words.length === 1) return 360_000
  return line && duration(line, { min: 1, max: 2_678_400, otherwise: 'ignores the line' }, notices)
}

/**
 * `persistence_granularity`: the clients of one network count as one; a netmask for IPv4, a prefix length for IPv6
 * (check_parser.c `pgr_handler`). A group has none (ipvswrapper.c `ipvs_group_range_cmd`).
 */
const readGranularity = (
  block: Statement[],
  target: Target,
  notices: Notice[],
): Pick<VirtualService, 'persistencePrefix'> => {
  const line = last(block, 'persistence_granularity')
  if (!line) return {}
  const text = argument(line)
  if (target.group !== undefined) {
    const message = `keepalived does not give persistence_granularity ${text} to the services of a group: each client stands for itself`
    note(notices, line, message)
    return {}
  }
  if (ipVersion(target.address ?? '') === 6 && /^\d+$/.test(text) && Number(text) >= 1 && Number(text) <= 128)
    return { persistencePrefix: Number(text) }
  const bits = ipVersion(text) === 4 ? text.split('.').map(part => Number(part).toString(2).padStart(8, '0')) : []
  const prefix = /^(1+)0*$/.exec(bits.join(''))?.[1]?.length
  if (prefix !== undefined && ipVersion(target.address ?? '') !== 6) return { persistencePrefix: prefix }
  note(notices, line, `persistence_granularity ${text} is not a netmask of leading ones; the groups are not predicted`)
  return {}
}

const readQuorum = (block: Statement[], sum: number, notices: Notice[]): { quorum: number; hysteresis: number } => {
  const quorumLine = last(block, 'quorum')
  let quorum =
    (quorumLine && integer(quorumLine, { min: 1, max: 2 ** 32 - 1, otherwise: 'takes 1', lenient: true }, notices)) ?? 1
  if (quorumLine && quorum > sum) {
    note(notices, quorumLine, `quorum ${quorum} is above the weights of all real servers; keepalived takes ${sum}`)
    quorum = sum
  }
  const line = last(block, 'hysteresis')
  let hysteresis =
    (line && integer(line, { min: 0, max: 2 ** 32 - 1, otherwise: 'takes 0', lenient: true }, notices)) ?? 0
  if (line && hysteresis >= quorum) {
    hysteresis = Math.max(0, quorum - 1)
    note(notices, line, `hysteresis is not below the quorum; keepalived takes ${hysteresis}`)
  }
  return { quorum, hysteresis }
}
