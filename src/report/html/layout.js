import { isFailed } from './state.js'

// Which lanes a lab has and where they stand; nothing here depends on the zoom.

export const GUTTER = 208
export const RIGHT = 14
const MAX_POOL_LANES = 24
const MAX_VIP_LANES = 16
const MAX_ADVERT_LANES = 12

const requestLanes = (lab, servers) => {
  const { t, server } = lab.requests
  if (t.length === 0) return []
  const byServer = new Map()
  const failed = []
  for (let i = 0; i < t.length; i++) {
    if (isFailed(lab, i)) {
      failed.push(i)
      continue
    }
    const name = lab.strings[server[i]] ?? ''
    if (!byServer.has(name)) byServer.set(name, [])
    byServer.get(name).push(i)
  }
  const lanes = [...byServer]
    .map(([name, items]) => ({ type: 'requests', name, index: servers.indexOf(name), items }))
    .sort((a, b) => (a.index < 0 ? Infinity : a.index) - (b.index < 0 ? Infinity : b.index))
  return [
    ...lanes.map(lane => ({
      ...lane,
      main: lane.name || '(unnamed)',
      sub: `${lane.items.length} ${lab.thinned ? 'drawn' : 'answered'}`,
      height: 26,
    })),
    {
      type: 'failed',
      items: failed,
      main: 'failed',
      sub: `${failed.length}${lab.thinned ? ' drawn' : ''}`,
      height: 26,
    },
  ]
}

const barLanes = (lanes, type, servers, most) => {
  const drawn = lanes.slice(0, most).map(lane => ({
    type,
    main: lane.node,
    sub: lane.label,
    detail: lane.detail,
    spans: lane.spans,
    index: lane.server === undefined ? -1 : servers.indexOf(lane.server),
    lane,
    height: 19,
  }))
  return { drawn, left: lanes.length - drawn.length }
}

export const layoutLanes = (lab, servers) => {
  const notes = [...lab.notes]
  const cut = ({ drawn, left }, what) => {
    if (left > 0) notes.push(`${left} more lanes of ${what} are not drawn`)
    return drawn
  }
  const groups = [
    { title: 'VIP owner', lanes: cut(barLanes(lab.vip, 'vip', servers, MAX_VIP_LANES), 'VIP owners') },
    {
      title: 'VRRP adverts',
      lanes: cut(
        {
          drawn: lab.adverts
            .slice(0, MAX_ADVERT_LANES)
            .map(lane => ({ type: 'adverts', main: lane.node, sub: lane.label, items: lane.items, height: 22 })),
          left: Math.max(0, lab.adverts.length - MAX_ADVERT_LANES),
        },
        'adverts',
      ),
    },
    { title: 'Requests by server', lanes: requestLanes(lab, servers) },
    { title: 'IPVS table', lanes: cut(barLanes(lab.pool, 'pool', servers, MAX_POOL_LANES), 'the IPVS table') },
  ].filter(({ lanes }) => lanes.length > 0)
  let y = 0
  for (const group of groups) {
    group.y = y
    y += 17
    for (const lane of group.lanes) {
      lane.y = y
      y += lane.height + 2
    }
    y += 6
  }
  return { groups, lanes: groups.flatMap(({ lanes }) => lanes), height: y, notes }
}

// a step of 1, 2 or 5 times a power of ten that gives about `wanted` ticks
export const tickStep = (range, wanted) => {
  const raw = range / wanted
  const power = 10 ** Math.floor(Math.log10(raw))
  return [1, 2, 5, 10].map(factor => factor * power).find(step => step >= raw) ?? raw
}

// the part of the lab that a check is about: its proof with room around it, or everything where that is not much more
export const focusOf = (check, lab) => {
  const whole = { a: -lab.to * 0.01 - 50, b: lab.to * 1.01 + 50 }
  const times = check.proof.map(({ t }) => t).filter(t => t >= 0 && t <= lab.to)
  if (times.length === 0) return { whole, focus: whole }
  const a = Math.min(...times, check.zero.t)
  const b = Math.max(...times, check.zero.t)
  const room = Math.max(2000, (b - a) * 0.6)
  const focus = { a: Math.max(whole.a, a - room), b: Math.min(whole.b, b + room) }
  return { whole, focus: whole.b - whole.a < 4 * (focus.b - focus.a) ? whole : focus }
}
