import type { EventOf, LabEvent } from '../../history/event.ts'
import type { Role } from '../../topology/types.ts'
import { describeEvent, formatIpvs } from '../describe.ts'
import { visible } from '../visible.ts'
import type { LabEvents } from './collect.ts'
import { type BarLane, type FaultBand, faultBands, poolLanes, vipLanes } from './lanes.ts'

/** Longest text of one event that goes into a page, in characters. */
const MAX_TEXT = 300

/** What the page knows of the nodes. */
export interface NodeFacts {
  roles: ReadonlyMap<string, Role>
  /** Node by address. */
  names: ReadonlyMap<string, string>
}

/** Something at one moment, with the number of its text in `strings`. */
export interface Moment {
  t: number
  node?: string
  text: number
}

/**
 * Requests as columns: one tenth of the size of objects. Numbers other than times and `n` point into `strings`; -1:
 * none.
 */
export interface RequestColumns {
  t: number[]
  done: number[]
  n: number[]
  probe: number[]
  source: number[]
  target: number[]
  outcome: number[]
  status: number[]
  server: number[]
  detail: number[]
}

/** Everything that the page needs of one lab. Times are ms since `from`. */
export interface PackedLab {
  lab: string
  /** ms on the lab's clock that all times count from. */
  from: number
  /** ms since `from` */
  to: number
  strings: string[]
  requests: RequestColumns
  bands: FaultBand[]
  vip: BarLane[]
  pool: BarLane[]
  adverts: { node: string; label: string; items: { t: number; priority: number; text: number }[] }[]
  garps: Moment[]
  transitions: (Moment & { state: string })[]
  tables: Moment[]
  logs: Moment[]
  marks: Moment[]
  troubles: Moment[]
  /** Requests are a sample only. */
  thinned: boolean
  notes: string[]
}

const round = (t: number): number => Math.round(t * 100) / 100

const byName = (a: { node: string; label: string }, b: { node: string; label: string }): number =>
  a.node.localeCompare(b.node, 'en', { numeric: true }) || a.label.localeCompare(b.label, 'en', { numeric: true })

/** Packs the events of one lab for the page. */
export const packLab = (events: LabEvents, facts: NodeFacts): PackedLab => {
  const all: LabEvent[] = [...events.requests, ...events.others].sort((a, b) => a.t - b.t)
  const from = all[0]?.t ?? 0
  let to = 0
  const at = (t: number): number => round(t - from)

  const strings: string[] = []
  const numbers = new Map<string, number>()
  const string = (text: string | undefined): number => {
    if (text === undefined || text === '') return -1
    const shown = visible(text)
    const known = numbers.get(shown)
    if (known !== undefined) return known
    numbers.set(shown, strings.length)
    return strings.push(shown) - 1
  }
  const short = (text: string | undefined): string | undefined =>
    text !== undefined && text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}...` : text

  const columns: RequestColumns = {
    t: [],
    done: [],
    n: [],
    probe: [],
    source: [],
    target: [],
    outcome: [],
    status: [],
    server: [],
    detail: [],
  }
  for (const request of events.requests) {
    columns.t.push(at(request.t))
    columns.done.push(at(request.done))
    columns.n.push(request.n)
    columns.probe.push(string(request.probe))
    columns.source.push(string(request.source))
    columns.target.push(string(request.target))
    columns.outcome.push(string(request.outcome))
    columns.status.push(request.status ?? -1)
    columns.server.push(string(short(request.server)))
    columns.detail.push(string(short(request.detail)))
  }

  const of = <K extends LabEvent['kind']>(kind: K): EventOf<K>[] =>
    events.others.filter((event): event is EventOf<K> & typeof event => event.kind === kind) as EventOf<K>[]
  const moment = (event: LabEvent & { node?: string }, text = describeEvent(event)): Moment => ({
    t: at(event.t),
    ...(event.node !== undefined && { node: visible(event.node) }),
    text: string(short(text)),
  })

  const adverts = new Map<string, PackedLab['adverts'][number]>()
  for (const advert of of('advert')) {
    const node = visible(advert.node ?? advert.source)
    const key = JSON.stringify([node, advert.vrid])
    let lane = adverts.get(key)
    if (!lane) adverts.set(key, (lane = { node, label: `vrid ${advert.vrid}`, items: [] }))
    lane.items.push({ t: at(advert.t), priority: advert.priority, text: moment(advert).text })
  }

  for (const event of all) to = Math.max(to, 'done' in event ? event.done : event.t)
  const relative = (lanes: BarLane[]): BarLane[] =>
    lanes.map(({ server, ...lane }) => ({
      ...lane,
      node: visible(lane.node),
      label: visible(lane.label),
      detail: visible(lane.detail),
      ...(server !== undefined && { server: visible(server) }),
      spans: lane.spans.map(span => ({
        ...span,
        a: span.a === null ? null : at(span.a),
        b: span.b === null ? null : at(span.b),
      })),
    }))

  return {
    lab: events.lab,
    from,
    to: all.length > 0 ? at(to) : 0,
    strings,
    requests: columns,
    bands: faultBands(all).map(band => ({
      label: visible(band.label),
      detail: visible(band.detail),
      a: at(band.a),
      took: at(band.took),
      b: band.b === null ? null : at(band.b),
    })),
    vip: relative(vipLanes(all, facts.roles)),
    pool: relative(poolLanes(all, facts.names)),
    adverts: [...adverts.values()].sort(byName),
    garps: of('garp').map(event => moment(event)),
    transitions: of('keepalived').flatMap(event =>
      event.transition ? [{ ...moment(event), state: event.transition.state }] : [],
    ),
    // a table may be longer than a line of text: it is shown whole
    tables: of('ipvs').map(event => ({
      t: at(event.t),
      node: visible(event.node),
      text: string(formatIpvs(event.services)),
    })),
    logs: [...of('keepalived'), ...of('log')].sort((a, b) => a.t - b.t).map(event => moment(event)),
    marks: [...of('mark'), ...of('probe')].sort((a, b) => a.t - b.t).map(event => moment(event)),
    troubles: of('trouble').map(event => moment(event)),
    thinned: events.thinned,
    notes: events.notes,
  }
}
