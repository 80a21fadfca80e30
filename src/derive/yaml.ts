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

const formatNetwork = ({ name, subnet, gateway, because }: DraftNetwork): string =>
  `  ${word(name)}: { subnet: ${subnet}${gateway === undefined ? '' : `, gateway: ${gateway}`} } # ${visibleLine(because)}`

const formatNode = ({ name, role, because, interfaces, loopback, tunnel, sysctls, routes }: DraftNode): string => {
  const settings = Object.entries(sysctls).map(([key, value]) => `      ${key}: ${value}`)
  return [
    ...because.map(line => `  # ${visibleLine(line)}`),
    `  ${word(name)}:`,
    `    role: ${role}`,
    '    interfaces:',
    ...interfaces.map(
      one =>
        `      ${word(one.name)}: { network: ${word(one.network)}, address: ${one.address} }${one.because ? ` # ${visibleLine(one.because)}` : ''}`,
    ),
    ...(loopback.length > 0 ? [`    loopback: [${loopback.join(', ')}]`] : []),
    ...(tunnel.length > 0 ? [`    tunnels: { tunl0: [${tunnel.join(', ')}] }`] : []),
    ...(settings.length > 0 ? ['    sysctls:', ...settings] : []),
    ...(routes.length > 0 ? [`    routes: [${routes.join(', ')}]`] : []),
  ].join('\n')
}
