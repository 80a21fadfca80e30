import { isIP, isIPv6 } from 'node:net'
import type { Notice, Protocol, RealServer, VirtualService } from '../model/types.ts'
import { FORWARDING, type Line, readLine, Refusal, Stop, TUNNEL } from './ipvsadm-line.ts'
import { Table, type Target } from './ipvsadm-table.ts'
import { type PlacedWord, portOf, prefixOf, SCHEDULERS, wordsOf } from './words.ts'

/** What `ipvsadm --restore` makes of a file. */
export interface IpvsadmRules {
  services: VirtualService[]
  /** `--set`, ms; 0 leaves a timeout as it is. */
  timeouts?: { tcp: number; tcpFin: number; udp: number }
  /** `--start-daemon`: the connection synchronisation daemons. */
  syncDaemons: { state: 'master' | 'backup'; interface: string; syncId: number }[]
  notices: Notice[]
}

/**
 * Reads what `ipvsadm-save` writes and `ipvsadm --restore` takes: one command on each line, run from the first to the last
 * (ipvsadm.c 1.31 `parse_options`, `process_options`). ipvsadm ends at the first line that it does not understand, a comment
 * among them; what the kernel refuses is left out.
 *
 * @param file name that positions carry
 */
export const readIpvsadm = (text: string, file: string): IpvsadmRules => {
  const rules: IpvsadmRules = { services: [], syncDaemons: [], notices: [] }
  const table = new Table()
  for (const [index, line] of text.split('\n').entries()) {
    const words = wordsOf(line, file, index + 1).filter(word => word.text !== 'ipvsadm')
    const [first] = words
    if (!first) continue
    try {
      run(readLine(words), first, table, rules)
    } catch (error) {
      if (!(error instanceof Stop)) throw error
      const goesOn = error instanceof Refusal
      const message = goesOn ? `${error.message}; the kernel refuses it` : `${error.message}; ipvsadm ends here`
      rules.notices.push({ at: error.word.at, message })
      if (!goesOn) break
    }
  }
  rules.services = table.services()
  return rules
}

const run = ({ command, options, rest }: Line, first: PlacedWord, table: Table, rules: IpvsadmRules): void => {
  const { name } = command
  const [extra] = rest
  if (extra && name !== 'set') throw new Stop(`${extra.text} is no option`, extra)
  if (name === 'set') rules.timeouts = readTimeouts(rest, command)
  else if (name === 'clear') table.clear()
  else if (name === 'start-daemon' || name === 'stop-daemon') daemon(command, options, rules)
  else if (!['zero', 'list', 'save'].includes(name)) {
    const target = readTarget(options, command)
    if (name === 'add-service' || name === 'edit-service')
      table.put(readService(target, options, first, rules.notices), name === 'edit-service', command)
    else if (name === 'delete-service') table.delete(target, command)
    else server(name, target, options, first, table, command, rules.notices)
  }
}

const number = (word: PlacedWord, min: number, max: number, what: string): number => {
  const value = Number(word.text)
  if (/^(\d+|0[xX][\da-fA-F]+)$/.test(word.text) && value >= min && value <= max) return value
  throw new Stop(`${what} ${word.text} is not a number from ${min} to ${max}`, word)
}

const readTimeouts = (words: PlacedWord[], command: PlacedWord): NonNullable<IpvsadmRules['timeouts']> => {
  const [tcp, tcpFin, udp, more] = words
  if (!tcp || !tcpFin || !udp) throw new Stop('--set needs three timeouts', command)
  if (more) throw new Stop(`${more.text} is no option`, more)
  const seconds = (word: PlacedWord): number => number(word, 0, MAX_TIMEOUT, 'timeout') * 1000
  return { tcp: seconds(tcp), tcpFin: seconds(tcpFin), udp: seconds(udp) }
}

