import { configuredOf } from './configured.ts'
import { rulesOf } from './rules.ts'
import type { Node, Role, Topology } from './types.ts'

// From those who ask to those who answer.
const TIERS: Role[] = ['client', 'router', 'director', 'realserver']

const inTiers = (nodes: Node[]): Node[] => nodes.toSorted((a, b) => TIERS.indexOf(a.role) - TIERS.indexOf(b.role))

/** What a node has on no network: `lo 10.0.0.100/32`, `tunl0 10.0.0.100/32`. */
const elsewhere = ({ loopback, tunnels }: Node): string[] => [
  ...(loopback.length > 0 ? [`lo ${loopback.join(', ')}`] : []),
  ...tunnels.map(({ name, addresses }) => [name, addresses.join(', ')].join(' ').trim()),
]

/**
 * A picture in text: each network with the nodes on it, their roles and addresses; below a node, on its first network, its
 * packages, its stand-ins, its routes and the rules that it loads, as the commands that would add them, and of a director its VRRP instances and
 * virtual services. Ends with a line feed.
 */
export const drawText = (topology: Topology): string => {
  const blocks = topology.networks.map(network => {
    const gateway = network.gateway === undefined ? '' : `  gateway ${network.gateway}`
    const rows = inTiers(topology.nodes).flatMap(node =>
      node.interfaces
        .filter(its => its.network === network.name)
        .map(its => ({
          cells: [
            ...[node.name, node.role, its.name, [its.address, ...its.addresses].join(', ')],
            elsewhere(node).join('  '),
          ],
          below: its === node.interfaces[0] ? underneath(node) : [],
        })),
    )
    const widths = [0, 1, 2, 3, 4].map(column => Math.max(0, ...rows.map(row => (row.cells[column] as string).length)))
    const lines = rows.flatMap(({ cells, below }, index) => {
      const last = index === rows.length - 1
      const text = cells.map((cell, column) => cell.padEnd(widths[column] as number)).join('  ')
      return [
        `${last ? '└─' : '├─'} ${text.trimEnd()}`,
        ...below.map(line => `${last ? '  ' : '│ '} ${' '.repeat(widths[0] as number)}  ${line}`),
      ]
    })
    const driver = network.driver === undefined ? '' : `  ${network.driver}`
    return [`${network.name}  ${network.subnet}${gateway}${driver}`, ...lines].join('\n')
  })
  return `${blocks.join('\n\n')}\n`
}

/** What is drawn below a node. */
const underneath = (node: Node): string[] => [
  ...(node.processes ? [`stand-ins: ${node.processes.join(' ')}`] : []),
  ...(node.packages ? [`apt-get install ${node.packages.join(' ')}`] : []),
  ...node.routes.map(route => `ip route add ${route}`),
  ...rulesOf(node),
  ...configuredOf(node),
]

/** The same as a Mermaid flowchart, which GitHub renders. Ends with a line feed. */
export const drawMermaid = (topology: Topology): string => {
  const networks = topology.networks.map(its => `  net_${id(its.name)}(["${its.name} ${its.subnet}"])`)
  const nodes = inTiers(topology.nodes).map(node => {
    const lines = [node.name, node.role, ...elsewhere(node), ...underneath(node)]
    return `  node_${id(node.name)}["${lines.map(text => text.replaceAll('"', '#quot;')).join('<br/>')}"]`
  })
  // Links point down the tiers, so that those who ask stand above the network and those who answer below it.
  const links = inTiers(topology.nodes).flatMap(node =>
    node.interfaces.map(({ network, name, address, addresses }) => {
      const [from, to] = [`node_${id(node.name)}`, `net_${id(network)}`]
      const above = node.role === 'client' || node.role === 'router'
      return `  ${above ? from : to} ---|"${name} ${[address, ...addresses].join(', ')}"| ${above ? to : from}`
    }),
  )
  return `${['flowchart TB', ...networks, ...nodes, ...links].join('\n')}\n`
}

/** Mermaid takes a hyphen in an id for the start of a link; names hold no underscore, so no two become one. */
const id = (name: string): string => name.replaceAll('-', '_')
