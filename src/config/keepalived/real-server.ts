import type { ForwardingMethod, HealthCheck, Notice, RealServer, VirtualService } from '../../model/types.ts'
import { addressOf, ipVersion } from './address.ts'
import { type CheckDefaults, mergeTiming, readChecks, readTiming } from './health-check.ts'
import { keyword, type Statement } from './parse.ts'
import { all, argument, flag, integer, last, note } from './values.ts'

/** What a service is addressed by. */
export type Target = Pick<VirtualService, 'name' | 'address' | 'port' | 'fwmark' | 'family' | 'group'>

/** No port, and port 0, mean all ports. */
export const readPort = (text: string | undefined): number | undefined => {
  if (text === undefined) return 0
  const port = Number(text)
  return /^\d+$/.test(text) && port <= 65_535 ? port : undefined
}

/** `lvs_method`, or `lb_kind` as it was called, of a service or a server. */
export const readForwarding = (block: Statement[], notices: Notice[]): ForwardingMethod | undefined => {
  let method: ForwardingMethod | undefined
  for (const line of all(block, 'lvs_method', 'lb_kind')) {
    const word = argument(line)
    if (word === 'NAT' || word === 'DR' || word === 'TUN') method = word
    else note(notices, line, `${keyword(line)} ${word} is not NAT, DR or TUN; keepalived ignores the line`)
  }
  return method
}

/** Of TUN, the options behind it; undefined where there are none (check_parser.c `svr_forwarding_handler`). */
export const readTunnel = (block: Statement[]): RealServer['tunnel'] => {
  const options = last(block, 'lvs_method', 'lb_kind')?.words.slice(1) ?? []
  const [method, ...rest] = options.map(word => word.text)
  if (method !== 'TUN' || rest.length === 0) return undefined
  const type = rest.includes('type') ? rest[rest.indexOf('type') + 1] : 'ipip'
  if (type !== 'ipip' && type !== 'gue' && type !== 'gre') return undefined
  const port = rest.includes('port') ? Number(rest[rest.indexOf('port') + 1]) : undefined
  const checksum = (['csum', 'nocsum', 'remcsum'] as const).find(one => rest.includes(one))
  return { type, ...(port === undefined ? {} : { port }), ...(checksum === undefined ? {} : { checksum }) }
}

/**
 * `weight` of a server, or of all servers of a service (check_parser.c `rs_weight_handler`, `vs_weight_handler`). The kernel has an
 * int for it and refuses negative ones alone (ip_vs_ctl.c `ip_vs_add_dest`); the 65535 of others is ipvsadm's.
 */
export const readWeight = (block: Statement[], of: 'server' | 'service', notices: Notice[]): number | undefined => {
  const line = last(block, 'weight')
  const min = of === 'server' ? 0 : 1
  return line && integer(line, { min, max: 2 ** 31 - 1, otherwise: 'ignores the line', lenient: true }, notices)
}

/**
 * The port that IPVS gets. DR and TUN do not rewrite packets, so keepalived forces the service's own port on the
 * server; with a firewall mark there is none, and one that is written is left to the health check alone.
 */
const serverPort = (
  line: Statement,
  target: Target,
  forwarding: ForwardingMethod,
  notices: Notice[],
): number | undefined => {
  const written = readPort(line.words[2]?.text)
  if (written === undefined) return undefined
  if (target.port === undefined && target.fwmark === undefined) return written
  const service = target.port ?? 0
  // of a group's servers keepalived keeps what is written: their services have ports of their own
  if (written === 0) return target.group !== undefined && forwarding === 'NAT' ? 0 : service
  if (forwarding === 'NAT' || written === service) return written
  const what =
    target.fwmark === undefined
      ? `${forwarding} cannot rewrite it, so keepalived takes ${service}`
      : 'a firewall mark has none, so keepalived clears it'
  note(notices, line, `${keyword(line)} ${argument(line)} has port ${written}; ${what}`)
  return service
}

/** Those that connect; of DNS and SMTP keepalived has no port either (check_api.c `queue_checker`, check_smtp.c). */
const CONNECTING = ['HTTP_GET', 'SSL_GET', 'TCP_CHECK', 'UDP_CHECK', 'DNS_CHECK', 'SMTP_CHECK']

