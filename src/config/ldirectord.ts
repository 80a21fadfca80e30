import { isIPv4, isIPv6 } from 'node:net'
import { isDeepStrictEqual } from 'node:util'
import type { Position } from '../errors.ts'
import type { LdirectordConfig, LdirectordService, LdirectordSettings } from '../model/ldirectord.ts'
import type { Protocol, RealServer } from '../model/types.ts'
import { readFallback, readReal, type Target, withSlash } from './ldirectord-server.ts'
import {
  lineOf,
  type Note,
  quote,
  readCheckSetting,
  readFlag,
  readNumber,
  readSetting,
  type Setting,
  unquoted,
} from './ldirectord-setting.ts'
import { portOf, prefixOf, SCHEDULERS } from './words.ts'

const CHECK_TYPES = ['connect', 'negotiate', 'ping', 'external', 'external-perl', 'on', 'off'] as const
const PROTOCOLS = [
  ...[
    'dns',
    'ftp',
    'http',
    'https',
    'http_proxy',
    'imap',
    'imaps',
    'ldap',
    'ldaps',
    'nntp',
    'mysql',
    'none',
    'oracle',
    'pop',
  ],
  ...['pops', 'radius', 'pgsql', 'sip', 'smtp', 'submission', 'simpletcp'],
]
/** What is spoken on a port where no `service` says so (ldirectord `ld_port_to_service`). */
const BY_PORT: Record<number, string> = {
  ...{ 21: 'ftp', 25: 'smtp', 53: 'dns', 80: 'http', 110: 'pop', 119: 'nntp', 143: 'imap', 389: 'ldap', 443: 'https' },
  ...{ 587: 'submission', 636: 'ldaps', 993: 'imaps', 995: 'pops', 1521: 'oracle', 1812: 'radius', 3128: 'http_proxy' },
  ...{ 3306: 'mysql', 5060: 'sip', 5432: 'pgsql' },
}
/** Known lines that nothing here depends on. */
const OTHER_GLOBALS = [
  ...['autoreload', 'callback', 'logfile', 'execute', 'supervised', 'readdquiescent', 'emailalert', 'emailalertfreq'],
  ...['emailalertstatus', 'emailalertfrom', 'cleanstop', 'smtp', 'maintenancedir', 'fallbackcommand'],
]
const OTHERS = [
  ...['emailalert', 'emailalertfreq', 'emailalertstatus', 'cleanstop', 'smtp', 'servicename', 'comment', 'monitorfile'],
  ...['fallbackcommand', 'database', 'load', 'login'],
]
const SECRETS = ['passwd', 'secret']
/** Their values stand in quotes. */
const QUOTED = ['request', 'receive', 'login', 'passwd', 'database', 'secret', 'load', 'callback', 'logfile']

/** Characters of a line; ldirectord has no limit. */
const MOST_CHARACTERS = 2000

/**
 * Reads an ldirectord.cf as ldirectord 4.16 does (`read_config`): global lines start in the first column, those of a section
 * behind a tab or four blanks, and anything else, an empty line too, ends the section. ldirectord does not start with a line
 * that it does not understand; here it is a notice, and the rest is read.
 *
 * @param file name that positions carry
 */
