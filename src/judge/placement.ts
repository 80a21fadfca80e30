import type { IpvsDestination, IpvsEvent, RequestEvent } from '../history/event.ts'
import type { History } from '../history/history.ts'
import { answersByServer, requestsOf, tablesOf } from '../history/queries.ts'
import type { Requests } from '../history/requests.ts'
import { endpoint } from '../model/endpoint.ts'
import { SCHEDULERS, type SchedulerName } from '../model/schedulers/registry.ts'
import { createScheduler } from '../model/schedulers/scheduler.ts'
import type { SchedulerFlag } from '../model/schedulers/types.ts'
import { excuse, inconclusive, inOrder, starved } from './guard.ts'
import { counts } from './shares.ts'
import type { Verdict } from './verdict.ts'
import { describeRequest } from './words.ts'

export interface PlacementParams {
  probe: string
  /** Whose table it is that the connections pass. */
  director: string
  /** As the table calls it: `TCP 10.0.0.100:80`. */
  service: string
  /** What clients ask: the VIP. */
  destination: string
  scheduler: SchedulerName
  flags?: SchedulerFlag[]
  /** One-packet scheduling: nothing is kept of a datagram, nor counted. */
  onePacket?: true
  /** What answers are called, by real server as the table has it: `10.0.0.10:80`. */
  names: Record<string, string>
}

/** Schedulers whom open and closed connections do not concern. */
const BLIND: SchedulerName[] = ['sh', 'dh', 'mh', 'fo']

/**
 * Each connection goes to the real server that the kernel's scheduler chooses: its model, given the director's table before the first of them,
 * in the kernel's order, and then the connections as the probe saw them begin and end.
 */
export const checkPlacement = (history: History, params: PlacementParams): Verdict =>
  excuse(judgePlacement(history, params), starved(history, params.probe))

const judgePlacement = (history: History, params: PlacementParams): Verdict => {
  const { probe, director, service, scheduler, names } = params
  const requests = requestsOf(history, probe)
  const first = requests.at(0)
  if (!first) return inconclusive(`The probe ${probe} sent nothing.`)
  const before = tablesOf(history, director).findLast(({ t }) => t <= first.t)
  const servers = (before && destinationsOf(before, service)) ?? []
  const placed = place(requests, servers, params)
  const unsure = doubt(placed, servers, scheduler)
  const measured = counts(answersByServer(requests))

  const failed = requests.filter(({ outcome }) => outcome !== 'answered')
  const bad = failed.at(0)
  if (bad) {
    const isNobodys =
      servers.length > 0 && unsure === undefined && placed.find(one => one.request.n === bad.n)?.server === ''
    return {
      outcome: 'FAIL',
      reason: `${failed.length} of ${requests.length} requests failed, the first was ${describeRequest(bad)}${isNobodys ? nobodys(params) : ''}.`,
      measurements: measured,
      proof: inOrder([before, bad]),
    }
  }
  if (!before || servers.length === 0)
    return inconclusive(
      `What ${director} had in its table for ${service} before ${describeRequest(first)} was not seen.`,
      [before],
    )
  const last = requests.byDone().at(-1) ?? first
  const changed = tablesOf(history, director).find(
    one => one.t > before.t && one.t <= last.done && keyOf(one, service) !== keyOf(before, service),
  )
  if (changed)
    return inconclusive(`The pool of ${service} on ${director} changed while the probe ${probe} asked.`, [
      before,
      changed,
    ])

  const wrong = placed.filter(({ request, server }) => request.server !== names[server])
  const [one] = wrong
  const total = `${placed.length - wrong.length} of ${placed.length} connections went where ${scheduler} sends them`
  const measurements = [...measured, { name: 'went elsewhere', value: wrong.length, unit: 'requests' as const }]
  if (!one) return { outcome: 'PASS', reason: `${total}.`, measurements, proof: inOrder([before, first]) }
  const proof = inOrder([before, one.request])
  const whom = one.server === '' ? 'where nobody gets it' : `not by ${names[one.server] ?? one.server}`
  const reason = `${total}: ${describeRequest(one.request)}, ${whom}`
  return unsure === undefined
    ? { outcome: 'FAIL', reason: `${reason} (${SCHEDULERS[scheduler].source}).`, measurements, proof }
    : { ...inconclusive(`${reason}; ${unsure}.`, proof), measurements }
}

/** Why a scheduler gives a connection to nobody, and what would give it to somebody. */
const nobodys = ({ scheduler }: PlacementParams): string => {
  const cause = `: ${scheduler} gives it to nobody, as it comes upon a server of weight 0`
  return scheduler === 'sh' || scheduler === 'mh' ? `${cause}; with ${scheduler}-fallback it tries others` : cause
}

const destinationsOf = (table: IpvsEvent, service: string): IpvsDestination[] | undefined =>
  table.services.find(one => one.service === service)?.destinations

const keyOf = (table: IpvsEvent, service: string): string =>
  (destinationsOf(table, service) ?? []).map(({ address, port, weight }) => `${address} ${port} ${weight}`).join()

/** A connection, and the real server that the scheduler chooses for it; the empty string where nobody gets it. */
interface Placed {
  request: RequestEvent
  server: string
  /** Another one was under way. */
  overlaps: boolean
}

const place = (
  requests: Requests,
  servers: IpvsDestination[],
  { scheduler, flags = [], destination, service, onePacket }: PlacementParams,
): Placed[] => {
  // the table shows the one first that was added last
  const added = servers.toReversed()
  const model = createScheduler(scheduler, added, { flags })
  added.forEach(({ active, inactive }, n) => {
    for (let count = 0; count < active + inactive; count++) model.count(n)
    for (let count = 0; count < inactive; count++) model.close(n)
  })
  const isUdp = service.startsWith('UDP')
  const open: { done: number; server: number }[] = []
  const placed: Placed[] = []
  for (const request of requests) {
    for (let n = open.length - 1; n >= 0; n--)
      if ((open[n]?.done ?? 0) <= request.t) for (const { server } of open.splice(n, 1)) model.close(server)
    const chosen = model.connect({ source: request.source, sourcePort: request.sourcePort ?? 0, destination })
    const its = chosen === undefined ? undefined : added[chosen]
    placed.push({ request, server: its ? endpoint(its.address, its.port) : '', overlaps: open.length > 0 })
    if (chosen === undefined) continue
    // what came by UDP never counts as open (ip_vs_conn.c ip_vs_bind_dest)
    if (isUdp || onePacket) model.close(chosen)
    else open.push({ done: request.done, server: chosen })
    if (onePacket) model.expire(chosen)
  }
  return placed
}

/** Why the model may know less than the kernel did; undefined where it knows as much. */
const doubt = (placed: Placed[], servers: IpvsDestination[], scheduler: SchedulerName): string | undefined => {
  if (scheduler === 'mh' && servers.some(({ weight }) => weight === 0))
    return 'which weight a server of weight 0 had before is not in the table'
  if (BLIND.includes(scheduler)) return undefined
  if (servers.some(({ active, inactive }) => active + inactive > 0))
    return 'the director knew other connections, and when their entries expired was not seen'
  return placed.some(({ overlaps }) => overlaps)
    ? 'connections overlapped, and which of them the director saw end first is not known'
    : undefined
}
