import type { Node, Topology } from '../../topology/types.ts'
import { rulesOf } from '../../topology/rules.ts'
import { visibleLine } from '../visible.ts'

/** What a picture shows beyond the topology: what the configurations say. */
export interface Known {
  /** Who may hold each VIP, and on which device; the expected MASTER first. */
  vips: { address: string; holders: { node: string; device: string }[] }[]
  /** Director and real server at the ends of each IP-in-IP tunnel. */
  tunnels: { from: string; to: string }[]
}

/** A line of text in a box; `of` says what it is about. */
export interface Line {
  text: string
  of: 'interface' | 'vip' | 'standby' | 'quiet' | 'plain'
}

/** A node as it is drawn: what leads up, its name, what it has, what leads down. */
export interface Box {
  node: Node
  /** Places in the order of networks, of the interfaces that lead up and down. */
  up: number[]
  down: number[]
  /** Row between the bars: row n is above bar n. */
  row: number
  top: Line[]
  middle: Line[]
  bottom: Line[]
  /** What there is no room for, as a tooltip. */
  title: string
  width: number
  height: number
}

export const LINE = 16
export const HEAD = 28
const PAD = 6
/** px of a character of the font for addresses, and of the bold one for names. */
const CHARACTER = 7.3
const NAME_CHARACTER = 8.5
const LONGEST = 44

const cut = (text: string): string => {
  const shown = visibleLine(text)
  return shown.length > LONGEST ? `${shown.slice(0, LONGEST - 1)}…` : shown
}

/** The box of a node, when the order of networks is settled. */
export const boxOf = (node: Node, order: string[], known: Known): Box => {
  const at = (network: string): number => order.indexOf(network)
  const places = node.interfaces.map(one => at(one.network))
  const [first, last] = [Math.min(...places), Math.max(...places)]
  // those who ask stand above a network, those who answer below it; who is on more than one stands between them
  const asks = node.role === 'client' || (node.role === 'router' && places.length === 1)
  const row = first === last && asks ? first : first + 1
  const mine = known.vips.flatMap(({ address, holders }) => {
    const holder = holders.find(one => one.node === node.name)
    return holder ? [{ address, device: holder.device, isFirst: holder === holders[0] }] : []
  })
  const held = new Set(mine.map(one => one.address))
  const isVip = new Set(known.vips.map(one => one.address))
  const bare = (text: string): string => text.replace(/\/.*/, '')
  const own = (list: string[]): string[] => list.filter(text => !held.has(bare(text)))
  const lines = (up: boolean): Line[] =>
    node.interfaces
      .filter(one => at(one.network) < row === up)
      .flatMap(({ name, address, addresses }) => [
        line(`${name} ${address}`, 'interface'),
        ...own(addresses).map(text => line(`${name} ${text}`, isVip.has(bare(text)) ? 'quiet' : 'interface')),
      ])
  const elsewhere = (device: string, list: string[]): Line[] =>
    own(list).map(text => line(`${device} ${text}`, isVip.has(bare(text)) ? 'quiet' : 'plain'))
  const has = [
    ...mine.map(({ address, device, isFirst }) =>
      isFirst ? line(`VIP ${address} on ${device}`, 'vip') : line(`standby for ${address}`, 'standby'),
    ),
    ...elsewhere('lo', node.loopback),
    ...node.tunnels.flatMap(({ name, addresses }) =>
      addresses.length > 0 ? elsewhere(name, addresses) : [line(`${name} up`, 'plain')],
    ),
    ...node.routes.map(route => line(route, 'plain')),
  ]
  const rules = rulesOf(node)
  if (rules.length > 0) has.push(line(`${rules.length} rule${rules.length === 1 ? '' : 's'}`, 'plain'))
  const { packages = [], processes = [] } = node
  if (processes.length > 0) has.push(line(`stand-ins: ${processes.join(' ')}`, 'plain'))
  if (packages.length > 0) has.push(line(`with ${packages.join(' ')}`, 'plain'))
  const [top, middle, bottom] = [few(lines(true)), few(has), few(lines(false))]
  const longest = Math.max(...[...top, ...middle, ...bottom].map(one => one.text.length * CHARACTER))
  return {
    ...{ node, row, top, middle, bottom },
    up: places.filter(place => place < row),
    down: places.filter(place => place >= row),
    title: [
      `${node.name}, ${node.role}`,
      ...(packages.length > 0 ? [`apt-get install ${packages.join(' ')}`] : []),
      ...node.routes.map(route => `ip route add ${route}`),
      ...rules,
      ...Object.entries(node.sysctls).map(([key, value]) => `${key} = ${value}`),
    ]
      .map(visibleLine)
      .join('\n'),
    width: Math.ceil(
      Math.max(longest, node.name.length * NAME_CHARACTER + roleName(node).length * CHARACTER + 12, 96) + 4 * PAD,
    ),
    height: HEAD + stackHeight(top) + stackHeight(middle) + stackHeight(bottom),
  }
}

/** One node may be a farm of a thousand addresses. */
const few = (lines: Line[]): Line[] =>
  lines.length > MOST_LINES
    ? [...lines.slice(0, MOST_LINES - 1), line(`and ${lines.length - MOST_LINES + 1} more`, 'plain')]
    : lines

const MOST_LINES = 8

/** As people write it. */
export const roleName = ({ role }: Node): string => (role === 'realserver' ? 'real server' : role)

const line = (text: string, of: Line['of']): Line => ({ text: cut(text), of })

/** px that lines take, one above the other. */
export const stackHeight = (lines: Line[]): number => (lines.length > 0 ? lines.length * LINE + PAD : 0)

/** Networks of a few are tried in every order; of more, that of the topology is kept. */
const MOST_TRIED = 7

/**
 * The networks from top to bottom: those of clients above, those of real servers below, and as few bars as can be that
 * somebody's cable has to cross.
 */
export const orderOf = ({ networks, nodes }: Topology): string[] => {
  const names = networks.map(network => network.name)
  if (names.length > MOST_TRIED) return names
  const spans = nodes.map(({ role, interfaces }) => ({ role, networks: interfaces.map(one => one.network) }))
  const cost = (order: string[]): number =>
    spans.reduce((sum, { role, networks: its }) => {
      const places = its.map(name => order.indexOf(name))
      const crossed = Math.max(...places) - Math.min(...places) - (places.length - 1)
      const lean = role === 'client' ? 0.1 : role === 'realserver' ? -0.02 : 0
      return sum + crossed + lean * Math.min(...places)
    }, 0)
  return permutations(names)
    .map(order => ({ order, cost: cost(order) }))
    .reduce((best, one) => (one.cost < best.cost - 1e-9 ? one : best)).order
}

const permutations = (names: string[]): string[][] =>
  names.length <= 1
    ? [names]
    : names.flatMap((name, n) => permutations(names.toSpliced(n, 1)).map(rest => [name, ...rest]))
