import type { EventOf, IpvsService, LabEvent } from '../../history/event.ts'
import { endpoint } from '../../model/endpoint.ts'
import type { Role } from '../../topology/types.ts'

/** A bar of a lane: from `a` to `b` (ms on the lab's clock); null where the journal does not show the end. */
export interface Span {
  a: number | null
  b: number | null
  /** What the bar says besides being there: a weight. */
  text?: string
  /** In the table with weight 0: quiesced. */
  hollow?: boolean
}

/** A lane of bars about one node. */
export interface BarLane {
  /** What the lane is about, beside the node: an address, a real server. */
  label: string
  /** The rest of the label, for a tooltip: every address or service that behaves the same. */
  detail: string
  node: string
  /** Name of the real server that the lane is about, where it is known. */
  server?: string
  spans: Span[]
}

const hostOf = (endpoint: string): string => {
  const bare = endpoint.replace(/^\w+:\/\//, '').replace(/\/.*$/, '')
  const bracketed = /^\[([^\]]+)\]/.exec(bare)
  if (bracketed) return bracketed[1] as string
  return bare.split(':').length === 2 ? (bare.split(':')[0] as string) : bare
}

/** Virtual addresses of a lab: what advertisements carry, and what IPVS services and probes address. */
export const virtualAddresses = (events: readonly LabEvent[]): Set<string> => {
  const found = new Set<string>()
  for (const event of events) {
    if (event.kind === 'advert') for (const address of event.addresses) found.add(address.split('/')[0] as string)
    if (event.kind === 'probe') found.add(hostOf(event.target))
    if (event.kind === 'ipvs') {
      for (const { service } of event.services) {
        const endpoint = /^(?:TCP|UDP|SCTP)\s+(\S+)/.exec(service)?.[1]
        if (endpoint) found.add(hostOf(endpoint))
      }
    }
  }
  return found
}

/** Directors by the topology, or, where it is not known, the nodes that behave like one. */
export const directorsOf = (events: readonly LabEvent[], roles: ReadonlyMap<string, Role>): Set<string> => {
  const named = [...roles].filter(([, role]) => role === 'director').map(([node]) => node)
  if (named.length > 0) return new Set(named)
  const found = new Set<string>()
  for (const event of events) {
    if ((event.kind === 'advert' || event.kind === 'keepalived' || event.kind === 'ipvs') && event.node) {
      found.add(event.node)
    }
  }
  return found
}

/** Presence over time from comings and goings. A first event that is a going means that it was there before. */
const spansOf = (changes: readonly { t: number; present: boolean }[]): Span[] => {
  const spans: Span[] = []
  let open: Span | undefined
  changes.forEach(({ t, present }, i) => {
    if (present && !open) spans.push((open = { a: t, b: null }))
    else if (!present && open) {
      open.b = t
      open = undefined
    } else if (!present && i === 0) spans.push({ a: null, b: t })
  })
  return spans
}

const { compare: byName } = new Intl.Collator('en', { numeric: true })

/** Merges lanes of one node whose bars are the same: thirty addresses that move together are one lane. */
const mergeAlike = (lanes: readonly (BarLane & { alike: string })[]): BarLane[] => {
  const groups = new Map<string, BarLane[]>()
  for (const { alike, ...lane } of lanes) {
    const key = JSON.stringify([lane.node, alike, lane.spans])
    groups.set(key, [...(groups.get(key) ?? []), lane])
  }
  return [...groups.values()].map(group => {
    const first = group[0] as BarLane
    if (group.length === 1) return first
    return { ...first, label: `${first.label} +${group.length - 1}`, detail: group.map(lane => lane.detail).join('\n') }
  })
}

/** Who owned which VIP when: a lane per director and address, from its address events. */
export const vipLanes = (events: readonly LabEvent[], roles: ReadonlyMap<string, Role>): BarLane[] => {
  const virtual = virtualAddresses(events)
  const directors = directorsOf(events, roles)
  const changes = new Map<string, { node: string; address: string; list: { t: number; present: boolean }[] }>()
  for (const event of events) {
    if (event.kind !== 'address') continue
    if (virtual.size > 0 && !virtual.has(event.address)) continue
    if (directors.size > 0 && !directors.has(event.node)) continue
    const key = JSON.stringify([event.node, event.address])
    let entry = changes.get(key)
    if (!entry) changes.set(key, (entry = { node: event.node, address: event.address, list: [] }))
    entry.list.push({ t: event.t, present: event.change === 'add' })
  }
  const lanes = [...changes.values()]
    .sort((a, b) => byName(a.node, b.node) || byName(a.address, b.address))
    .map(({ node, address, list }) => ({
      label: address,
      detail: `${address} on ${node}`,
      node,
      spans: spansOf(list),
      alike: '',
    }))
  // a director that never held the VIP is a finding too
  for (const node of [...directors].sort(byName)) {
    if (lanes.length > 0 && !lanes.some(lane => lane.node === node)) {
      lanes.push({ label: 'none seen', detail: `no VIP seen on ${node}`, node, spans: [], alike: '' })
    }
  }
  return mergeAlike(lanes)
}

