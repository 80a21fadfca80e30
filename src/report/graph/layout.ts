import type { Role, Topology } from '../../topology/types.ts'
import { type Box, boxOf, type Known, orderOf } from './boxes.ts'

/** A box at its place, px. */
export interface Placed extends Box {
  x: number
  y: number
  /** Cables to its networks: where they leave the box, and the edge of the bar at which they end. */
  cables: { x: number; from: number; to: number }[]
}

/** A network as a bar across the picture. */
export interface Bar {
  name: string
  subnet: string
  gateway?: string
  y: number
}

export interface Layout {
  width: number
  height: number
  bars: Bar[]
  boxes: Placed[]
}

/** px */
export const BAR = 26
export const MARGIN = 16
/** Between a box and a bar, and between boxes. */
const CABLE = 22
const GAP = 18
/** Boxes in one line of a row; of more that are on one network, further lines come beneath, whose cables go between the boxes. */
const MOST_IN_LINE = 8

const TIERS: Role[] = ['client', 'router', 'director', 'realserver']

/** A stretch of a row that something takes already, px. */
type Taken = [from: number, to: number]

/** Puts networks as bars below each other, and nodes between those that they are on. */
export const layOut = (topology: Topology, known: Known): Layout => {
  const order = orderOf(topology)
  const boxes = topology.nodes
    .map(node => boxOf(node, order, known))
    .toSorted((a, b) => TIERS.indexOf(a.node.role) - TIERS.indexOf(b.node.role))
  const rows = Array.from({ length: order.length + 1 }, (_, row) => boxes.filter(box => box.row === row))
  const xs = placeInRows(rows)
  const lines = rows.map(linesOf)
  const widths = rows.map(row => Math.max(0, ...row.map(box => (xs.get(box) ?? 0) + box.width)))
  const bars = topology.networks.map(barWidth)
  const width = Math.max(...widths, ...bars)
  // each row stands in the middle; those that a cable goes through, together with where it comes from
  const bound = new Set(boxes.flatMap(box => (crossed(box).length > 0 ? [box.row, ...crossed(box)] : [])))
  const together = Math.max(0, ...[...bound].map(row => widths[row] ?? 0))
  const shift = (row: number): number => Math.floor((width - (bound.has(row) ? together : (widths[row] ?? 0))) / 2)

  const tops: number[] = []
  const barTops: number[] = []
  let y = MARGIN
  for (const [row, boxLines] of lines.entries()) {
    tops.push(y)
    y += rowHeight(boxLines, row === 0 || row === rows.length - 1)
    if (row < order.length) {
      barTops.push(y)
      y += BAR
    }
  }
  const placed = rows.flatMap((row, n) => {
    const inside = { from: tops[n] ?? 0, to: barTops[n] ?? y }
    return row.map(box => place(box, MARGIN + (xs.get(box) ?? 0) + shift(n), inside, lines[n] ?? [], barTops))
  })
  return {
    width: width + 2 * MARGIN,
    height: y + MARGIN,
    bars: order.flatMap((name, n) => {
      const network = topology.networks.find(one => one.name === name)
      return network ? [{ ...network, y: barTops[n] ?? 0 }] : []
    }),
    boxes: placed,
  }
}

/** px that the words on a bar need. */
const barWidth = ({ name, subnet, gateway = '' }: Topology['networks'][number]): number =>
  (name.length + subnet.length + gateway.length + 14) * 8

/** Rows that a box's cables go through on their way to a bar that is not next to it. */
const crossed = ({ up, down, row }: Box): number[] => [
  ...up.flatMap(place => range(place + 1, row - 1)),
  ...down.flatMap(place => range(row + 1, place)),
]

const range = (from: number, to: number): number[] =>
  Array.from({ length: Math.max(0, to - from + 1) }, (_, n) => from + n)

const isOnOne = ({ up, down }: Box): boolean => up.length + down.length === 1

