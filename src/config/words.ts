import type { Position } from '../errors.ts'

/** A word and where it stands. */
export interface PlacedWord {
  text: string
  at: Position
}

/** The words of one line, with blanks between them. */
export const wordsOf = (line: string, file: string, number: number): PlacedWord[] =>
  [...line.matchAll(/[^ \t\r]+/g)].map(({ 0: text, index }) => ({
    text,
    at: { file, line: number, column: index + 1 },
  }))

/** Schedulers of Linux 6.12 (net/netfilter/ipvs/Kconfig). */
export const SCHEDULERS = [
  'rr',
  'wrr',
  'lc',
  'wlc',
  'lblc',
  'lblcr',
  'sh',
  'dh',
  'mh',
  'sed',
  'nq',
  'fo',
  'ovf',
  'twos',
]

/** Ports of Debian's /etc/services (netbase) that are balanced, by name and alias as `getservbyname` knows them. */
const PORTS = new Map(
  Object.entries({
    20: 'ftp-data',
    21: 'ftp',
    22: 'ssh',
    23: 'telnet',
    25: 'smtp mail',
    53: 'domain',
    69: 'tftp',
    80: 'http www',
    88: 'kerberos kerberos5 krb5 kerberos-sec',
    110: 'pop3 pop-3',
    119: 'nntp readnews untp',
    123: 'ntp',
    143: 'imap2 imap',
    161: 'snmp',
    162: 'snmp-trap snmptrap',
    389: 'ldap',
    443: 'https',
    465: 'submissions ssmtp smtps urd',
    514: 'syslog',
    554: 'rtsp',
    563: 'nntps snntp',
    587: 'submission',
    636: 'ldaps',
    853: 'domain-s',
    873: 'rsync',
    990: 'ftps',
    993: 'imaps',
    995: 'pop3s',
    1194: 'openvpn',
    1433: 'ms-sql-s',
    1812: 'radius',
    1813: 'radius-acct radacct',
    2049: 'nfs',
    3306: 'mysql',
    3389: 'ms-wbt-server',
    5060: 'sip',
    5061: 'sip-tls',
    5222: 'xmpp-client jabber-client',
    5269: 'xmpp-server jabber-server',
    5432: 'postgresql postgres',
    5671: 'amqps',
    5672: 'amqp',
    6379: 'redis',
    6514: 'syslog-tls',
    6667: 'ircd',
    8080: 'http-alt webcache',
    9418: 'git',
  }).flatMap(([port, names]) => names.split(' ').map(name => [name, Number(port)] as const)),
)

/** A port, by number or name; undefined where it is neither. */
export const portOf = (text: string): number | undefined => {
  if (/^\d+$/.test(text)) return Number(text) <= 65_535 ? Number(text) : undefined
  return PORTS.get(text)
}

/** The length of a netmask of leading ones, `255.255.255.0`; undefined for any other. */
export const prefixOf = (mask: string): number | undefined => {
  if (!/^\d{1,3}(\.\d{1,3}){3}$/.test(mask)) return undefined
  const bits = mask.split('.').map(part => Number(part).toString(2).padStart(8, '0'))
  return /^1+0*$/.test(bits.join('')) && bits.join('').length === 32
    ? bits.join('').replace(/0+$/, '').length
    : undefined
}