const daemon = (command: Line['command'], options: Line['options'], rules: IpvsadmRules): void => {
  const state = command.argument
  if (state !== 'master' && state !== 'backup') throw new Stop(`${command.text} is master or backup`, command)
  const rest = rules.syncDaemons.filter(one => one.state !== state)
  if (command.name === 'start-daemon' && rest.length < rules.syncDaemons.length)
    throw new Refusal(`the ${state} daemon runs already`, command)
  const id = options.get('syncid')
  const syncId = id ? number(id, 0, 255, 'syncid') : 0
  const started = { state, interface: options.get('mcast-interface')?.text ?? 'eth0', syncId } as const
  rules.syncDaemons = command.name === 'start-daemon' ? [...rest, started] : rest
}

/** s: 31 days. */
const MAX_TIMEOUT = 86_400 * 31

const PROTOCOLS: Record<string, Protocol> = { 'tcp-service': 'TCP', 'udp-service': 'UDP', 'sctp-service': 'SCTP' }

const readTarget = (options: Line['options'], command: PlacedWord): Target => {
  const given = [...options].filter(([name]) => name in PROTOCOLS || name === 'fwmark-service')
  const [[name, word] = [undefined, command], second] = given
  if (name === undefined) throw new Stop(`${command.text} needs a service: -t, -u, -f or --sctp-service`, command)
  if (second) throw new Stop('there is a second service', second[1])
  const six = options.get('ipv6')
  if (name === 'fwmark-service') {
    const fwmark = number(word, 1, 2 ** 32 - 1, 'firewall mark')
    return { name: `fwmark ${fwmark}`, fwmark, protocol: 'TCP', ...(six ? { family: 6 as const } : {}) }
  }
  if (six) throw new Stop('-6 goes with -f alone', six)
  const protocol = PROTOCOLS[name] ?? 'TCP'
  const { address, port = 0 } = readAddress(word)
  return { name: `${isIPv6(address) ? `[${address}]` : address}:${port}/${protocol}`, address, port, protocol }
}

/** `address`, `address:port`, `[address]:port`; ports may have names. */
const readAddress = (word: PlacedWord): { address: string; port?: number } => {
  const [, six, four, port] = /^(?:\[([^\]]*)\]|([^:]*))(?::([^:]*))?$/.exec(word.text) ?? []
  const address = isIPv6(word.text) ? word.text : (six ?? four ?? '')
  if (isIP(address) === 0) throw new Stop(`${word.text} is not an address; names are not looked up here`, word)
  if (port === undefined) return { address }
  const number = portOf(port)
  if (number === undefined) throw new Stop(`${port} is not a port that is known here`, word)
  return { address, port: number }
}

/** `-b` by the scheduler that knows it (ipvsadm.c `parse_sched_flags`). */
const FLAGS: Record<string, string | undefined> = {
  ...{ 'flag-1': undefined, 'flag-2': undefined, 'flag-3': undefined },
  ...{ 'sh-fallback': 'sh', 'sh-port': 'sh', 'mh-fallback': 'mh', 'mh-port': 'mh' },
}

const readService = (
  target: Target,
  options: Line['options'],
  first: PlacedWord,
  notices: Notice[],
): VirtualService => {
  const persistent = options.get('persistent')
  if (target.port === 0 && !persistent) throw new Stop(`${target.name} is on all ports, and needs -p`, first)
  const ops = options.get('ops')
  if (ops && target.fwmark === undefined && target.protocol !== 'UDP') throw new Stop('-o is for UDP alone', ops)
  const scheduler = options.get('scheduler')?.text ?? 'wlc'
  if (!SCHEDULERS.includes(scheduler))
    throw new Refusal(`${scheduler} is not a scheduler of Linux`, options.get('scheduler') ?? first)
  const flags = options.get('sched-flags')
  const schedulerFlags = flags?.text.split(',').filter(flag => flag !== '') ?? []
  for (const flag of schedulerFlags)
    if (flags && (!(flag in FLAGS) || (FLAGS[flag] ?? scheduler) !== scheduler))
      throw new Stop(`${scheduler} has no flag ${flag}`, flags)
  const pe = options.get('pe')?.text
  return {
    ...target,
    scheduler,
    forwarding: 'DR',
    ...(persistent
      ? { persistence: (persistent.text === '' ? 360 : number(persistent, 1, MAX_TIMEOUT, '-p')) * 1000 }
      : {}),
    ...readNetmask(target, options.get('netmask'), notices),
    ...(ops ? { onePacket: true as const } : {}),
    ...(schedulerFlags.length > 0 ? { schedulerFlags } : {}),
    ...(pe === undefined ? {} : { persistenceEngine: pe }),
    ...{ quorum: 1, hysteresis: 0, alpha: false, realServers: [] },
    at: first.at,
  }
}

