import { h, s, shorten } from './dom.js'

// The network as a picture: networks are horizontal lines, a node hangs from its first one and stands on its others.

const BOX = { width: 178, gap: 16, line: 15 }

export const drawTopology = ({ name, drawing, networks, nodes }) => {
  if (!networks?.length || !nodes?.length) return h('pre', { class: 'drawing', tabindex: 0 }, drawing)
  const order = orderNetworks(networks, nodes)
  const rows = order.map(() => [])
  const roles = ['client', 'router', 'director', 'realserver']
  for (const node of [...nodes].sort((a, b) => roles.indexOf(a.role) - roles.indexOf(b.role))) {
    const touched = node.interfaces.map(({ network }) => order.indexOf(network)).filter(i => i >= 0)
    rows[touched.length > 0 ? Math.min(...touched) : 0].push({ node, touched: [...new Set(touched)] })
  }
  const width = Math.max(2, ...rows.map(row => row.length)) * (BOX.width + BOX.gap) + 150
  const svg = s('svg', { class: 'topology', role: 'img' }, s('title', {}, `Topology ${name}`))
  const buses = []
  let y = 22
  const boxes = rows.map((row, i) => {
    buses.push({ y, network: order[i] })
    const heights = row.map(({ node }) => 30 + BOX.line * addressLines(node).length)
    const placed = row.map((entry, j) => ({
      ...entry,
      x: 140 + (width - 150 - row.length * (BOX.width + BOX.gap)) / 2 + j * (BOX.width + BOX.gap),
      y: y + 24,
      height: heights[j],
    }))
    y += row.length > 0 ? Math.max(...heights) + 54 : 40
    return placed
  })
  for (const { x, y: top, height, touched } of boxes.flat()) {
    touched.forEach((bus, i) => {
      const at = x + (BOX.width * (i + 1)) / (touched.length + 1)
      const busY = buses[bus].y
      svg.append(
        s('path', { class: 'wire', d: `M${at} ${busY}V${busY < top ? top : top + height}` }),
        s('circle', { class: 'joint', cx: at, cy: busY, r: 3 }),
      )
    })
  }
  for (const { y: busY, network } of buses) {
    const subnet = networks.find(one => one.name === network)?.subnet ?? ''
    svg.append(
      s('path', { class: 'bus', d: `M140 ${busY}H${width - 10}` }),
      s('text', { class: 'net', x: 4, y: busY - 1 }, shorten(network, 18)),
      s('text', { class: 'sub', x: 4, y: busY + 13 }, shorten(subnet, 20)),
    )
  }
  for (const { node, x, y: top, height } of boxes.flat()) svg.append(drawNode(node, x, top, height))
  svg.setAttribute('viewBox', `0 0 ${width} ${y}`)
  svg.setAttribute('width', width)
  return svg
}

// a run of an earlier version has neither tunnels nor further addresses
const addressLines = ({ interfaces, loopback, tunnels = [] }) => [
  ...interfaces.flatMap(one => [one.address, ...(one.addresses ?? [])].map(address => `${one.name} ${address}`)),
  ...loopback.map(address => `lo ${address}`),
  ...tunnels.flatMap(one => one.addresses.map(address => `${one.name} ${address}`)),
]

const drawNode = (node, x, y, height) =>
  s(
    'g',
    { class: `node ${node.role}` },
    s('rect', { x, y, width: BOX.width, height, rx: 5 }),
    s('text', { class: 'node-name', x: x + 10, y: y + 19 }, shorten(node.name, 11)),
    s('text', { class: 'sub', x: x + BOX.width - 10, y: y + 19, 'text-anchor': 'end' }, node.role),
    ...addressLines(node).map((line, i) =>
      s('text', { class: 'address', x: x + 10, y: y + 36 + i * BOX.line }, shorten(line, 25)),
    ),
  )

// from the clients inwards, each network after one that it shares a node with
const orderNetworks = (networks, nodes) => {
  const names = networks.map(({ name }) => name)
  const client = nodes.find(({ role }) => role === 'client')?.interfaces[0]?.network
  const order = names.includes(client) ? [client] : names.slice(0, 1)
  for (let i = 0; i < order.length; i++) {
    for (const { interfaces } of nodes.filter(node => node.interfaces.some(({ network }) => network === order[i]))) {
      for (const { network } of interfaces) if (names.includes(network) && !order.includes(network)) order.push(network)
    }
  }
  return [...order, ...names.filter(name => !order.includes(name))]
}
