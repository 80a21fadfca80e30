import type { ForwardingMethod } from '../model/types.ts'
import type { PlacedWord } from './words.ts'

/** Options by their long names; those that take an argument say so. */
const OPTIONS: Record<string, { short?: string; argument?: 'needed' | 'optional' }> = {
  'add-service': { short: 'A' },
  'edit-service': { short: 'E' },
  'delete-service': { short: 'D' },
  clear: { short: 'C' },
  list: { short: 'L' },
  zero: { short: 'Z' },
  'add-server': { short: 'a' },
  'edit-server': { short: 'e' },
  'delete-server': { short: 'd' },
  set: {},
  save: { short: 'S' },
  'start-daemon': { argument: 'needed' },
  'stop-daemon': { argument: 'needed' },
  'tcp-service': { short: 't', argument: 'needed' },
  'udp-service': { short: 'u', argument: 'needed' },
  'sctp-service': { argument: 'needed' },
  'fwmark-service': { short: 'f', argument: 'needed' },
  scheduler: { short: 's', argument: 'needed' },
  persistent: { short: 'p', argument: 'optional' },
  netmask: { short: 'M', argument: 'needed' },
  'real-server': { short: 'r', argument: 'needed' },
  masquerading: { short: 'm' },
  ipip: { short: 'i' },
  gatewaying: { short: 'g' },
  weight: { short: 'w', argument: 'needed' },
  'u-threshold': { short: 'x', argument: 'needed' },
  'l-threshold': { short: 'y', argument: 'needed' },
  numeric: { short: 'n' },
  exact: { short: 'X' },
  ipv6: { short: '6' },
  ops: { short: 'o' },
  pe: { argument: 'needed' },
  'sched-flags': { short: 'b', argument: 'needed' },
  'mcast-interface': { argument: 'needed' },
  syncid: { argument: 'needed' },
  'mcast-group': { argument: 'needed' },
  'mcast-port': { argument: 'needed' },
  'mcast-ttl': { argument: 'needed' },
  'sync-maxlen': { argument: 'needed' },
  'tun-type': { argument: 'needed' },
  'tun-port': { argument: 'needed' },
  'tun-nocsum': {},
  'tun-csum': {},
  'tun-remcsum': {},
}
const LONG = new Map(Object.entries(OPTIONS).flatMap(([name, { short }]) => (short ? [[short, name]] : []))).set(
  'l',
  'list',
)

const SERVICE = ['tcp-service', 'udp-service', 'sctp-service', 'fwmark-service', 'ipv6']
/** The options that choose it. */
export const FORWARDING: Record<string, ForwardingMethod> = { masquerading: 'NAT', ipip: 'TUN', gatewaying: 'DR' }
/** Options of a tunnel. */
export const TUNNEL = ['tun-type', 'tun-port', 'tun-nocsum', 'tun-csum', 'tun-remcsum']
const SERVER = [
  ...SERVICE,
  'real-server',
  ...Object.keys(FORWARDING),
  'weight',
  'u-threshold',
  'l-threshold',
  ...TUNNEL,
]
const OF_SERVICE = [...SERVICE, 'scheduler', 'persistent', 'netmask', 'ops', 'pe', 'sched-flags']

/** What may stand beside each command (ipvsadm.c `commands_v_options`). */
const ALLOWED: Record<string, readonly string[]> = {
  'add-service': OF_SERVICE,
  'edit-service': OF_SERVICE,
  'delete-service': SERVICE,
  clear: [],
  zero: SERVICE,
  list: [...SERVICE, 'numeric', 'exact'],
  save: ['numeric'],
  'add-server': SERVER,
  'edit-server': SERVER,
  'delete-server': [...SERVICE, 'real-server'],
  set: [],
  'start-daemon': ['mcast-interface', 'syncid', 'mcast-group', 'mcast-port', 'mcast-ttl', 'sync-maxlen'],
  'stop-daemon': ['syncid'],
}

/** Something at which ipvsadm ends, and with it the restoring. */
export class Stop extends Error {
  readonly word: PlacedWord
  constructor(message: string, word: PlacedWord) {
    super(message)
    this.word = word
  }
}

/** Something that the kernel refuses; the next line is read all the same. */
export class Refusal extends Stop {}

/** One line: a command, its options by their long names, and what is no option. */
export interface Line {
  command: PlacedWord & { name: string; argument?: string }
  options: Map<string, PlacedWord>
  rest: PlacedWord[]
}

/** popt(3): `-w 1`, `-w1`, `--weight 1`, `--weight=1`; short options without an argument may share a dash. */
export const readLine = (words: PlacedWord[]): Line => {
  const found: [name: string, word: PlacedWord, argument?: string][] = []
  const rest: PlacedWord[] = []
  for (let n = 0; n < words.length; n++) {
    const word = words[n] as PlacedWord
    const { text } = word
    const take = (name: string, attached: string | undefined): void => {
      const { argument } = OPTIONS[name] ?? {}
      const next = words[n + 1]
      const isFree = next !== undefined && (argument === 'needed' || !next.text.startsWith('-'))
      if (argument !== undefined && attached === undefined && isFree) n++
      const value = argument === undefined ? undefined : (attached ?? (isFree ? next?.text : undefined))
      if (argument === 'needed' && value === undefined) throw new Stop(`${text} needs a value`, word)
      found.push([name, word, ...(value === undefined ? [] : [value])] as [string, PlacedWord, string?])
    }
    const long = /^--([^=]+)(?:=(.*))?$/s.exec(text)
    if (long) {
      const [, name = '', attached] = long
      if (!Object.hasOwn(OPTIONS, name)) throw new Stop(`ipvsadm has no option --${name}`, word)
      take(name, attached)
    } else if (/^-./s.test(text)) {
      for (let i = 1; i < text.length; i++) {
        const name = LONG.get(text[i] as string)
        if (name === undefined) throw new Stop(`ipvsadm has no option -${text[i]}`, word)
        const attached = text.slice(i + 1).replace(/^=/, '')
        const takesIt = OPTIONS[name]?.argument !== undefined && attached !== ''
        take(name, takesIt ? attached : undefined)
        if (takesIt) break
      }
    } else rest.push(word)
  }
  const [command, ...others] = found
  const first = words[0] as PlacedWord
  const allowed = command && ALLOWED[command[0]]
  if (!command || !allowed) throw new Stop(`${first.text} is no command`, first)
  const options = new Map<string, PlacedWord>()
  for (const [name, word, argument] of others) {
    if (!allowed.includes(name)) throw new Stop(`${word.text} does not go with ${command[1].text}`, word)
    if (options.has(name)) throw new Stop(`${word.text} is there twice`, word)
    options.set(name, { text: argument ?? '', at: word.at })
  }
  const [name, word, argument] = command
  return { command: { ...word, name, ...(argument === undefined ? {} : { argument }) }, options, rest }
}
