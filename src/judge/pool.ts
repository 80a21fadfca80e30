import type { FaultEvent, IpvsEvent } from '../history/event.ts'
import type { History } from '../history/history.ts'
import {
  activeDestinations,
  endOf,
  eventsOf,
  holdingsOf,
  lastFault,
  ownersAt,
  requestsOf,
  tablesOf,
} from '../history/queries.ts'
import { seconds } from '../model/bound.ts'
import type { Bound } from '../model/types.ts'
import { inconclusive, inOrder, mergeVerdicts } from './guard.ts'
import { allowed, duration, fromFault } from './limit.ts'
import type { Verdict } from './verdict.ts'
import { describeFault, describeRequest } from './words.ts'

export interface PoolParams {
  vip: string
  /** Every director that could hold the VIP; the table of the one that does is looked at. */
  directors: string[]
  /** As the table calls it: `TCP 10.0.0.100:80`. */
  service: string
  server: { node: string; address: string; port: number }
  /** Name in the fault registry; the last time that it was injected into the server's node is judged. */
  fault: string
  downBound: Bound
  /** Judges the return after the heal as well, where the fault was healed. */
  upBound?: Bound
  /** Judges that no request fails any more once the server is out of the table. */
  probe?: string
  /** Requests sent this soon after the removal may still have been on their way to the server, ms; default 100. */
  inFlightMs?: number
  /** Scheduling of the lab's machine, ms; default 0. */
  slackMs?: number
}

/**
 * A failed real server leaves the table of the director that holds the VIP in time, no request fails after that, and a
 * healed one is back in time. A server that stays in the table with weight 0 (`inhibit_on_failure`) has left. Requests
 * that fail between the fault and the removal are what health checks cannot prevent, and are not judged.
 */
export const checkPool = (history: History, params: PoolParams): Verdict => {
  const { vip, directors, server, fault, slackMs = 0 } = params
  const cause = lastFault(history, 'inject', fault, server.node)
  if (!cause) return inconclusive(`${fault} was never injected into ${server.node}, so it could not leave the table.`)
  const [owner] = ownersAt(holdingsOf(history, vip, directors), cause.t)
  if (owner === undefined)
    return inconclusive(`No director held the VIP ${vip} when ${fault} was injected into ${server.node}.`, [cause])

  const tables = tablesOf(history, owner)
  const has = (table: IpvsEvent): boolean | undefined =>
    activeDestinations(table, params.service)?.some(one => one.address === server.address && one.port === server.port)
  const before = tables.findLast(table => table.t <= cause.t)
  if (!before || !has(before))
    return inconclusive(
      `${server.node} was not seen in the table of ${owner} for ${params.service} before ${describeFault(cause)}.`,
      [cause, before],
    )

  const heal = lastFault(history, 'heal', fault, server.node)
  const healed = heal && heal.t > cause.t ? heal : undefined
  const until = healed?.t ?? endOf(history)
  const removal = tables.find(table => table.t > cause.t && table.t <= until && has(table) === false)
  const change = { owner, server: server.node, slackMs }
  const verdicts = [judgeChange({ ...change, cause, seen: removal, bound: params.downBound, until })]
  if (removal && params.probe !== undefined) {
    // The next fault, on whatever node, may fail requests for its own reasons.
    const next = eventsOf(history, 'fault').find(event => event.t > cause.done)?.t ?? until
    verdicts.push(judgeServing(history, params.probe, removal, next, params.inFlightMs ?? 100, server.node))
  }
  if (healed && params.upBound) {
    const back = tables.find(table => table.t > healed.t && has(table))
    verdicts.push(judgeChange({ ...change, cause: healed, seen: back, bound: params.upBound, until: endOf(history) }))
  }
  return mergeVerdicts(verdicts)
}

interface Change {
  owner: string
  server: string
  cause: FaultEvent
  /** The first table that shows the change. */
  seen: IpvsEvent | undefined
  bound: Bound
  slackMs: number
  until: number
}

const judgeChange = ({ owner, server, cause, seen, until, ...rest }: Change): Verdict => {
  const bound = fromFault(rest.bound, cause, rest.slackMs)
  const what = describeFault(cause)
  const [name, did, done] =
    cause.phase === 'inject' ? ['removal', 'left', 'left'] : ['return', 'came back to', 'come back to']
  const value = (seen?.t ?? until) - cause.t
  if (!seen && value < bound.maxMs)
    return inconclusive(
      `Only ${seconds(value)} were recorded after ${what}, ` +
        `and ${server} need not have ${done} the table by then ${allowed(bound)}.`,
      [cause],
    )
  const late = value > bound.maxMs
  const reason = seen
    ? `${server} ${did} the table of ${owner} ${seconds(value)} after ${what}${late ? ', which is too late' : ''}`
    : `${server} never ${did} the table of ${owner} in the ${seconds(value)} after ${what}`
  return {
    outcome: late || !seen ? 'FAIL' : 'PASS',
    reason: `${reason} ${allowed(bound)}.`,
    measurements: [duration(name, value, bound)],
    proof: inOrder([cause, seen]),
  }
}

const judgeServing = (
  history: History,
  probe: string,
  removal: IpvsEvent,
  until: number,
  inFlightMs: number,
  server: string,
): Verdict => {
  const requests = requestsOf(history, probe, { from: removal.t + inFlightMs, until })
  const failed = requests.filter(request => request.outcome !== 'answered')
  const first = failed.at(0)
  if (first)
    return {
      outcome: 'FAIL',
      reason:
        `${failed.length} of ${requests.length} requests failed although ${server} had left the table, ` +
        `the first was ${describeRequest(first)}.`,
      measurements: [{ name: 'failed after the removal', value: failed.length, unit: 'requests' }],
      proof: inOrder([removal, first]),
    }
  if (requests.length === 0)
    return inconclusive(`The probe ${probe} sent nothing after ${server} had left the table.`, [removal])
  return {
    outcome: 'PASS',
    reason: `All ${requests.length} requests after that were answered.`,
    measurements: [{ name: 'failed after the removal', value: 0, unit: 'requests' }],
    proof: inOrder([removal, requests.at(0), requests.at(-1)]),
  }
}
