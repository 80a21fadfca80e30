/** Connections that the packet filter marks on their way in. */
export interface Marked {
  /** Where they go: an address without prefix. */
  address: string
  protocol: 'TCP' | 'UDP'
  ports: number[]
  mark: number
}

/**
 * What the rules of a node mark for a `virtual_server fwmark`, by address and port:
 * `iptables -t mangle -A PREROUTING -d 10.0.0.100/32 -p tcp -m multiport --dports 80,443 -j MARK --set-mark 50`
 * (iptables-extensions(8), MARK and multiport). A rule that asks for anything else as well is passed over, as whom it
 * marks cannot be told.
 *
 * @param rules commands, as an operator would type them
 */
export const markedBy = (rules: string[]): Marked[] => rules.flatMap(rule => readRule(rule) ?? [])

const readRule = (rule: string): Marked | undefined => {
  const [tool, ...words] = rule.trim().split(/\s+/)
  const options = new Map<string, string>()
  for (let n = 0; n < words.length; n += 2) {
    const [option = '', value = ''] = [words[n], words[n + 1]]
    // a match's name says nothing that its options do not
    if (option === '-m' || option === '--match') continue
    options.set(SHORT[option] ?? option, value)
  }
  const { address, mark, port, ports, protocol, ...fixed } = Object.fromEntries(options)
  const isFixed = Object.entries(FIXED).every(([option, value]) => fixed[option] === value)
  if (tool !== 'iptables' || !isFixed || Object.keys(fixed).length !== Object.keys(FIXED).length) return undefined
  const target = /^([\d.]+)(?:\/32)?$/.exec(address ?? '')?.[1]
  const value = numberOf(/^(\w+)(?:\/0xffffffff)?$/i.exec(mark ?? '')?.[1])
  const list = (port ?? ports ?? '').split(',').map(numberOf)
  if (target === undefined || value === undefined || (port !== undefined) === (ports !== undefined)) return undefined
  if (protocol !== 'tcp' && protocol !== 'udp') return undefined
  if (!list.every(known => known !== undefined)) return undefined
  return { address: target, protocol: protocol === 'tcp' ? 'TCP' : 'UDP', ports: list, mark: value }
}

/** What marks rules set, however they choose their packets, and for which family. */
export const marksOf = (rules: string[]): { mark: number; family: 4 | 6; address?: string }[] =>
  rules.flatMap(rule => {
    const mark = /(?:-j|--jump) MARK .*--(?:set-mark|set-xmark|or-mark) (0x[\da-f]+|\d+)/i.exec(rule)?.[1]
    const address = /(?:-d|--destination) ([\da-f]*:[\da-f:]+|[\d.]+)/i.exec(rule)?.[1]
    const family = rule.startsWith('ip6tables ') ? 6 : 4
    return mark === undefined ? [] : [{ mark: Number(mark), family, ...(address === undefined ? {} : { address }) }]
  })

const SHORT: Record<string, string> = {
  '--table': '-t',
  '--append': '-A',
  '-p': 'protocol',
  '--protocol': 'protocol',
  '--jump': '-j',
  '-d': 'address',
  '--destination': 'address',
  '--set-mark': 'mark',
  '--set-xmark': 'mark',
  '--dport': 'port',
  '--dports': 'ports',
}

const FIXED: Record<string, string> = { '-t': 'mangle', '-A': 'PREROUTING', '-j': 'MARK' }

/** Decimal, or hexadecimal with 0x. */
const numberOf = (text: string | undefined): number | undefined =>
  text !== undefined && /^(\d+|0x[\da-f]+)$/i.test(text) ? Number(text) : undefined
