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

/** Ports by the names that ipvsadm-save and operators write for them (services(5)); a number is its own. */
const PORTS: Record<string, number> = {
  ...{
    ftp: 21,
    ssh: 22,
    telnet: 23,
    smtp: 25,
    domain: 53,
    tftp: 69,
    http: 80,
    kerberos: 88,
    pop3: 110,
    nntp: 119,
    ntp: 123,
  },
  ...{
    imap2: 143,
    snmp: 161,
    ldap: 389,
    https: 443,
    submissions: 465,
    syslog: 514,
    submission: 587,
    ldaps: 636,
    imaps: 993,
  },
  ...{
    pop3s: 995,
    'ms-sql-s': 1433,
    radius: 1812,
    nfs: 2049,
    mysql: 3306,
    'ms-wbt-server': 3389,
    postgresql: 5432,
    sip: 5060,
  },
  ...{ 'sip-tls': 5061, redis: 6379, 'http-alt': 8080, webcache: 8080 },
}

/** A port, by number or name; undefined where it is neither. */
export const portOf = (text: string): number | undefined => {
  if (/^\d+$/.test(text)) return Number(text) <= 65_535 ? Number(text) : undefined
  return Object.hasOwn(PORTS, text) ? PORTS[text] : undefined
}

/** The length of a netmask of leading ones, `255.255.255.0`; undefined for any other. */
export const prefixOf = (mask: string): number | undefined => {
  if (!/^\d{1,3}(\.\d{1,3}){3}$/.test(mask)) return undefined
  const bits = mask.split('.').map(part => Number(part).toString(2).padStart(8, '0'))
  return /^1+0*$/.test(bits.join('')) && bits.join('').length === 32
    ? bits.join('').replace(/0+$/, '').length
    : undefined
}

/** The schedulers of the kernel (net/netfilter/ipvs/ip_vs_*.c). */
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
