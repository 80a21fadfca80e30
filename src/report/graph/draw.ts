import type { Role, Topology } from '../../topology/types.ts'
import { element, escapeText } from '../xml.ts'
import { HEAD, type Known, LINE, type Line, roleName, stackHeight } from './boxes.ts'
import { BAR, type Bar, type Layout, layOut, MARGIN, type Placed } from './layout.ts'

/** Fill of the head and of the body of a node, by its role. */
const COLOURS: Record<Role, { head: string; body: string }> = {
  client: { head: '#3b6fb6', body: '#eef4fc' },
  router: { head: '#6b7280', body: '#f3f4f6' },
  director: { head: '#b45309', body: '#fff7ed' },
  realserver: { head: '#2f7d4f', body: '#eefaf2' },
}

const STYLE = `
text { font: 12px ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace; fill: #1f2937 }
.name { font: bold 14px system-ui, 'DejaVu Sans', sans-serif; fill: #fff }
.role { fill: #fff; opacity: .85 }
.network { font-weight: bold; fill: #fff }
.on-bar { fill: #dbe4f0 }
.vip { font-weight: bold; fill: #9f1239 }
.standby { fill: #9f1239 }
.quiet { fill: #9f1239; opacity: .75 }
.plain { fill: #6b7280 }
.cable { stroke: #334155; stroke-width: 2; fill: none }
.under { stroke: #fff; stroke-width: 7; fill: none }
.tunnel { stroke: #7c3aed; stroke-width: 2; stroke-dasharray: 7 4; fill: none }
.rule { stroke: #000; stroke-opacity: .1 }
`

/**
 * A topology as an SVG: networks as bars, nodes between the bars that they are on, with what they have on each interface. The VIP
 * stands with whoever holds it. Ends with a line feed.
 */
export const drawSvg = (topology: Topology, known: Known): string => {
  const layout = layOut(topology, known)
  const { width, height } = layout
  const title = topology.summary === undefined ? topology.name : `${topology.name}: ${topology.summary}`
  return `${element(
    'svg',
    { xmlns: 'http://www.w3.org/2000/svg', ...{ width, height, viewBox: `0 0 ${width} ${height}`, role: 'img' } },
    [
      element('title', {}, escapeText(title)),
      element('style', {}, STYLE),
      element('rect', { width, height, fill: '#fff', rx: 8 }),
      ...layout.bars.map(({ y }) => element('rect', { ...barAt(y, width), rx: BAR / 2 })),
      ...layout.boxes.flatMap(box => box.cables.map((_, n) => drawCable(box, n, layout))),
      ...layout.bars.flatMap(bar => nameBar(bar, width)),
      ...drawTunnels(layout, known),
      ...layout.boxes.map(drawBox),
    ],
  )}\n`
}

const BAR_COLOUR = '#334155'

const barAt = (y: number, width: number) => ({
  ...{ x: MARGIN, y, width: width - 2 * MARGIN, height: BAR, fill: BAR_COLOUR },
})

/** What stands on a bar stands before the cables that cross it. */
const nameBar = ({ name, subnet, gateway, y }: Bar, width: number): string[] => {
  const right = width - MARGIN - 14
  const ground = (x: number, length: number) =>
    element('rect', { x: x - 4, y, width: length * 7.3 + 16, height: BAR, fill: BAR_COLOUR })
  const words = gateway === undefined ? '' : `gateway ${gateway}`
  return [
    ground(MARGIN + 14, name.length + subnet.length + 1),
    element('text', { x: MARGIN + 14, y: y + 17 }, [
      element('tspan', { class: 'network' }, escapeText(name)),
      element('tspan', { class: 'on-bar', dx: 8 }, escapeText(subnet)),
    ]),
    ...(words === ''
      ? []
      : [
          ground(right - words.length * 7.3, words.length - 1),
          element('text', { x: right, y: y + 17, 'text-anchor': 'end', class: 'on-bar' }, escapeText(words)),
        ]),
  ]
}