const readNetmask = (
  target: Target,
  mask: PlacedWord | undefined,
  notices: Notice[],
): Pick<VirtualService, 'persistencePrefix'> => {
  if (!mask) return {}
  if (target.family === 6 || isIPv6(target.address ?? '')) return { persistencePrefix: number(mask, 1, 128, '-M') }
  const persistencePrefix = prefixOf(mask.text)
  if (persistencePrefix !== undefined) return { persistencePrefix }
  if (isIP(mask.text) !== 4) throw new Stop(`-M ${mask.text} is not a netmask`, mask)
  notices.push({
    at: mask.at,
    message: `-M ${mask.text} is not a netmask of leading ones; the groups are not predicted`,
  })
  return {}
}

const server = (
  name: string,
  target: Target,
  options: Line['options'],
  first: PlacedWord,
  table: Table,
  command: PlacedWord,
  notices: Notice[],
): void => {
  const real = options.get('real-server')
  if (!real) throw new Stop(`${command.text} needs a real server: -r`, command)
  const { address, port } = readAddress(real)
  const [given, twice] = [...options].filter(([option]) => option in FORWARDING)
  if (twice) throw new Stop('there is a second forwarding method', twice[1])
  const forwarding = FORWARDING[given?.[0] ?? ''] ?? 'DR'
  const tunnel = [...options].find(([option]) => TUNNEL.includes(option))
  if (tunnel && forwarding !== 'TUN') throw new Stop('tunnel options go with -i alone', tunnel[1])
  const family = target.family ?? (isIP(target.address ?? '') || 4)
  if (name !== 'delete-server' && forwarding !== 'TUN' && isIP(address) !== family)
    throw new Stop('service and server are of different families, which goes with -i alone', real)
  const word = (option: string, max: number): number | undefined => {
    const found = options.get(option)
    return found && number(found, 0, max, `--${option}`)
  }
  const [upper, lower] = [word('u-threshold', 2 ** 31 - 1), word('l-threshold', 2 ** 31 - 1)]
  // the kernel rewrites no port without NAT
  const own = forwarding === 'NAT' || target.fwmark !== undefined || name === 'delete-server'
  if (!own && name !== 'delete-server' && port !== undefined && port !== target.port)
    notices.push({
      at: real.at,
      message: `${address}:${port} has another port than the service; ${forwarding} cannot rewrite it, and ipvsadm takes ${target.port}`,
    })
  table.server(name, target, command, {
    address,
    port: own ? (port ?? target.port ?? 0) : (target.port ?? 0),
    weight: word('weight', 65_535) ?? 1,
    forwarding,
    inhibitOnFailure: false,
    checks: [],
    ...(upper === undefined ? {} : { upperThreshold: upper }),
    ...(lower === undefined ? {} : { lowerThreshold: lower }),
    ...readTunnel(options),
    at: first.at,
  })
}

const readTunnel = (options: Line['options']): Pick<RealServer, 'tunnel'> => {
  const type = options.get('tun-type')
  const port = options.get('tun-port')
  const checksum = (['csum', 'nocsum', 'remcsum'] as const).find(one => options.has(`tun-${one}`))
  if (type && !['ipip', 'gue', 'gre'].includes(type.text)) throw new Stop(`${type.text} is no type of tunnel`, type)
  if (!type && !port && !checksum) return {}
  return {
    tunnel: {
      type: (type?.text ?? 'ipip') as 'ipip' | 'gue' | 'gre',
      ...(port ? { port: number(port, 1, 65_535, '--tun-port') } : {}),
      ...(checksum ? { checksum } : {}),
    },
  }
}
