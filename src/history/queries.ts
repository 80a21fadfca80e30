import type { EventKind, EventOf, FaultEvent, IpvsDestination, IpvsEvent, MarkEvent, RequestEvent } from './event.ts'
import type { History } from './history.ts'
import { Requests } from './requests.ts'

/** A stretch of the lab's clock, ms; the ends belong to it. */
export interface Window {
  from: number
  until: number
}

/** Every kind but requests, which are many: {@link requestsOf} walks through them. */
type OtherKind = Exclude<EventKind, 'request'>

/** The events of one kind, in the order of the journal. */
export const eventsOf = <K extends OtherKind>(history: History, kind: K): readonly EventOf<K>[] => history.of(kind)

/** The last moment that the history knows of, ms; 0 for an empty one. A request counts until its outcome was known. */
export const endOf = (history: History): number => history.end

/** The requests of one probe that were sent in the window, which may be open at either end, in the order of sending. */
export const requestsOf = (history: History, probe: string, window?: Partial<Window>): Requests =>
  new Requests(history.requests, history.requests.sent(probe, window?.from ?? -Infinity, window?.until ?? Infinity))

/** A request counts as late when it was sent this long after it was due, unless its probe says otherwise; ms. */
const LATE_AFTER_MS = 50

/**
 * The share of requests that were sent late, 0 to 1: above a hundredth the probe was starved, and says more about the
 * machine than about the lab.
 */
export const lateShare = (history: History, probe: string, window?: Partial<Window>): number => {
  const requests = requestsOf(history, probe, window)
  // what a `tcp` probe says on its connections has no events of its own; the probe has counted
  const stops = eventsOf(history, 'probe').filter(
    one => one.probe === probe && one.phase === 'stop' && one.type === 'tcp',
  )
  const sum = (field: 'late' | 'sent'): number => stops.reduce((total, stop) => total + (stop[field] ?? 0), 0)
  if (stops.length > 0) return sum('late') / Math.max(1, sum('sent'))
  const limit = eventsOf(history, 'probe').find(event => event.probe === probe && event.lateAfterMs !== undefined)
  const late = requests.filter(request => request.t - request.scheduled > (limit?.lateAfterMs ?? LATE_AFTER_MS))
  return requests.length === 0 ? 0 : late.length / requests.length
}

/** Requests/s that a probe really sent in the window, from its first request there to its last; 0 where that is one or none. */
export const sentRate = (history: History, probe: string, window?: Partial<Window>): number => {
  const requests = requestsOf(history, probe, window)
  const lasted = (requests.at(-1)?.t ?? 0) - (requests.at(0)?.t ?? 0)
  return lasted > 0 ? ((requests.length - 1) * 1000) / lasted : 0
}

/** How many requests each server answered; `?` is one that gave no name. */
export const answersByServer = (requests: Requests): Record<string, number> => {
  const answers: Record<string, number> = {}
  requests.forEach(({ outcome, server = '?' }) => {
    if (outcome === 'answered') answers[server] = (answers[server] ?? 0) + 1
  })
  return answers
}

/** How many requests of a probe, sent in the window, each server answered. */
export const sharesOf = (history: History, probe: string, window?: Partial<Window>): Record<string, number> =>
  answersByServer(requestsOf(history, probe, window))

/** The last mark with this label. */
export const markOf = (history: History, label: string): MarkEvent | undefined =>
  eventsOf(history, 'mark').findLast(mark => mark.label === label)

/** A moment, ms, or an event that stands for it. */
type Moment = number | { t: number }

const timeOf = (moment: Moment): number => (typeof moment === 'number' ? moment : moment.t)

/** The first event of a kind at or after a moment: `firstAfter(history, markOf(history, 'drained') ?? 0, 'advert')`. */
export const firstAfter = <K extends OtherKind>(
  history: History,
  moment: Moment,
  kind: K,
  is: (event: EventOf<K>) => boolean = () => true,
): EventOf<K> | undefined => {
  const found = eventsOf(history, kind).filter(event => timeOf(event) >= timeOf(moment) && is(event))
  // watchers report on their own, so that the order of the journal is not always that of time
  return found.reduce<EventOf<K> | undefined>(
    (first, event) => (first && timeOf(first) <= timeOf(event) ? first : event),
    undefined,
  )
}

/** The last event of a kind at or after a moment. */
export const lastAfter = <K extends OtherKind>(
  history: History,
  moment: Moment,
  kind: K,
  is: (event: EventOf<K>) => boolean = () => true,
): EventOf<K> | undefined => lastOf(history, kind, event => timeOf(event) >= timeOf(moment) && is(event))

