import type { ConnectionEvent, IpvsEvent, RequestEvent } from '../history/event.ts'
import type { History } from '../history/history.ts'
import { connectionsOf } from '../history/connections.ts'
import { activeDestinations, endOf, eventsOf, lastFault, requestsOf, tablesOf } from '../history/queries.ts'
import { seconds } from '../model/bound.ts'
import { livedOn, QUIET_MS } from './connections.ts'
import { inconclusive, inOrder, mergeVerdicts, starved } from './guard.ts'
import { ownerAt } from './owner-at.ts'
import type { Verdict } from './verdict.ts'
import { describeConnection, describeFault, describeRequest } from './words.ts'

export interface DrainParams {
  vip: string
  /** Every director that could hold the VIP; the table of the one that does is looked at. */
  directors: string[]
  /** As the table calls it: `TCP 10.0.0.100:80`. */
  service: string
  /** The server that is drained. */
  server: { node: string; address: string; port: number }
  /** What drains it, by its name in the fault registry: `config-change`, `ipvsadm`; its last injection is judged. */
  fault: string
  /** The node that it is done to. */
  node: string
  /** Judges the requests of this probe. */
  probe?: string
  /** Judges the connections that this `tcp` probe holds. */
  connections?: string
  /** Until when a template keeps a client, ms after its last connection: `releaseBound` of the model. Default: not at all. */
  persistenceMs?: number
  /** What is sent this soon after the drain may have been on its way already, ms; default 100. */
  inFlightMs?: number
  /** A connection that was silent for longer when its probe closed it may have been broken by then, ms; default 1000. */
  quietMs?: number
}

/** A stretch of draining. */
interface Drain {
  /** The first table in which the server gets nothing new. */
  table: IpvsEvent
  /** ms: the next thing that is done to the lab, or the server is back */
  until: number
  /** ms: from here on nothing new may reach the server */
  closedFrom: number
}

/**
 * While a server is drained (weight 0, or removed), no request fails, no established connection breaks, and nothing new
 * reaches the server any more, except from clients whose persistence still binds them to it.
 */
export const checkDrain = (history: History, params: DrainParams): Verdict => {
  const { server, fault, node, probe, connections } = params
  const cause = lastFault(history, 'inject', fault, node)
  if (!cause) return inconclusive(`${fault} was never injected into ${node}, so ${server.node} was not drained.`)
  const owner = ownerAt(history, params, cause)
  if (typeof owner !== 'string') return owner

  const tables = tablesOf(history, owner)
  const takes = (table: IpvsEvent): boolean | undefined =>
    activeDestinations(table, params.service)?.some(one => one.address === server.address && one.port === server.port)
  const before = tables.findLast(table => table.t <= cause.t)
  if (!before || !takes(before))
    return inconclusive(`${server.node} was not in the table of ${owner} before ${describeFault(cause)}.`, [
      cause,
      before,
    ])
  const next = eventsOf(history, 'fault').find(event => event.t > cause.done)?.t ?? endOf(history)
  const table = tables.find(one => one.t > cause.t && one.t <= next && takes(one) === false)
  if (!table)
    return inconclusive(`${server.node} kept its weight in the table of ${owner}, so it was not drained.`, [cause])
  const back = tables.find(one => one.t > table.t && takes(one))?.t ?? next
  const drain: Drain = { table, until: Math.min(back, next), closedFrom: table.t + (params.inFlightMs ?? 100) }

  const verdicts: Verdict[] = []
  if (probe !== undefined) verdicts.push(judgeRequests(history, params, probe, cause.t, drain))
  if (connections !== undefined) verdicts.push(judgeConnections(history, params, connections, cause.t, drain))
  return mergeVerdicts(verdicts)
}

