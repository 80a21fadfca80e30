import type { EventKind, EventOf, FaultEvent, IpvsDestination, IpvsEvent, LabEvent, RequestEvent } from './event.ts'

/** A stretch of the lab's clock, ms; the ends belong to it. */
export interface Window {
  from: number
  until: number
}

/** The events of one kind, in the order of the journal. */
export const eventsOf = <K extends EventKind>(events: LabEvent[], kind: K): EventOf<K>[] =>
  events.filter((event): event is EventOf<K> => event.kind === kind)

/** The last moment that the journal knows of, ms; 0 for an empty one. A request counts until its outcome was known. */
export const endOf = (events: LabEvent[]): number =>
  events.reduce(
    (end, event) => Math.max(end, event.kind === 'request' || event.kind === 'fault' ? event.done : event.t),
    0,
  )

/** The requests of one probe that were sent in the window, in the order of sending. */
export const requestsOf = (events: LabEvent[], probe: string, window?: Window): RequestEvent[] =>
  eventsOf(events, 'request')
    .filter(request => request.probe === probe)
    .filter(request => !window || (request.t >= window.from && request.t <= window.until))
    .sort((a, b) => a.t - b.t)

/** A request counts as late when it was sent this long after it was due, unless its probe says otherwise; ms. */
const LATE_AFTER_MS = 50

/**
 * The share of requests that were sent late, 0 to 1: above a hundredth the probe was starved, and says more about the
 * machine than about the lab.
 */
export const lateShare = (events: LabEvent[], probe: string, window?: Window): number => {
  const requests = requestsOf(events, probe, window)
  // what a `tcp` probe says on its connections has no events of its own; the probe has counted
  const total = eventsOf(events, 'probe').find(event => event.probe === probe && event.type === 'tcp' && event.sent)
  if (total?.sent && total.late !== undefined) return total.late / total.sent
  const limit = eventsOf(events, 'probe').find(event => event.probe === probe && event.lateAfterMs !== undefined)
  const late = requests.filter(request => request.t - request.scheduled > (limit?.lateAfterMs ?? LATE_AFTER_MS))
  return requests.length === 0 ? 0 : late.length / requests.length
}

/** The last time that a fault was injected into a node, or healed there. */
export const lastFault = (
  events: LabEvent[],
  phase: FaultEvent['phase'],
  fault: string,
  node: string,
): FaultEvent | undefined =>
  eventsOf(events, 'fault').findLast(event => event.phase === phase && event.fault === fault && event.node === node)

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
export const holdingsOf = (events: LabEvent[], address: string, nodes: string[]): Holding[] => {
  const holdings: Holding[] = []
  const devices = new Map<string, Set<string>>()
  for (const event of eventsOf(events, 'address')) {
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
 * @returns undefined where there is no answer before or none after the moment
 */
export const longestGap = (requests: RequestEvent[], after: number): Gap | undefined => {
  const answers = requests.filter(request => request.outcome === 'answered').sort((a, b) => a.done - b.done)
  let longest: Gap | undefined
  answers.forEach((answer, index) => {
    const before = answers[index - 1]
    if (!before || answer.done <= after) return
    const length = answer.done - before.done
    if (!longest || length > longest.length) longest = { length, before, after: answer }
  })
  return longest
}

/** The IPVS tables of a node, in the order of time. */
export const tablesOf = (events: LabEvent[], node: string): IpvsEvent[] =>
  eventsOf(events, 'ipvs').filter(event => event.node === node)

/**
 * Where a service of a table sends new connections: its destinations with a weight above 0. Undefined without the
 * service.
 */
export const activeDestinations = (table: IpvsEvent, service: string): IpvsDestination[] | undefined =>
  table.services.find(one => one.service === service)?.destinations.filter(destination => destination.weight > 0)
