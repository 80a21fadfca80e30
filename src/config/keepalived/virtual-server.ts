import { isIP } from 'node:net'
import type { ForwardingMethod, Notice, Protocol, VirtualService } from '../../model/types.ts'
import { canonical } from './address.ts'
import { readTiming } from './health-check.ts'
import { keyword, type Statement } from './parse.ts'
import { readForwarding, readPort, readServers, readSorryServer, readWeight, type Target } from './real-server.ts'
import { all, argument, duration, flag, integer, last, note } from './values.ts'

const SCHEDULERS = ['rr', 'wrr', 'lc', 'wlc', 'lblc', 'lblcr', 'sh', 'dh', 'mh', 'sed', 'nq', 'fo', 'ovf', 'twos']

/**
 * One `virtual_server` with keepalived's own defaults and corrections (keepalived check_parser.c, check_data.c
 * `validate_check_config`). Undefined where keepalived leaves the service out.
 */
export const readService = (statement: Statement, notices: Notice[]): VirtualService | undefined => {
  const block = statement.block ?? []
  const protocol = readProtocol(block, statement, notices)
  const target = readTarget(statement, protocol, notices)
  if (!target) return undefined

  const forwarding = readForwarding(block, notices) ?? defaultForwarding(statement, target, notices)
  const timing = readTiming(block, 1, notices)
  timing.serviceDelayLoop = timing.delayLoop
  const weight = readWeight(block, notices) ?? 1
  const inhibit = flag(last(block, 'inhibit_on_failure'), notices) ?? false
  const realServers = readServers(block, target, { forwarding, weight, inhibit, timing }, notices)
  if (realServers.length === 0) {
    note(notices, statement, `virtual_server ${target.name} has no real servers; keepalived leaves it out`)
    return undefined
  }

  const sum = realServers.reduce((total, server) => total + server.weight, 0)
  const sorry = readSorryServer(block, target, forwarding, notices)
  const persistence = readPersistence(block, target, notices)
  return {
    ...target,
    protocol,
    scheduler: readScheduler(block, statement, target, notices),
    forwarding,
    ...(persistence === undefined ? {} : { persistence, ...readGranularity(block, target, notices) }),
    ...readQuorum(block, sum, notices),
    alpha: timing.alpha ?? false,
    ...(sorry === undefined ? {} : { sorryServer: sorry }),
    realServers,
    at: statement.at,
  }
}

const readTarget = (statement: Statement, protocol: Protocol, notices: Notice[]): Target | undefined => {
  const address = canonical(argument(statement))
  if (address === 'group') return { name: `group ${argument(statement, 2)}` }
  if (address === 'fwmark') {
    const text = argument(statement, 2)
    const fwmark = Number(text)
    if (/^\d+$/.test(text) && fwmark < 2 ** 32) return { name: `fwmark ${fwmark}`, fwmark }
    note(notices, statement, `virtual_server fwmark ${text} is not a number; keepalived leaves the service out`)
    return undefined
  }
  const port = readPort(statement.words[2]?.text)
  if (isIP(address) === 0 || port === undefined) {
    note(
      notices,
      statement,
      `virtual_server ${address} ${statement.words[2]?.text ?? ''} is not an address and a port; ` +
        'keepalived leaves the service out',
    )
    return undefined
  }
  const host = isIP(address) === 6 ? `[${address}]` : address
  return { name: `${host}:${port}/${protocol}`, address, port }
}

const readProtocol = (block: Statement[], statement: Statement, notices: Notice[]): Protocol => {
  let protocol: Protocol | undefined
  for (const line of all(block, 'protocol')) {
    if (argument(statement) === 'fwmark') {
      note(notices, line, 'a firewall mark has no protocol; keepalived ignores the line')
      continue
    }
    const word = argument(line).toUpperCase()
    if (word === 'TCP' || word === 'UDP' || word === 'SCTP') protocol = word
    else note(notices, line, `protocol ${argument(line)} is not TCP, UDP or SCTP; keepalived ignores the line`)
  }
  if (protocol) return protocol
  if (['fwmark', 'group'].includes(argument(statement))) return 'TCP'
  note(notices, statement, 'there is no protocol; keepalived takes UDP')
  return 'UDP'
}

const defaultForwarding = (statement: Statement, target: Target, notices: Notice[]): ForwardingMethod => {
  note(notices, statement, `virtual_server ${target.name} has no lvs_method; keepalived takes NAT`)
  return 'NAT'
}

const readScheduler = (block: Statement[], statement: Statement, target: Target, notices: Notice[]): string => {
  let scheduler: string | undefined
  for (const line of all(block, 'lvs_sched', 'lb_algo')) {
    const word = argument(line)
    if (SCHEDULERS.includes(word)) scheduler = word
    else note(notices, line, `${keyword(line)} ${word} is not a scheduler; keepalived ignores the line`)
  }
  if (scheduler === undefined)
    note(notices, statement, `virtual_server ${target.name} has no lvs_sched; keepalived takes wlc`)
  return scheduler ?? 'wlc'
}

/** ms; a persistence_timeout without a value is 360 s, and a service on all ports is persistent whatever it says. */
const readPersistence = (block: Statement[], target: Target, notices: Notice[]): number | undefined => {
  const line = last(block, 'persistence_timeout')
  if (line?.words.length === 1 || (!line && target.port === 0)) return 360_000
  return line && duration(line, { min: 1, max: 2_678_400, otherwise: 'ignores the line' }, notices)
}

/**
 * `persistence_granularity`: the clients of one network count as one; a netmask for IPv4, a prefix length for IPv6
 * (check_parser.c `pgr_handler`).
 */
const readGranularity = (
  block: Statement[],
  target: Target,
  notices: Notice[],
): Pick<VirtualService, 'persistencePrefix'> => {
  const line = last(block, 'persistence_granularity')
  if (!line) return {}
  const text = argument(line)
  if (isIP(target.address ?? '') === 6 && /^\d+$/.test(text) && Number(text) >= 1 && Number(text) <= 128)
    return { persistencePrefix: Number(text) }
  const bits = isIP(text) === 4 ? text.split('.').map(part => Number(part).toString(2).padStart(8, '0')) : []
  const prefix = /^(1+)0*$/.exec(bits.join(''))?.[1]?.length
  if (prefix !== undefined && isIP(target.address ?? '') !== 6) return { persistencePrefix: prefix }
  note(notices, line, `persistence_granularity ${text} is not a netmask of leading ones; the groups are not predicted`)
  return {}
}

const readQuorum = (block: Statement[], sum: number, notices: Notice[]): { quorum: number; hysteresis: number } => {
  const quorumLine = last(block, 'quorum')
  let quorum =
    (quorumLine && integer(quorumLine, { min: 1, max: 2 ** 31, otherwise: 'takes 1', lenient: true }, notices)) ?? 1
  if (quorumLine && quorum > sum) {
    note(notices, quorumLine, `quorum ${quorum} is above the weights of all real servers; keepalived takes ${sum}`)
    quorum = sum
  }
  const line = last(block, 'hysteresis')
  let hysteresis = (line && integer(line, { min: 0, max: 2 ** 31, otherwise: 'takes 0', lenient: true }, notices)) ?? 0
  if (line && hysteresis >= quorum) {
    hysteresis = Math.max(0, quorum - 1)
    note(notices, line, `hysteresis is not below the quorum; keepalived takes ${hysteresis}`)
  }
  return { quorum, hysteresis }
}