const judgeRequests = (
  history: History,
  { server, persistenceMs = 0 }: DrainParams,
  probe: string,
  from: number,
  { table, until, closedFrom }: Drain,
): Verdict => {
  const all = requestsOf(history, probe)
  const requests = all.filter(request => request.t >= from && request.t <= until)
  const failed = requests.filter(request => request.outcome !== 'answered')
  const bound = (request: RequestEvent): boolean =>
    all.some(
      ({ source, server: by, t }) =>
        by === server.node && source === request.source && t < request.t && request.t - t <= persistenceMs,
    )
  const late = requests.filter(
    ({ t, outcome, server: by }) => t >= closedFrom && outcome === 'answered' && by === server.node,
  )
  const strays = late.filter(request => !bound(request))
  const measurements = [
    { name: 'failed in the drain', value: failed.length, unit: 'requests' as const },
    { name: 'reached the drained server', value: strays.length, unit: 'requests' as const },
  ]
  const [bad, stray] = [failed.at(0), strays.at(0)]
  if (bad || stray) {
    const hungry = starved(history, probe, { from, until })
    if (hungry) return inconclusive(hungry, [table])
    const reasons = [
      bad && `${failed.length} of ${requests.length} requests failed, the first was ${describeRequest(bad)}`,
      stray &&
        `${strays.length} new requests reached ${server.node} after its drain, the first was ` +
          `${describeRequest(stray)}, ${seconds(stray.t - table.t)} after it`,
    ].filter(reason => reason !== undefined)
    return { outcome: 'FAIL', reason: `${reasons.join('; ')}.`, measurements, proof: inOrder([table, bad, stray]) }
  }
  const after = requests.filter(request => request.t >= closedFrom)
  if (after.length === 0)
    return inconclusive(`The probe ${probe} sent nothing after ${server.node} was drained.`, [table])
  const kept = late.length > 0 ? `; ${late.length} went there as persistence binds their clients to it` : ''
  return {
    outcome: 'PASS',
    reason: `All ${requests.length} requests were answered, and none reached ${server.node} after its drain${kept}.`,
    measurements,
    proof: inOrder([table, requests.at(0), requests.at(-1)]),
  }
}

const judgeConnections = (
  history: History,
  { server, persistenceMs = 0, quietMs = QUIET_MS }: DrainParams,
  probe: string,
  from: number,
  { table, until, closedFrom }: Drain,
): Verdict => {
  const all = connectionsOf(history, probe)
  const held = all.filter(({ opened, ended }) => opened.t <= from && (ended === undefined || ended.t > from))
  const there = held.filter(connection => connection.server === server.node)
  const broken = all.filter(({ ended }) => ended?.change === 'broken' && ended.t > from && ended.t <= until)
  const bound = ({ source, t }: ConnectionEvent): boolean =>
    all.some(
      one =>
        one.server === server.node &&
        one.opened.source === source &&
        one.opened.t < t &&
        t - one.opened.t <= persistenceMs,
    )
  const strays = all.filter(
    one => one.server === server.node && one.opened.t >= closedFrom && one.opened.t <= until && !bound(one.opened),
  )
  const measurements = [
    { name: 'connections held in the drain', value: there.length, unit: 'connections' as const },
    { name: 'broken in the drain', value: broken.length, unit: 'connections' as const },
    { name: 'new to the drained server', value: strays.length, unit: 'connections' as const },
  ]
  const [bad, stray] = [broken[0], strays[0]]
  if (bad || stray) {
    const hungry = starved(history, probe)
    if (hungry) return inconclusive(hungry, [table])
    const list = (connections: typeof all): string =>
      connections.map(connection => describeConnection(connection, table.t)).join('; ')
    const reasons = [
      bad && `${broken.length} established connections broke in the drain of ${server.node}: ${list(broken)}`,
      stray && `${strays.length} new connections reached ${server.node} after its drain: ${list(strays)}`,
    ].filter(reason => reason !== undefined)
    return {
      outcome: 'FAIL',
      reason: `${reasons.join('. ')}.`,
      measurements,
      proof: inOrder([table, bad?.opened, bad?.ended, stray?.opened]),
    }
  }
  const [one] = there
  if (!one)
    return inconclusive(`The probe ${probe} held no connection to ${server.node} when its drain began.`, [table])
  const told = there.filter(connection => livedOn(connection, table.t, until, quietMs))
  if (told.length < there.length)
    return inconclusive(
      `Only ${told.length} of ${there.length} connections to ${server.node} are known to have lived on after its drain.`,
      [table, one.opened, one.ended],
    )
  return {
    outcome: 'PASS',
    reason: `All ${there.length} connections to ${server.node} lived on after its drain, and no new one reached it.`,
    measurements,
    proof: inOrder([table, one.opened, one.ended]),
  }
}
