import { duration, lastBefore } from './dom.js'
import { FAILURE_NAMES } from './marks.js'

// What was so at one moment: the journal read up to t (ms since the lab's `from`).

export const inSpan = (span, t) => (span.a === null || span.a <= t) && (span.b === null || t < span.b)

const ownersAt = (lab, t) => {
  const owners = new Map()
  for (const lane of lab.vip) {
    if (lane.spans.length === 0) continue
    if (!owners.has(lane.label)) owners.set(lane.label, [])
    if (lane.spans.some(span => inSpan(span, t))) owners.get(lane.label).push(lane.node)
  }
  return owners
}

export const timeOf = item => item.t

export const requestText = (lab, i) => {
  const { t, done, n, outcome, server, status } = lab.requests
  const end = lab.strings[outcome[i]]
  const took = duration(done[i] - t[i])
  if (end !== 'answered') return `#${n[i]} ${FAILURE_NAMES[end] ?? end} after ${took}`
  const code = status[i] >= 0 ? `, HTTP ${status[i]}` : ''
  return `#${n[i]} answered by ${lab.strings[server[i]] ?? 'an unnamed server'}${code}, in ${took}`
}

export const isFailed = (lab, i) => lab.strings[lab.requests.outcome[i]] !== 'answered' || lab.requests.status[i] >= 400

export const stateAt = (lab, t) => {
  const rows = []
  const owners = ownersAt(lab, t)
  if (owners.size === 0) rows.push({ name: 'VIP owner', value: 'no address events in the journal' })
  for (const [address, nodes] of owners) {
    rows.push({
      name: `Owner of ${address}`,
      value: nodes.length === 0 ? 'nobody' : nodes.join(' and '),
      bad: nodes.length !== 1,
    })
  }
  for (const lane of lab.adverts) {
    const item = lane.items[lastBefore(lane.items, t, timeOf)]
    rows.push({
      name: `Last advert ${lane.node} ${lane.label}`,
      value: item ? `priority ${item.priority}, ${duration(t - item.t)} before` : 'none yet',
    })
  }
  const i = lastBefore(lab.requests.t, t, x => x)
  rows.push({
    name: lab.thinned ? 'Last request drawn' : 'Last request sent',
    value: i < 0 ? 'none yet' : `${requestText(lab, i)}, sent ${duration(t - lab.requests.t[i])} before`,
    bad: i >= 0 && isFailed(lab, i),
  })
  const log = lab.logs[lastBefore(lab.logs, t, timeOf)]
  if (log) rows.push({ name: 'Last log line', value: `${lab.strings[log.text]} (${duration(t - log.t)} before)` })
  return { rows, pools: poolsAt(lab, t, owners) }
}

// the table of whoever owns a VIP; of every director while nobody does or nothing is known
const poolsAt = (lab, t, owners) => {
  const latest = new Map()
  for (const table of lab.tables) {
    if (table.t > t) break
    latest.set(table.node, table)
  }
  // tables are only recorded when they change: before the first one, it stands for what was there
  for (const table of lab.tables) if (!latest.has(table.node)) latest.set(table.node, table)
  const holders = new Set([...owners.values()].flat())
  const chosen = [...latest.values()].filter(({ node }) => holders.has(node))
  return (chosen.length > 0 ? chosen : [...latest.values()]).map(({ node, text, t: taken }) => ({
    node,
    when: taken > t ? `first seen ${duration(taken - t)} later` : `as of ${duration(t - taken)} before`,
    text: lab.strings[text],
  }))
}