/** A check that is told no port asks the one that is written, also where keepalived takes another for the server. */
const askingWritten = (line: Statement, port: number, checks: HealthCheck[]): HealthCheck[] => {
  const written = readPort(line.words[2]?.text) || port
  if (written === port) return checks
  return checks.map(check =>
    CONNECTING.includes(check.type) ? { ...check, target: { port: written, ...check.target } } : check,
  )
}

/** A check that is told no port asks that of its server, which for a mark, or a service on all ports, is 0. */
const noteNoPort = (line: Statement, checks: HealthCheck[], notices: Notice[]): void => {
  if ((readPort(line.words[2]?.text) ?? 0) !== 0) return
  for (const { keyword: name, type, target, udp } of checks) {
    if (!CONNECTING.includes(type) || target?.port !== undefined) continue
    const result = udp?.requireReply === false ? 'passes only where nothing answers' : 'fails'
    note(notices, line, `${name} of real_server ${argument(line)} has no port, and ${result}; say connect_port`)
  }
}

/** What a service sets for the servers in it. */
export interface ServerDefaults {
  forwarding: ForwardingMethod
  tunnel: RealServer['tunnel']
  weight: number
  inhibit: boolean
  timing: CheckDefaults
}

/** Of servers that the kernel cannot have behind the service. */
const OTHER_FAMILY = 'is not of the family of the service'

/** The family that a service has before its servers are read; marks and groups have that of `ip_family`, or none. */
const familyOf = (block: Statement[], { address, group }: Target): number => {
  const said = { inet: 4, inet6: 6 }[last(block, 'ip_family')?.words[1]?.text ?? ''] ?? 0
  return address === undefined || group !== undefined ? said : ipVersion(address)
}

/**
 * The servers of another family than the service's, of which TUN alone may have some: without a family of its own a service has
 * that of its first server behind NAT or DR. What counts is the method that was read before the server (check_parser.c
 * `rs_end_handler`, `vs_end_handler`).
 */
const strangersIn = (block: Statement[], target: Target): Set<Statement> => {
  let family = familyOf(block, target)
  let method: ForwardingMethod | undefined
  const strangers = new Set<Statement>()
  const judge = (line: Statement, own: ForwardingMethod | undefined): void => {
    const its = ipVersion(addressOf(line.words[1]?.text ?? ''))
    if (its === 0 || own === 'TUN') return
    if (family === 0) family = its
    else if (its !== family) strangers.add(line)
  }
  for (const line of block) {
    method = readForwarding([line], []) ?? method
    if (keyword(line) === 'real_server') judge(line, readForwarding(line.block ?? [], []) ?? method)
  }
  const sorry = last(block, 'sorry_server')
  if (sorry) judge(sorry, sorryMethod(block, []) ?? method)
  return strangers
}

/** What stands before the sorry server is of none (check_parser.c `ssvr_forwarding_handler`, `ssvri_handler`). */
const beforeSorry = (block: Statement[]): Statement[] => {
  const first = block.findIndex(line => keyword(line) === 'sorry_server')
  return all(first < 0 ? block : block.slice(0, first), 'sorry_server_lvs_method', 'sorry_server_inhibit')
}

/** `sorry_server_lvs_method`. */
const sorryMethod = (block: Statement[], notices: Notice[]): ForwardingMethod | undefined =>
  readForwarding(
    all(block.slice(block.findIndex(line => keyword(line) === 'sorry_server')), 'sorry_server_lvs_method').map(one => ({
      ...one,
      words: [{ text: 'lvs_method', at: one.at }, ...one.words.slice(1)],
    })),
    notices,
  )

/**
 * Says of which servers of a group DR and TUN cannot have the port, of services of the group beside the first: each has a port of its
 * own, and its servers the one that is written (check_data.c `validate_check_config`).
 */