/** Who is on more than one network stands in the first line, with nobody beneath. */
const linesOf = (row: Box[]): Box[][] => {
  const wrapped = row.filter(isOnOne)
  if (wrapped.length <= MOST_IN_LINE) return row.length > 0 ? [row] : []
  const lines = Array.from({ length: Math.ceil(wrapped.length / MOST_IN_LINE) }, (_, n) =>
    wrapped.slice(n * MOST_IN_LINE, (n + 1) * MOST_IN_LINE),
  )
  const [first = [], ...others] = lines
  return [[...first, ...row.filter(box => !isOnOne(box))], ...others]
}

const tallest = (line: Box[]): number => Math.max(0, ...line.map(box => box.height))

const rowHeight = (lines: Box[][], isOutside: boolean): number => {
  if (lines.length === 0) return isOutside ? 0 : CABLE
  const boxes = lines.reduce((sum, line) => sum + tallest(line), 0) + (lines.length - 1) * GAP
  const cables = lines.some(line => line.some(box => box.up.length > 0)) ? CABLE : 0
  const below = lines.some(line => line.some(box => box.down.length > 0)) ? CABLE : isOutside ? 0 : CABLE
  return boxes + (cables || (isOutside ? 0 : CABLE)) + below
}

/** Where cables leave a box, px from its left edge. */
const outlets = (count: number, width: number): number[] =>
  Array.from({ length: count }, (_, n) => Math.round((width * (n + 1)) / (count + 1)))

/** From left to right, clear of each other and of cables that go through. */
const placeInRows = (rows: Box[][]): Map<Box, number> => {
  const xs = new Map<Box, number>()
  const taken: Taken[][] = rows.map(() => [])
  const isFree = (row: number, [from, to]: Taken): boolean =>
    (taken[row] ?? []).every(([start, end]) => to <= start || from >= end)
  for (const row of rows) {
    const [first = [], ...others] = linesOf(row)
    const column = others.length > 0 ? Math.max(...row.filter(isOnOne).map(box => box.width)) : 0
    for (const box of first) {
      const width = isOnOne(box) ? Math.max(column, box.width) : box.width
      const passes = (x: number): [number, Taken][] => {
        const all = [...outlets(box.up.length, width), ...outlets(box.down.length, width)]
        return crossed(box).flatMap(other => all.map((at): [number, Taken] => [other, [x + at - 8, x + at + 8]]))
      }
      let x = others.length > 0 ? GAP : 0
      while (!isFree(box.row, [x, x + width + GAP]) || passes(x).some(([other, its]) => !isFree(other, its))) x += 4
      xs.set(box, x)
      taken[box.row]?.push([x, x + width + GAP])
      for (const [other, its] of passes(x)) taken[other]?.push(its)
    }
    for (const line of others) for (const [n, box] of line.entries()) xs.set(box, xs.get(first[n] as Box) ?? 0)
  }
  return xs
}

const place = (
  box: Box,
  x: number,
  inside: { from: number; to: number },
  lines: Box[][],
  barTops: number[],
): Placed => {
  const line = lines.findIndex(one => one.includes(box))
  const above = lines.slice(0, line).reduce((sum, one) => sum + tallest(one) + GAP, 0)
  const hasUp = box.up.length > 0
  const y =
    hasUp || line > 0 || lines.length > 1
      ? inside.from + (lines.flat().some(one => one.up.length > 0) || box.row > 0 ? CABLE : 0) + above
      : inside.to - (box.down.length > 0 ? CABLE : 0) - box.height
  const upAt = outlets(box.up.length, box.width)
  const downAt = outlets(box.down.length, box.width)
  const up = box.up.map((bar, n) => ({ x: x + (upAt[n] ?? 0), from: y, to: (barTops[bar] ?? 0) + BAR }))
  const down = box.down.map((bar, n) => ({ x: x + (downAt[n] ?? 0), from: y + box.height, to: barTops[bar] ?? 0 }))
  // with another box in the way, a cable leaves at the left and takes the gap between the boxes
  const aside = <C extends { x: number }>(all: C[], is: boolean): C[] =>
    is ? all.map(cable => ({ ...cable, x: x - GAP / 2 })) : all
  return { ...box, x, y, cables: [...aside(up, line > 0), ...aside(down, isOnOne(box) && line < lines.length - 1)] }
}