const members = (services: readonly IpvsService[]): Map<string, { service: string; rip: string; weight: number }> =>
  new Map(
    services.flatMap(({ service, destinations }) =>
      destinations.map(({ address, port, weight }) => {
        const rip = endpoint(address, port)
        return [JSON.stringify([service, rip]), { service, rip, weight }] as const
      }),
    ),
  )

/**
 * Which real server was in which director's table when, with its weight: a lane per director, service and real server.
 */
export const poolLanes = (events: readonly LabEvent[], names: ReadonlyMap<string, string>): BarLane[] => {
  const lanes = new Map<string, BarLane & { alike: string; open: Span | undefined }>()
  const seenNodes = new Set<string>()
  for (const event of events) {
    if (event.kind !== 'ipvs') continue
    const now = members(event.services)
    for (const [member, { service, rip, weight }] of now) {
      const key = JSON.stringify([event.node, member])
      let lane = lanes.get(key)
      if (!lane) {
        const name = names.get(hostOf(rip))
        const label = `${name ? `${name} ` : ''}${rip}`
        const detail = `${rip}${name ? ` (${name})` : ''} in ${service} on ${event.node}`
        lane = { label, detail, node: event.node, spans: [], alike: rip, open: undefined }
        if (name) lane.server = name
        lanes.set(key, lane)
      }
      if (lane.open?.text === `w ${weight}`) continue
      if (lane.open) lane.open.b = event.t
      // what the first table of a node shows was there before it
      lane.open = { a: seenNodes.has(event.node) ? event.t : null, b: null, text: `w ${weight}` }
      if (weight === 0) lane.open.hollow = true
      lane.spans.push(lane.open)
    }
    for (const [key, lane] of lanes) {
      if (lane.node !== event.node || !lane.open) continue
      const member = (JSON.parse(key) as [string, string])[1]
      if (now.has(member)) continue
      lane.open.b = event.t
      lane.open = undefined
    }
    seenNodes.add(event.node)
  }
  const sorted = [...lanes.values()].sort((a, b) => byName(a.node, b.node) || byName(a.label, b.label))
  return mergeAlike(sorted.map(({ open: _open, ...lane }) => lane))
}

/** A fault with its heal: from the moment of its injection to the end of its healing, null where it never healed. */
export interface FaultBand {
  label: string
  detail: string
  a: number
  /** When the injecting command had ended: the fault took effect by then. */
  took: number
  b: number | null
}

/** Pairs each injection with the next heal of the same fault on the same node. */
export const faultBands = (events: readonly LabEvent[]): FaultBand[] => {
  const bands: FaultBand[] = []
  const open = new Map<string, FaultBand[]>()
  for (const event of events) {
    if (event.kind !== 'fault') continue
    const key = JSON.stringify([event.fault, event.node])
    const label = `${event.fault} ${event.node}`
    if (event.phase === 'inject') {
      const band: FaultBand = { label, detail: event.detail ?? '', a: event.t, took: event.done, b: null }
      bands.push(band)
      open.set(key, [...(open.get(key) ?? []), band])
    } else {
      const band = open.get(key)?.shift()
      if (band) band.b = event.done
    }
  }
  return bands
}

/** The moment that a panel counts from. */
export interface Zero {
  t: number
  label: string
}

/** The first event of interest: the first fault, else the first request, else the first event. */
export const zeroOf = (events: readonly LabEvent[], proof: readonly LabEvent[]): Zero => {
  const isInjection = (event: LabEvent): event is EventOf<'fault'> => event.kind === 'fault' && event.phase === 'inject'
  const end = Math.max(...proof.map(event => event.t))
  const injections = events.filter(isInjection)
  // of several faults in one lab, the last one that this check's proof can be about
  const fault =
    proof.find(isInjection) ??
    (proof.length > 0 ? injections.findLast(event => event.t <= end) : undefined) ??
    injections[0]
  if (fault) return { t: fault.t, label: `${fault.fault} on ${fault.node}` }
  const request = events.find(event => event.kind === 'request')
  if (request) return { t: request.t, label: 'the first request' }
  return { t: events[0]?.t ?? 0, label: 'the first event' }
}