export const readLdirectord = (text: string, file: string): LdirectordConfig => {
  const config: LdirectordConfig = { services: [], global: {}, fork: false, others: [], notices: [] }
  const note = (at: Position, message: string): void => void config.notices.push({ at, message })
  let section: { head: Setting; lines: Setting[] } | undefined
  const sections: { head: Setting; lines: Setting[] }[] = []
  const fallbacks = new Map<string, Setting>()
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.replace(/\r$/, '')
    const at = { file, line: index + 1, column: line.search(/\S|$/) + 1 }
    if (line.length > MOST_CHARACTERS) {
      note(at, `the line is longer than ${MOST_CHARACTERS} characters; it is left out`)
      continue
    }
    if (section && /^\s*#/.test(line)) continue
    const indented = section && /^(?: {4}| {0,3}\t)/.test(line) ? line.replace(/#.*/, '').trimStart() : ''
    const setting = readSetting(indented || line, at)
    if (section && indented) {
      if (setting) section.lines.push(setting)
      else note(at, unknown(indented))
      continue
    }
    section = undefined
    if (/^\s*(?:#|$)/.test(line)) continue
    if (setting && /^virtual6?$/.test(setting.name)) {
      section = { head: setting, lines: [] }
      sections.push(section)
    } else if (setting && /^fallback6?$/.test(setting.name)) fallbacks.set(setting.name, setting)
    else if (!setting || !readGlobal(setting, config, note)) note(at, unknown(line))
  }
  const seen = new Set<string>()
  const made = { servers: 0 }
  for (const { head, lines } of sections) {
    const service = readSection(head, lines, fallbacks, made, note)
    if (!service) continue
    const { name } = service.service
    if (seen.has(name)) note(head.at, `${name} is there twice; ldirectord does not start`)
    seen.add(name)
    if (service.interval !== undefined && !config.fork)
      note(head.at, `checkinterval of ${name} is ignored, as fork is not yes`)
    config.services.push(service)
  }
  return config
}

/** What stands behind the first word may be a password. */
const unknown = (line: string): string =>
  `${quote(line.trim().split(/[\s=]/)[0] ?? '')} is unknown ${line.includes('=') ? 'here' : 'without ='}; ldirectord does not start`

const readGlobal = (setting: Setting, config: LdirectordConfig, note: Note): boolean => {
  const { name, at } = setting
  if (name === 'fork') config.fork = readFlag(setting, note) ?? false
  else if (OTHER_GLOBALS.includes(name)) config.others.push(lineOf(setting))
  else return readCheckSetting(setting, config.global, note)
  if (QUOTED.includes(name)) unquoted(setting, note)
  return at !== undefined
}

const readSection = (
  head: Setting,
  lines: Setting[],
  fallbacks: Map<string, Setting>,
  made: { servers: number },
  note: Note,
): LdirectordService | undefined => {
  const six = head.name === 'virtual6'
  const last = (name: string): Setting | undefined => lines.findLast(line => line.name === name)
  const target = readTarget(head, six, note)
  const settings: LdirectordSettings = {}
  const others = lines.filter(line => OTHERS.includes(line.name)).map(lineOf)
  for (const line of lines) {
    if (QUOTED.includes(line.name)) unquoted(line, note)
    const known = readCheckSetting(line, settings, note) || [...OTHERS, ...SECRETS].includes(line.name)
    const isServer = /^(?:real|fallback)6?$/.test(line.name)
    if (!known && !isServer && !SECTION.includes(line.name)) note(line.at, unknown(`${line.name}=`))
    if (isServer && line.name.endsWith('6') !== six)
      note(line.at, `${line.name} does not go with ${head.name}; ldirectord does not start`)
  }
  if (!target) return undefined
  const protocolLine = last('protocol')
  const protocol = readProtocol(protocolLine, target, note)
  const named = (name: string): string => `${six ? `[${target.address}]` : target.address}:${target.port}/${name}`
  const marked = target.fwmark !== undefined
  const written = lines.filter(line => /^real6?$/.test(line.name)).flatMap(line => readReal(line, target, made, note))
  noteTwice(
    written.map(one => one.server),
    note,
  )
  const servers = written.filter((one, n) => !written.slice(0, n).some(other => isAlike(one, other)))
  const request = withSlash(last('request')?.value.replace(/^"(.*)".*$/, '$1') ?? '/')
  const receive = last('receive')?.value.replace(/^"(.*)".*$/, '$1') ?? ''
  const ownFallback = last(six ? 'fallback6' : 'fallback')
  const fallback = readFallback(ownFallback ?? fallbacks.get(six ? 'fallback6' : 'fallback'), target, note)
  const persistent = last('persistent')
  const persistence = persistent && readNumber(persistent, note, 0)
  if (persistent && persistence === 0)
    note(persistent.at, 'persistent 0 is no time; the kernel does not take the service')
  const ops = last('ops')
  const isOnePacket = ops ? readFlag(ops, note) === true && protocol === 'UDP' : false
  const schedulerLine = last('scheduler')
  const scheduler = /[a-z]+/.exec(schedulerLine?.value ?? 'wrr')?.[0] ?? 'wrr'
  if (schedulerLine && !SCHEDULERS.includes(scheduler))
    note(schedulerLine.at, `${scheduler} is not a scheduler of Linux; the kernel does not take the service`)
  const flags =
    last('schedflags')
      ?.value.split(/[\s,]+/)
      .filter(flag => flag !== '') ?? []
  const realServers = servers.map(one => one.server)
  const checkPort = last('checkport')
  const port = checkPort && readNumber(checkPort, note)
  const virtualHost = last('virtualhost')?.value.replaceAll('"', '')
  const command = last('checkcommand')?.value.replace(/^"(.*)".*$/, '$1')
  return {
    service: {
      name: marked ? `fwmark ${target.fwmark}` : named(protocol),
      ...target,
      ...(marked && six ? { family: 6 as const } : {}),
      protocol,
      scheduler,
      forwarding: realServers[0]?.forwarding ?? 'DR',
      ...(persistence ? { persistence: persistence * 1000, ...readNetmask(last('netmask'), six, note) } : {}),
      ...(flags.length > 0 ? { schedulerFlags: flags } : {}),
      ...(isOnePacket ? { onePacket: true as const } : {}),
      ...{ quorum: 1, hysteresis: 0, alpha: false, realServers },
      ...(fallback ? { sorryServer: { address: fallback.address, port: fallback.port, at: fallback.at } } : {}),
      at: head.at,
    },
    ...settings,
    ...readCheckType(last('checktype'), note),
    protocol: readSpoken(last('service'), target, note),
    asked: servers.map(one => ({
      server: one.server,
      request: one.request ?? request,
      receive: one.request === undefined ? receive : (one.receive ?? receive),
    })),
    httpMethod: /^head/i.test(last('httpmethod')?.value ?? '') ? 'HEAD' : 'GET',
    ...(virtualHost === undefined ? {} : { virtualHost }),
    ...(port === undefined ? {} : { checkPort: port }),
    ...(command === undefined ? {} : { command }),
    ...(fallback
      ? { fallback: { address: fallback.address, port: fallback.port, forwarding: fallback.forwarding } }
      : {}),
    others,
  }
}

type Real = ReturnType<typeof readReal>[number]

/** But for their places. */
const isAlike = (one: Real, other: Real): boolean =>
  isDeepStrictEqual(one, { ...other, server: { ...other.server, at: one.server.at } })

/** A table has a server once. */
const noteTwice = (servers: RealServer[], note: Note): void => {
  const seen = new Set<string>()
  for (const { address, port, at } of servers) {
    const key = `${address} port ${port}`
    if (seen.has(key)) note(at, `${key} stands twice in the section; the table has it once`)
    seen.add(key)
  }
}

/** Lines of a section that are looked for by name. */
const SECTION = [
  ...[
    'request',
    'receive',
    'checktype',
    'checkcommand',
    'checkport',
    'scheduler',
    'persistent',
    'schedflags',
    'netmask',
  ],
  ...['protocol', 'ops', 'service', 'httpmethod', 'virtualhost'],
]

const readTarget = ({ value, at }: Setting, six: boolean, note: Note): Target | undefined => {
  const [, four, name, inner, portText] = /^(?:(\d+\.\d+\.\d+\.\d+)|([\w.+-]+)|\[([^\]]*)\]):([\w-]+)/.exec(value) ?? []
  if (portText === undefined) {
    const [mark] = /^\d+/.exec(value) ?? []
    if (mark !== undefined) {
      if (mark !== value.trim()) note(at, `${quote(value)} has no port; ldirectord takes it for firewall mark ${mark}`)
      return { fwmark: Number(mark) }
    }
    note(at, `${quote(value)} is no address and port, and no mark; ldirectord does not start`)
    return undefined
  }
  const port = portOf(portText)
  const address = inner ?? four
  if (name !== undefined || port === undefined) {
    note(at, `${name ?? portText} would have to be looked up, which is not done here; the service is left out`)
    return undefined
  }
  if (address !== undefined && (six ? isIPv6(address) : isIPv4(address))) return { address, port }
  note(at, `${address} is no address of ${six ? 'virtual6' : 'virtual'}; ldirectord does not start`)
  return undefined
}

const readProtocol = (line: Setting | undefined, target: Target, note: Note): Protocol => {
  const fallback = target.port === 53 ? 'UDP' : 'TCP'
  const word = line?.value
  if (!line || word === 'fwm' || word === undefined) return fallback
  if (target.fwmark === undefined && (word === 'tcp' || word === 'udp')) return word === 'tcp' ? 'TCP' : 'UDP'
  note(line.at, `protocol ${word} does not go with this service; ldirectord does not start`)
  return fallback
}

const readSpoken = (line: Setting | undefined, target: Target, note: Note): string => {
  if (line && PROTOCOLS.includes(line.value)) return line.value
  if (line) note(line.at, `service ${line.value} is not known; ldirectord does not start`)
  return BY_PORT[target.port ?? 0] ?? 'none'
}

const readCheckType = (line: Setting | undefined, note: Note): Pick<LdirectordService, 'checkType' | 'connects'> => {
  if (!line) return { checkType: 'negotiate' }
  const [digits] = /\d+/.exec(line.value) ?? []
  if (digits !== undefined) {
    note(line.at, 'connecting and negotiating in turn is not predicted')
    return { checkType: 'combined', connects: Number(digits) }
  }
  const known = CHECK_TYPES.find(type => type === line.value)
  if (!known) note(line.at, `checktype ${line.value} is not known; ldirectord does not start`)
  if (known && !['connect', 'negotiate', 'ping'].includes(known)) note(line.at, `checktype ${known} is not predicted`)
  return { checkType: known ?? 'negotiate' }
}

const readNetmask = (line: Setting | undefined, six: boolean, note: Note): { persistencePrefix?: number } => {
  if (!line) return {}
  const length = /^\d+$/.test(line.value) ? Number(line.value) : 0
  const prefix = six ? (length >= 1 && length <= 128 ? length : undefined) : prefixOf(line.value)
  if (prefix !== undefined) return { persistencePrefix: prefix }
  note(
    line.at,
    `netmask ${line.value} is not ${six ? 'a prefix length' : 'a netmask of leading ones'}; the groups are not predicted`,
  )
  return {}
}
