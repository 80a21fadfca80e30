import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

import type { Node } from './types.ts'

/** Where Debian's iptables-persistent has its files. */
export const RULES_FOLDER = '/etc/iptables'

export const IPTABLES_FILE = `${RULES_FOLDER}/rules.v4`

/** The files of rules that a node loads when it starts, and the tool that takes their lines. */
const RULE_FILES: [file: string, tool: string][] = [
  [IPTABLES_FILE, 'iptables'],
  ['/etc/iptables/rules.v6', 'ip6tables'],
  ['/etc/arptables.rules', 'arptables'],
  ['/etc/ipvsadm.rules', 'ipvsadm'],
]

/**
 * The rules that a node starts with (packet filter, marks, NAT, IPVS), as the commands that would add them:
 * `iptables -t mangle -A PREROUTING ...`, `ipvsadm -A -t 10.0.0.100:80 -s rr`.
 */
export const rulesOf = ({ iptables = [], files }: Node): string[] => [
  ...iptables.map(rule => `iptables ${rule}`),
  ...(files === undefined ? [] : rulesIn(path => join(files, path))),
]

/** The node's rules of iptables in the form of iptables-save(8), which {@link IPTABLES_FILE} has. */
export const iptablesFile = (rules: string[]): string => {
  const tables = new Map<string, string[]>()
  for (const rule of rules) {
    const [, table = 'filter', line = rule] = /^-t (\S+) (.*)$/.exec(rule) ?? []
    tables.set(table, [...(tables.get(table) ?? []), line])
  }
  return [...tables].map(([table, lines]) => `*${table}\n${lines.join('\n')}\nCOMMIT\n`).join('')
}

/** Those of a node whose files are elsewhere: `fileOf` says where, if it knows. */
export const rulesIn = (fileOf: (path: string) => string | undefined): string[] =>
  RULE_FILES.flatMap(([path, tool]) => {
    const file = fileOf(path)
    return file === undefined ? [] : commands(file, tool)
  })

const commands = (file: string, tool: string): string[] => {
  if (!statSync(file, { throwIfNoEntry: false })?.isFile()) return []
  let table = ''
  return readFileSync(file, 'utf8')
    .split('\n')
    .flatMap(text => {
      const line = text.trim()
      if (line.startsWith('*')) table = line === '*filter' ? '' : `-t ${line.slice(1)} `
      return /^-[AaI] /.test(line) ? [`${tool} ${table}${line}`] : []
    })
}
