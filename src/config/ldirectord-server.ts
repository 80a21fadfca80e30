import { isIPv4, isIPv6 } from 'node:net'
import type { Position } from '../errors.ts'
import type { ForwardingMethod, RealServer } from '../model/types.ts'
import { type Note, quote, type Setting } from './ldirectord-setting.ts'
import { portOf } from './words.ts'

const FORWARDING: Record<string, ForwardingMethod> = { gate: 'DR', masq: 'NAT', ipip: 'TUN' }

/** Addresses that one range may have, and servers of a file; ldirectord has no limit. */
const MOST_ADDRESSES = 256
const MOST_SERVERS = 50_000

/** What a section is of: an address and port, or a firewall mark. */
export interface Target {
  address?: string
  port?: number
  fwmark?: number
}

/** A request of its own needs `receive` too, and both replace those of the section. */
export interface Asked {
  server: RealServer
  request?: string
  receive?: string
}

const ADDRESS = String.raw`(\d+\.\d+\.\d+\.\d+|[A-Za-z0-9.-]+?|\[[0-9A-Fa-f:]+\])`
const REAL = new RegExp(String.raw`^${ADDRESS}(?:->${ADDRESS})?(?::([\w-]+))?\s+(\w+)(.*)$`)

export const readReal = (line: Setting, target: Target, made: { servers: number }, note: Note): Asked[] => {
  const [, from = '', to, portText = '0', method = '', rest = ''] = REAL.exec(line.value) ?? []
  const bad = (why: string): Asked[] => {
    note(line.at, `${quote(line.value)} ${why}`)
    return []
  }
  const forwarding = FORWARDING[method]
  if (!forwarding) return bad('is no server with gate, masq or ipip behind it; ldirectord does not start')
  const [first, last] = [from, to ?? from].map(one => one.replace(/^\[(.*)\]$/, '$1')) as [string, string]
  const port = portOf(portText)
  if (port === undefined || (!isIPv4(first) && !isIPv6(first)))
    return bad('would have to be looked up, which is not done here; the server is left out')
  if (made.servers >= MOST_SERVERS) return bad(`is left out: there are ${MOST_SERVERS} real servers before it`)
  if (
    forwarding !== 'NAT' &&
    target.port !== undefined &&
    REAL.exec(line.value)?.[3] !== undefined &&
    port !== target.port
  )
    note(line.at, `${quote(line.value)} has port ${port}; ${forwarding} cannot rewrite it`)
  const addresses = to === undefined ? [first] : rangeOf(first, last)
  if (!addresses) return bad(`is no range of at most ${MOST_ADDRESSES} IPv4 addresses`)
  made.servers += addresses.length
  // weight, "request", "receive", thresholds
  const [options = '', request, between, receive, more, ...tooMany] = rest.split('"')
  const [, weight] = /^\s+(\d+)\s*$/.exec(request === undefined ? options.replace(/\s+[lu]:\d+/g, '') : options) ?? []
  const thresholds = more ?? options
  const [lower, upper] = [/\sl:(\d+)/, /\su:(\d+)/].map(pattern => pattern.exec(thresholds)?.[1])
  const left = `${options}${more ?? ''}`.replace(/\s+[lu]:\d+/g, '').replace(weight ?? '', '')
  const isUneven = request !== undefined && (more === undefined || !/^[, ]\s*$/.test(between ?? ''))
  if (/\S/.test(left) || isUneven || tooMany.length > 0)
    note(line.at, `${quote(rest)} is not understood; ldirectord does not start`)
  return addresses.map(address => ({
    server: {
      address,
      port: forwarding === 'NAT' || target.fwmark !== undefined ? port : (target.port ?? 0),
      weight: weight === undefined ? 1 : Number(weight),
      forwarding,
      inhibitOnFailure: false,
      checks: [],
      ...(upper === undefined ? {} : { upperThreshold: Number(upper) }),
      ...(lower === undefined ? {} : { lowerThreshold: Number(lower) }),
      at: line.at,
    },
    ...(request === undefined ? {} : { request: withSlash(request), receive: receive ?? '' }),
  }))
}

export const withSlash = (request: string): string => (request.startsWith('/') ? request : `/${request}`)

const rangeOf = (first: string, last: string): string[] | undefined => {
  if (!isIPv4(first) || !isIPv4(last)) return undefined
  const number = (address: string): number => address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
  const count = number(last) - number(first) + 1
  if (count < 1 || count > MOST_ADDRESSES) return undefined
  return Array.from({ length: count }, (_, n) => {
    const value = number(first) + n
    return [24, 16, 8, 0].map(shift => Math.floor(value / 2 ** shift) % 256).join('.')
  })
}

export const readFallback = (
  line: Setting | undefined,
  target: Target,
  note: Note,
): { address: string; port: number; forwarding: ForwardingMethod; at: Position } | undefined => {
  if (!line) return undefined
  const [, host = '', portText, method = 'gate'] = /^(\S+?)(?::([\w-]+))?(?:\s+(\S+))?\s*$/.exec(line.value) ?? []
  const address = host.replace(/^\[(.*)\]$/, '$1')
  const port = portText === undefined ? (target.port ?? 0) : portOf(portText)
  const forwarding = FORWARDING[method]
  if (forwarding && port !== undefined && (isIPv4(address) || isIPv6(address)))
    return { address, port, forwarding, at: line.at }
  note(line.at, `fallback ${quote(line.value)} is no address with gate, masq or ipip; it is left out`)
  return undefined
}
