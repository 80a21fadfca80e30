import type { HealthCheck, MiscCheck, Notice, UdpCheck, UrlCheck } from '../../model/types.ts'
import { addressOf, ipVersion } from './address.ts'
import { keyword, type Statement } from './parse.ts'
import { argument, flag, integer, last, note } from './values.ts'

/** What only one kind of check knows. Defaults and corrections are keepalived's own, from the file named. */

/** The `url` blocks of HTTP_GET and SSL_GET (check_http.c). */
export const readUrls = (block: Statement[], notices: Notice[]): UrlCheck[] =>
  block
    .filter(line => keyword(line) === 'url')
    .flatMap(url => {
      const path = last(url.block ?? [], 'path')
      if (!path) {
        note(notices, url, 'this url has no path; keepalived ignores it')
        return []
      }
      const codes = words(last(url.block ?? [], 'status_code'))
      const wants = (['digest', 'regex'] as const).find(name => last(url.block ?? [], name))
      return [{ path: argument(path), ...(codes ? { statusCode: codes } : {}), ...(wants ? { wants } : {}) }]
    })

const words = (line: Statement | undefined): string =>
  (line?.words ?? [])
    .slice(1)
    .map(word => word.text)
    .join(' ')

/**
 * MISC_CHECK (check_misc.c): without `misc_timeout` a script may run for the service's `delay_loop`, whatever the check's
 * own is. Undefined without a script.
 *
 * @param serviceDelayLoop ms
 */
export const readMisc = (block: Statement[], serviceDelayLoop: number, notices: Notice[]): MiscCheck | undefined => {
  const path = last(block, 'misc_path')?.words[1]?.text
  if (!path) return undefined
  const line = last(block, 'misc_timeout')
  const range = { min: 0, max: 4294, otherwise: "takes the service's delay_loop", lenient: true }
  const timeout = (line && integer(line, range, notices)) || undefined
  return {
    path,
    timeout: timeout === undefined ? serviceDelayLoop : timeout * 1000,
    dynamic: last(block, 'misc_dynamic') !== undefined,
  }
}

/** Hexadecimal digits, of a reply with X where any will do; keepalived ignores what is none (check_udp.c). */
const readHex = (line: Statement | undefined, digits: RegExp, notices: Notice[]): string => {
  const text = words(line)
  if (!line || digits.test(text)) return text
  note(notices, line, `${keyword(line)} ${text} is not hexadecimal; keepalived ignores the line`)
  return ''
}

/** UDP_CHECK (check_udp.c): lengths count only where a pattern of the reply is given, and that is said where it matters. */
export const readUdp = (block: Statement[], notices: Notice[]): UdpCheck => {
  const payload = readHex(last(block, 'payload'), /^[\da-f\s]*$/i, notices).replaceAll(' ', '')
  const replyLine = last(block, 'require_reply')
  const reply = readHex(replyLine, /^[\dxa-f\s]*$/i, notices)
  const length = (name: string, otherwise: number): number => {
    const line = last(block, name)
    return (line && integer(line, { min: 0, max: 65_535, otherwise: `takes ${otherwise}` }, notices)) ?? otherwise
  }
  const idle = last(block, 'min_reply_length', 'max_reply_length')
  if (idle && !reply)
    note(notices, idle, `${keyword(idle)} needs a pattern after require_reply; keepalived does not look at the length`)
  return {
    ...(payload ? { payload } : {}),
    requireReply: replyLine !== undefined,
    ...(reply ? { reply } : {}),
    minReplyLength: length('min_reply_length', 0),
    maxReplyLength: length('max_reply_length', 255),
  }
}

const DNS_TYPES = ['A', 'NS', 'CNAME', 'SOA', 'MX', 'TXT', 'AAAA', 'RRSIG', 'DNSKEY']

/** DNS_CHECK (check_dns.c): SOA of the root where nothing is written. */
export const readDns = (block: Statement[], notices: Notice[]): { type: string; name: string } => {
  const typeLine = last(block, 'type')
  const type = typeLine && argument(typeLine).toUpperCase()
  const known = type !== undefined && DNS_TYPES.includes(type)
  if (typeLine && !known) note(notices, typeLine, `type ${type} is not known in DNS_CHECK; keepalived takes SOA`)
  const names = block.filter(line => keyword(line) === 'name')
  for (const line of names.slice(1)) note(notices, line, 'DNS_CHECK has a name already; keepalived ignores this one')
  const name = names[0] ? argument(names[0]) : ''
  if (names[0] && name !== '.' && /^\.|\.\./.test(name)) {
    note(notices, names[0], `name ${name} has an empty label; keepalived ignores it`)
    return { type: known ? type : 'SOA', name: '' }
  }
  return { type: known ? type : 'SOA', name: name.replace(/\.$/, '') }
}

/** SMTP_CHECK (check_smtp.c). */
export const readSmtp = (block: Statement[]): { heloName: string } => ({
  heloName: last(block, 'helo_name')?.words[1]?.text ?? 'smtpchecker.keepalived.org',
})

/**
 * The blocks that an SMTP_CHECK connects by: a deprecated `host` block is a check of its own, and the check itself is one
 * only where it says something of its connection, or has no `host` (check_smtp.c `smtp_check_end_handler`).
 */
export const smtpConnections = (statement: Statement): Statement[][] => {
  const block = statement.block ?? []
  const hosts = block.filter(line => keyword(line) === 'host').map(host => host.block ?? [])
  const own = last(block, 'connect_ip', 'connect_port', 'bindto', 'bind_port', 'bind_if', 'fwmark', 'connect_timeout')
  return own || hosts.length === 0 ? [block, ...hosts] : hosts
}

/** `connect_ip`, `connect_port` and `bindto` (check_api.c `co_ip_handler`, `co_port_handler`, `co_srcip_handler`). */
export const readConnection = (
  block: Statement[],
  notices: Notice[],
): Pick<HealthCheck, 'target' | 'sourceAddress'> => {
  const ip = last(block, 'connect_ip')
  const portLine = last(block, 'connect_port')
  const range = { min: 1, max: 65_535, otherwise: "takes the real server's", lenient: true }
  const port = portLine && integer(portLine, range, notices)
  const address = ip && addressOf(argument(ip))
  const valid = address !== undefined && ipVersion(address) !== 0
  if (ip && !valid) note(notices, ip, `connect_ip ${argument(ip)} is not an address; keepalived ignores the line`)
  const from = last(block, 'bindto')
  const source = from && addressOf(argument(from))
  const bound = source !== undefined && ipVersion(source) !== 0
  if (from && !bound) note(notices, from, `bindto ${argument(from)} is not an address; keepalived ignores the line`)
  const target = { ...(valid ? { address } : {}), ...(port === undefined ? {} : { port }) }
  return {
    ...(Object.keys(target).length > 0 && { target }),
    ...(bound && { sourceAddress: source }),
  }
}

/** `alpha`, which may say `off` in a check or a real server. */
export const readAlpha = (block: Statement[], notices: Notice[]): boolean | undefined =>
  flag(last(block, 'alpha'), notices)