/** A cable, with a dot where it is plugged in; a bar that it only crosses is interrupted. */
const drawCable = ({ x: left, y: top, cables }: Placed, n: number, { bars }: Layout): string => {
  const { x, from, to } = cables[n] as Placed['cables'][number]
  const start = x < left ? `M${left} ${top + HEAD / 2}H${x}` : `M${x} ${from}`
  const [low, high] = [Math.min(from, to), Math.max(from, to)]
  const crossed = bars.filter(bar => bar.y > low && bar.y + BAR < high)
  return element('g', {}, [
    ...crossed.map(bar => element('path', { class: 'under', d: `M${x} ${bar.y}V${bar.y + BAR}` })),
    element('path', { class: 'cable', d: `${start}V${to}` }),
    element('circle', { cx: x, cy: to, r: 4, fill: BAR_COLOUR }),
  ])
}

/** From a director to the real servers that get their packets through a tunnel. */
const drawTunnels = ({ boxes }: Layout, { tunnels }: Known): string[] =>
  tunnels.flatMap(({ from, to }) => {
    const [start, end] = [from, to].map(name => boxes.find(box => box.node.name === name))
    if (!start || !end) return []
    const isBeside = start.row === end.row
    const [x1, x2] = [start, end].map(box => box.x + box.width * 0.8) as [number, number]
    const y1 = start.y + start.height
    const y2 = isBeside ? end.y + end.height : end.y
    const bend = isBeside ? Math.max(y1, y2) + 26 : (y1 + y2) / 2
    const title = element('title', {}, escapeText(`tunnel from ${from} to ${to}`))
    return [element('path', { class: 'tunnel', d: `M${x1} ${y1}C${x1} ${bend} ${x2} ${bend} ${x2} ${y2}` }, [title])]
  })

const drawBox = ({ node, x, y, width, height, top, middle, bottom, title }: Placed): string => {
  const { head, body } = COLOURS[node.role]
  const headAt = y + stackHeight(top)
  const stacks: [Line[], number][] = [
    [top, y],
    [middle, headAt + HEAD],
    [bottom, y + height - stackHeight(bottom)],
  ]
  return element('g', {}, [
    element('title', {}, escapeText(title)),
    element('rect', { x, y, width, height, rx: ROUND, fill: body, stroke: head }),
    element('path', { d: headShape(x, headAt, width, top.length === 0, height - HEAD === headAt - y), fill: head }),
    element('text', { x: x + 10, y: headAt + 19, class: 'name' }, escapeText(node.name)),
    element('text', { x: x + width - 10, y: headAt + 19, class: 'role', 'text-anchor': 'end' }, roleName(node)),
    ...stacks.flatMap(([lines, from]) => lines.map((line, n) => drawLine(line, x + 10, from + n * LINE + 15))),
    ...(middle.length > 0 && bottom.length > 0 ? [ruleAt(x, width, y + height - stackHeight(bottom))] : []),
  ])
}

/** A rectangle whose corners are round where it is the edge of the box. */
const headShape = (x: number, y: number, width: number, isTop: boolean, isBottom: boolean): string => {
  const [t, b] = [isTop ? ROUND : 0, isBottom ? ROUND : 0]
  return [
    `M${x + t} ${y}h${width - 2 * t}`,
    t ? `q${t} 0 ${t} ${t}` : '',
    `v${HEAD - t - b}`,
    b ? `q0 ${b} ${-b} ${b}` : '',
    `h${2 * b - width}`,
    b ? `q${-b} 0 ${-b} ${-b}` : '',
    `v${t + b - HEAD}`,
    t ? `q0 ${-t} ${t} ${-t}` : '',
    'z',
  ].join('')
}

/** Radius of a box's corners, px. */
const ROUND = 6

const ruleAt = (x: number, width: number, y: number): string =>
  element('path', { class: 'rule', d: `M${x + 1} ${y}H${x + width - 1}` })

const drawLine = ({ text, of }: Line, x: number, y: number): string =>
  element('text', { x, y, ...(of === 'interface' ? {} : { class: of }) }, escapeText(text))