/** The last event of a kind before a moment. */
export const lastBefore = <K extends OtherKind>(
  history: History,
  moment: Moment,
  kind: K,
  is: (event: EventOf<K>) => boolean = () => true,
): EventOf<K> | undefined => lastOf(history, kind, event => timeOf(event) < timeOf(moment) && is(event))

const lastOf = <K extends OtherKind>(
  history: History,
  kind: K,
  is: (event: EventOf<K>) => boolean,
): EventOf<K> | undefined =>
  eventsOf(history, kind)
    .filter(is)
    .reduce<EventOf<K> | undefined>((last, event) => (last && timeOf(last) > timeOf(event) ? last : event), undefined)

/** The last time that a fault was injected into a node, or healed there. */
export const lastFault = (
  history: History,
  phase: FaultEvent['phase'],
  fault: string,
  node: string,
): FaultEvent | undefined =>
  eventsOf(history, 'fault').findLast(event => event.phase === phase && event.fault === fault && event.node === node)

/** A node held an address; `until` is undefined where it still did at the end of the journal. */
export interface Holding {
  node: string
  from: number
  until: number | undefined
}

/**
 * Who held an address and when, by the address events of the nodes named, on whatever device. A node that had it before
 * the recording began has its event at the start of the journal.
 *
 * @param nodes the directors: the real servers of DR and TUN hold the VIP too
 */
export const holdingsOf = (history: History, address: string, nodes: string[]): Holding[] => {
  const holdings: Holding[] = []
  const devices = new Map<string, Set<string>>()
  for (const event of eventsOf(history, 'address')) {
    if (event.address !== address || !nodes.includes(event.node)) continue
    const held = devices.get(event.node) ?? new Set()
    devices.set(event.node, held)
    if (event.change === 'add') {
      if (held.size === 0) holdings.push({ node: event.node, from: event.t, until: undefined })
      held.add(event.device)
    } else if (held.delete(event.device) && held.size === 0) {
      const open = holdings.findLast(holding => holding.node === event.node)
      if (open) open.until = event.t
    }
  }
  return holdings
}

/** The nodes that held the address at one moment. */
export const ownersAt = (holdings: Holding[], t: number): string[] =>
  holdings
    .filter(holding => holding.from <= t && (holding.until === undefined || holding.until > t))
    .map(holding => holding.node)

/** Two answers in a row, and the silence between them. */
export interface Gap {
  /** ms */
  length: number
  before: RequestEvent
  after: RequestEvent
}

/**
 * The longest silence that a client saw after a moment: the longest time between two answers in a row, from the arrival
 * of the one to the arrival of the next, where the next came after that moment. Nothing is subtracted: a probe that
 * sends every 50 ms has a gap of about 50 ms when nothing is wrong, and each end of an outage adds up to one step.
 *
 * @param until silences that begin later do not count, ms
 * @returns undefined where there is no answer before or none after the moment
 */
export const longestGap = (requests: Requests, after: number, until = Infinity): Gap | undefined => {
  const answers = requests.filter(request => request.outcome === 'answered').byDone()
  let longest = { length: -Infinity, index: -1 }
  let last = Infinity
  answers.forEach(({ done }, index) => {
    if (done > after && last < until && done - last > longest.length) longest = { length: done - last, index }
    last = done
  })
  const [before, next] = [answers.at(longest.index - 1), answers.at(longest.index)]
  return longest.index > 0 && before && next ? { length: longest.length, before, after: next } : undefined
}

/** The longest silence that the clients of a probe saw between two moments, each an event or ms. */
export const gapBetween = (history: History, probe: string, from: Moment, until: Moment): Gap | undefined =>
  longestGap(requestsOf(history, probe), timeOf(from), timeOf(until))

/** The IPVS tables of a node, in the order of time. */
export const tablesOf = (history: History, node: string): IpvsEvent[] =>
  eventsOf(history, 'ipvs').filter(event => event.node === node)

/**
 * Where a service of a table sends new connections: its destinations with a weight above 0. Undefined without the
 * service.
 */
export const activeDestinations = (table: IpvsEvent, service: string): IpvsDestination[] | undefined =>
  table.services.find(one => one.service === service)?.destinations.filter(destination => destination.weight > 0)

/** Whether a moment lies in a window; an end that is left out is open. */
export const within = ({ from = -Infinity, until = Infinity }: Partial<Window>, t: number): boolean =>
  t >= from && t <= until
