import { isIPv4, isIPv6 } from 'node:net'
import type { Notice } from '../../model/types.ts'
import { ipVersion } from './address.ts'
import { keyword, type Statement } from './parse.ts'
import { readPort } from './real-server.ts'
import { all, argument, integer, note } from './values.ts'

/** Addresses of a group that become a service each; more of them are kept as one that nobody predicts. */
export const MOST_ADDRESSES = 1024

/** One line of a `virtual_server_group`. */
export type GroupEntry =
  | { fwmark: number; family?: 6 }
  /** `addresses` is empty where the group has more than MOST_ADDRESSES with them. */
  | { addresses: string[]; port: number }

/**
 * The `virtual_server_group` blocks by name: addresses, ranges of them (`10.0.0.3-10 80`, `10.0.0.3-10.0.0.10 80`,
 * `10.0.0.0/28 80`) and firewall marks (keepalived check_data.c `alloc_vsg_entry`, check_parser.c `vsg_handler`). Of two with
 * one name keepalived takes the first.
 */
export const readGroups = (statements: Statement[], notices: Notice[]): Map<string, GroupEntry[]> => {
  const groups = new Map<string, GroupEntry[]>()
  for (const statement of all(statements, 'virtual_server_group')) {
    const name = argument(statement)
    const lines = statement.block ?? []
    let left = MOST_ADDRESSES
    const entries = lines.flatMap(line => {
      const entry = readEntry(line, name, left, notices)
      if (entry && 'addresses' in entry) left -= entry.addresses.length
      return entry ?? []
    })
    const marks = all(lines, 'fwmark')
    const addresses = entries.flatMap(entry => ('addresses' in entry ? entry.addresses.slice(0, 1) : []))
    const families = new Set([
      ...addresses.map(one => ipVersion(one)),
      ...marks.map(mark => ({ inet: 4, inet6: 6 })[mark.words[2]?.text ?? ''] ?? 0),
    ])
    if (entries.length === 0) note(notices, statement, `virtual_server_group ${name} is empty; keepalived removes it`)
    else if (families.size === 3)
      note(
        notices,
        statement,
        `virtual_server_group ${name} has IPv4, IPv6 and a firewall mark of neither; keepalived removes it`,
      )
    else if (groups.has(name))
      note(notices, statement, `virtual_server_group ${name} stands twice; keepalived takes the first`)
    else groups.set(name, entries)
  }
  return groups
}

const readEntry = (line: Statement, group: string, most: number, notices: Notice[]): GroupEntry | undefined => {
  const skip = (why: string): undefined => {
    note(notices, line, `virtual_server_group ${group}: ${why}; keepalived leaves it out`)
  }
  if (keyword(line) === 'fwmark') {
    const fwmark = integer(line, { min: 0, max: 2 ** 32 - 1, otherwise: 'leaves it out', lenient: true }, notices)
    const family = line.words[2]?.text
    if (family !== undefined && !['inet', 'inet6'].includes(family))
      return skip(`fwmark ${fwmark} is of family ${family}`)
    return fwmark === undefined ? undefined : { fwmark, ...(family === 'inet6' ? { family: 6 } : {}) }
  }
  const written = keyword(line)
  const port = readPort(line.words[1]?.text)
  const first = written.replace(/[-/].*/s, '')
  if (ipVersion(first) === 0 || port === undefined)
    return skip(`${written} ${line.words[1]?.text ?? ''} is not an address and a port`)
  const last = lastOf(written, first)
  if (typeof last === 'string') return skip(`${written} ${last}`)
  const [from, to] = [toNumber(first), last]
  const count = to - from + 1n
  if (count < 1n || (/-/.test(written) && count < 2n && !ipVersion(written.split('-')[1] ?? '')))
    return skip(`the range ${written} ends before it starts`)
  const addresses = count > BigInt(most) ? [] : Array.from({ length: Number(count) }, (_, n) => from + BigInt(n))
  return { addresses: addresses.map(one => toAddress(one, isIPv4(first))), port }
}

/** The last address of a range or a network, or what is wrong with it. */
const lastOf = (written: string, first: string): bigint | string => {
  const from = toNumber(first)
  const bits = isIPv4(first) ? 32 : 128
  const [, mask] = /\/(.*)$/s.exec(written) ?? []
  if (mask !== undefined) {
    const length = /^\d+$/.test(mask) ? Number(mask) : 0
    if (length < 1 || length > bits) return 'has no valid prefix length'
    const host = (1n << BigInt(bits - length)) - 1n
    return (from & host) === 0n ? from | host : 'has address bits behind its prefix'
  }
  const [, end] = /-(.*)$/s.exec(written) ?? []
  if (end === undefined) return from
  if (ipVersion(end) !== 0) return ipVersion(end) === ipVersion(first) ? toNumber(end) : 'is a range of two families'
  const base = bits === 32 ? 8n : 16n
  const value = (bits === 32 ? /^\d+$/ : /^[0-9a-f]+$/i).test(end)
    ? Number.parseInt(end, bits === 32 ? 10 : 16)
    : Number.NaN
  if (!(value < 2 ** Number(base))) return 'has no valid end'
  return ((from >> base) << base) | BigInt(value)
}

const toNumber = (address: string): bigint => {
  const groups = isIPv6(address) ? ipv6Groups(address) : address.split('.').map(Number)
  const bits = isIPv6(address) ? 16n : 8n
  return groups.reduce((sum, group) => (sum << bits) | BigInt(group), 0n)
}

/** The eight groups of an IPv6 address. */
const ipv6Groups = (address: string): number[] => {
  // RFC 4291 2.2: `::` stands for as many zeroes as are missing, and IPv4 may be the end
  const plain = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_all, ...parts: string[]) => {
    const [a = 0, b = 0, c = 0, d = 0] = parts.map(Number)
    return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`
  })
  const [head = '', tail] = plain.split('::')
  const groups = (text: string | undefined): number[] =>
    text ? text.split(':').map(group => Number.parseInt(group, 16)) : []
  const [before, after] = [groups(head), groups(tail)]
  return tail === undefined ? before : [...before, ...Array(8 - before.length - after.length).fill(0), ...after]
}

const toAddress = (number: bigint, ipv4: boolean): string => {
  const bits = ipv4 ? 8n : 16n
  const groups = Array.from(
    { length: ipv4 ? 4 : 8 },
    (_, n) => (number >> (bits * BigInt((ipv4 ? 3 : 7) - n))) & ((1n << bits) - 1n),
  )
  if (ipv4) return groups.join('.')
  // the WHATWG parser shortens as RFC 5952 has it
  return new URL(`http://[${groups.map(group => group.toString(16)).join(':')}]`).hostname.slice(1, -1)
}
