import type { Node, Role, Topology } from './types.ts'

// From those who ask to those who answer.
const TIERS: Role[] = ['client', 'router', 'director', 'realserver']

const inTiers = (nodes: Node[]): Node[] => nodes.toSorted((a, b) => TIERS.indexOf(a.role) - TIERS.indexOf(b.role))

/** A picture in text: each network with the nodes on it, their roles and addresses. Ends with a line feed. */
export const drawText = (topology: Topology): string => {
  const blocks = topology.networks.map(network => {
    const gateway = network.gateway === undefined ? '' : `  gateway ${network.gateway}`
    const rows = inTiers(topology.nodes).flatMap(node =>
      node.interfaces
        .filter(its => its.network === network.name)
        .map(its => {
          const loopback = node.loopback.length > 0 ? `lo ${node.loopback.join(', ')}` : ''
          return [node.name, node.role, its.name, its.address, loopback]
        }),
    )
    const widths = [0, 1, 2, 3, 4].map(column => Math.max(0, ...rows.map(row => (row[column] as string).length)))
    const lines = rows.map((row, index) => {
      const text = row.map((cell, column) => cell.padEnd(widths[column] as number)).join('  ')
      return `${index === rows.length - 1 ? '└─' : '├─'} ${text.trimEnd()}`
    })
    return [`${network.name}  ${network.subnet}${gateway}`, ...lines].join('\n')
  })
  return `${blocks.join('\n\n')}\n`
}

/** The same as a Mermaid flowchart, which GitHub renders. Ends with a line feed. */
export const drawMermaid = (topology: Topology): string => {
  const networks = topology.networks.map(its => `  net_${id(its.name)}(["${its.name} ${its.subnet}"])`)
  const nodes = inTiers(topology.nodes).map(node => {
    const loopback = node.loopback.map(address => `<br/>lo ${address}`).join('')
    return `  node_${id(node.name)}["${node.name}<br/>${node.role}${loopback}"]`
  })
  // Links point down the tiers, so that those who ask stand above the network and those who answer below it.
  const links = inTiers(topology.nodes).flatMap(node =>
    node.interfaces.map(({ network, name, address }) => {
      const [from, to] = [`node_${id(node.name)}`, `net_${id(network)}`]
      const above = node.role === 'client' || node.role === 'router'
      return `  ${above ? from : to} ---|"${name} ${address}"| ${above ? to : from}`
    }),
  )
  return `${['flowchart TB', ...networks, ...nodes, ...links].join('\n')}\n`
}

/** Mermaid takes a hyphen in an id for the start of a link; names hold no underscore, so no two become one. */
const id = (name: string): string => name.replaceAll('-', '_')