export const noteGroupPorts = (
  block: Statement[],
  targets: Target[],
  forwarding: ForwardingMethod,
  notices: Notice[],
): void => {
  const strangers = targets[0] ? strangersIn(block, targets[0]) : new Set()
  for (const line of all(block, 'real_server', 'sorry_server')) {
    if (strangers.has(line) || ipVersion(addressOf(line.words[1]?.text ?? '')) === 0) continue
    const own = keyword(line) === 'real_server' ? readForwarding(line.block ?? [], []) : sorryMethod(block, [])
    for (const target of targets) serverPort(line, target, own ?? forwarding, notices)
  }
}

/** The `real_server` blocks of a service (keepalived check_data.c `alloc_rs`, `validate_check_config`). */
export const readServers = (
  block: Statement[],
  target: Target,
  defaults: ServerDefaults,
  notices: Notice[],
): RealServer[] => {
  const servers: RealServer[] = []
  const known = new Set<string>()
  const strangers = strangersIn(block, target)
  for (const line of all(block, 'real_server')) {
    const inner = line.block ?? []
    const address = addressOf(argument(line))
    if (strangers.has(line)) {
      note(notices, line, `real_server ${address} ${OTHER_FAMILY}; keepalived leaves it out`)
      continue
    }
    const own = readForwarding(inner, notices)
    const forwarding = own ?? defaults.forwarding
    const tunnel = own === undefined ? defaults.tunnel : readTunnel(inner)
    const port = serverPort(line, target, forwarding, notices)
    if (ipVersion(address) === 0 || port === undefined) {
      note(
        notices,
        line,
        `real_server ${argument(line)} ${line.words[2]?.text ?? ''} is not an address and a port; keepalived leaves it out`,
      )
      continue
    }
    if (known.has(`${address} ${port}`)) {
      note(notices, line, `real_server ${address}:${port} stands twice; keepalived leaves the second out`)
      continue
    }
    known.add(`${address} ${port}`)
    const checks = readChecks(inner, mergeTiming(readTiming(inner, 1, notices), defaults.timing), notices)
    if (port === 0) noteNoPort(line, checks, notices)
    servers.push({
      address,
      port,
      weight: readWeight(inner, 'server', notices) ?? defaults.weight,
      forwarding,
      inhibitOnFailure: flag(last(inner, 'inhibit_on_failure'), notices) ?? defaults.inhibit,
      checks: askingWritten(line, port, checks),
      ...(tunnel === undefined ? {} : { tunnel }),
      ...readThresholds(inner, notices),
      at: line.at,
    })
  }
  return servers
}

/** `uthreshold` and `lthreshold`; 0 is none. */
const readThresholds = (block: Statement[], notices: Notice[]): Partial<RealServer> => {
  const read = (name: string): number | undefined => {
    const line = last(block, name)
    return (
      (line && integer(line, { min: 0, max: 2 ** 32 - 1, otherwise: 'ignores it', lenient: true }, notices)) ||
      undefined
    )
  }
  const [upper, lower] = [read('uthreshold'), read('lthreshold')]
  return {
    ...(upper === undefined ? {} : { upperThreshold: upper }),
    ...(lower === undefined ? {} : { lowerThreshold: lower }),
  }
}

/** The `sorry_server` of a service; undefined where there is none, or keepalived goes without it. */
export const readSorryServer = (
  block: Statement[],
  target: Target,
  forwarding: ForwardingMethod,
  notices: Notice[],
): VirtualService['sorryServer'] => {
  const line = last(block, 'sorry_server')
  for (const early of beforeSorry(block))
    note(notices, early, `${keyword(early)} has no sorry_server before it; keepalived ignores the line`)
  if (!line) return undefined
  const address = addressOf(argument(line))
  if (strangersIn(block, target).has(line)) {
    note(notices, line, `sorry_server ${address} ${OTHER_FAMILY}; keepalived goes without it`)
    return undefined
  }
  const own = sorryMethod(block, notices)
  const port = serverPort(line, target, own ?? forwarding, notices)
  if (ipVersion(address) !== 0 && port !== undefined) return { address, port, at: line.at }
  note(notices, line, `sorry_server ${argument(line)} is not an address; keepalived goes without it`)
  return undefined
}
