import { parse } from 'yaml'
import { visibleLine } from '../report/visible.ts'
import type { Draft, DraftNetwork, DraftNode } from './draft.ts'

/** A name as YAML reads it back: a folder may be called 2024, and an interface 1e3. */
const word = (name: string): string => (parse(name) === name ? name : JSON.stringify(name))

/** The topology.yaml of a draft, for people to read and to change. */
export const formatDraft = (draft: Draft): string =>
  [
    ...(draft.questions.length === 0
      ? []
      : [
          '# What the configuration does not say, and what was taken for it:',
          ...draft.questions.map(q => `# - ${visibleLine(q)}`),
          '',
        ]),
    `name: ${word(draft.name)}`,
    `summary: ${draft.summary}`,
    '',
    'networks:',
    ...draft.networks.map(formatNetwork),
    '',
    'nodes:',
    draft.nodes.map(formatNode).join('\n\n'),
    '',
  ].join('\n')

const formatNetwork = ({ name, subnet, gateway, driver, because }: DraftNetwork): string => {
  const words = Object.entries({ subnet, gateway, driver }).flatMap(([key, value]) =>
    value ? [`${key}: ${value}`] : [],
  )
  return `  ${word(name)}: { ${words.join(', ')} } # ${visibleLine(because)}`
}

const formatNode = ({
  name,
  role,
  farm,
  because,
  interfaces,
  loopback,
  tunnel,
  bareTunnels = [],
  arp,
  sysctls,
  routes,
  processes = [],
}: DraftNode): string => {
  const devices = { tunl0: tunnel.filter(one => !one.includes(':')), ip6tnl0: tunnel.filter(one => one.includes(':')) }
  const tunnels = [
    ...bareTunnels.map(device => `      ${device}: []`),
    ...Object.entries(devices).flatMap(([device, its]) => formatList(`      ${device}: `, its)),
  ]
  const settings = Object.entries(sysctls).map(([key, value]) => `      ${key}: ${value}`)
  return [
    ...because.map(line => `  # ${visibleLine(line)}`),
    `  ${word(name)}:`,
    `    role: ${role}`,
    ...(farm ? ['    farm: true'] : []),
    '    interfaces:',
    ...interfaces.flatMap(formatInterface),
    ...formatList('    loopback: ', loopback),
    ...(tunnels.length > 0 ? ['    tunnels:', ...tunnels] : []),
    ...(arp ? [`    arp: { ignore: ${arp.ignore}, announce: ${arp.announce} }`] : []),
    ...(settings.length > 0 ? ['    sysctls:', ...settings] : []),
    ...(routes.length > 0 ? [`    routes: [${routes.map(plain).join(', ')}]`] : []),
    ...formatList('    processes: ', processes.map(word)),
  ].join('\n')
}

const formatInterface = ({
  name,
  network,
  address,
  addresses = [],
  because,
}: DraftNode['interfaces'][number]): string[] => {
  const comment = because ? ` # ${because}` : ''
  if (addresses.length === 0) return [`      ${name}: { network: ${network}, address: ${address} }${comment}`]
  return [
    `      ${name}:${comment}`,
    `        network: ${network}`,
    `        address: ${address}`,
    ...formatList('        addresses: ', addresses),
  ]
}

/** A colon may end a plain scalar, and IPv6 has colons. */
const plain = (value: string): string => (value.includes(':') ? JSON.stringify(value) : value)

/** So many stand on one line. */
const PER_LINE = 6

/** A list on one line where it is short. */
const formatList = (key: string, texts: string[]): string[] => {
  const values = texts.map(plain)
  if (values.length === 0) return []
  if (values.length <= PER_LINE) return [`${key}[${values.join(', ')}]`]
  const indent = ' '.repeat(key.search(/\S/) + 2)
  const lines = Array.from({ length: Math.ceil(values.length / PER_LINE) }, (_, n) =>
    values.slice(n * PER_LINE, (n + 1) * PER_LINE).join(', '),
  )
  return [`${key}[`, ...lines.map(line => `${indent}${line},`), `${indent.slice(2)}]`]
}
