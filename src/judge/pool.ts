import type { FaultEvent, IpvsEvent, KeepalivedEvent } from '../history/event.ts'
import type { History } from '../history/history.ts'
import { activeDestinations, endOf, eventsOf, lastFault, requestsOf, tablesOf } from '../history/queries.ts'
import { seconds } from '../model/bound.ts'
import type { Bound } from '../model/types.ts'
import { inconclusive, inOrder, mergeVerdicts } from './guard.ts'
import { allowed, duration, fromFault } from './limit.ts'
import { ownerAt } from './owner-at.ts'
import type { Verdict } from './verdict.ts'
import { describeFault, describeRequest } from './words.ts'

export interface PoolParams {
  vip: string
  /** Every director that could hold the VIP; the table of the one that does is looked at. */
  directors: string[]
  /** As the table calls it: `TCP 10.0.0.100:80`. */
  service: string
  /** `name`: what it is called, the node's where it is left out. */
  server: { node: string; name?: string; address: string; port: number }
  /** Name in the fault registry; the last time that it was injected into the server's node is judged. */
  fault: string
  downBound: Bound
  /** Judges the return after the heal as well, where the fault was healed. */
  upBound?: Bound
  /** `inhibit_on_failure`: the server must stay in the table with weight 0, or (false) must not. Without it, either will do. */
  inhibit?: boolean
  /** Judges that no request fails any more once the server is out of the table; says so where it served none before. */
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
  const { server, fault, slackMs = 0 } = params
  const { name = server.node } = server
  const cause = lastFault(history, 'inject', fault, server.node)
  if (!cause) return inconclusive(`${fault} was never injected into ${server.node}, so it could not leave the table.`)
  const owner = ownerAt(history, params, cause)
  if (typeof owner !== 'string') return owner

  const tables = tablesOf(history, owner)
  const has = (table: IpvsEvent): boolean | undefined =>
    activeDestinations(table, params.service)?.some(one => one.address === server.address && one.port === server.port)
  const before = tables.findLast(table => table.t <= cause.t)
  if (!before || !has(before))
    return inconclusive(
      `${name} was not seen in the table of ${owner} for ${params.service} before ${describeFault(cause)}.`,
      [cause, before],
    )

  const heal = lastFault(history, 'heal', fault, server.node)
  const healed = heal && heal.t > cause.t ? heal : undefined
  const until = healed?.t ?? endOf(history)
  const removal = tables.find(table => table.t > cause.t && table.t <= until && has(table) === false)
  const change = { owner, server: name }
  const said = (since: FaultEvent, results: CheckerResult[]): KeepalivedEvent[] =>
    checkerLines(history, { node: owner, ...params, since: since.t, results })
  const lines = said(cause, ['down', 'removed'])
  const down = fromFault(history, params.downBound, cause, slackMs)
  const verdicts = [judgeChange({ ...change, cause, seen: removal, said: lines, bound: down, until })]
  if (removal && params.inhibit !== undefined) verdicts.push(judgeInhibit(params, owner, removal))
  if (removal && params.probe !== undefined) {
    // The next fault, on whatever node, may fail requests for its own reasons.
    const next = eventsOf(history, 'fault').find(event => event.t > cause.done)?.t ?? until
    const gone = changeOf(removal, lines)
    const state = stays(removal, params) ? 'had weight 0 in the table' : 'had left the table'
    const serving = judgeServing(history, params.probe, gone, next, params.inFlightMs ?? 100, `${name} ${state}`)
    const served = requestsOf(history, params.probe, { until: cause.t }).some(one => one.server === name)
    verdicts.push(serving.outcome === 'PASS' && !served ? untold(name) : serving)
  }
  if (healed && params.upBound) {
    const back = tables.find(table => table.t > healed.t && has(table))
    const line = said(healed, ['up', 'added'])
    const end = endOf(history)
    const up = fromFault(history, params.upBound, healed, slackMs)
    verdicts.push(judgeChange({ ...change, cause: healed, seen: back, said: line, bound: up, until: end }))
  }
  return mergeVerdicts(verdicts)
}

interface Change {
  owner: string
  server: string
  cause: FaultEvent
  /** The first table that shows the change. */
  seen: IpvsEvent | undefined
  /** The lines in which the owner says why. */
  said: KeepalivedEvent[]
  bound: Bound
  until: number
}

/**
 * What tells when a table changed: the first that shows it. A large one takes time to read, so where keepalived's last line about the
 * server came after the reading before was begun, that line: it is written just before the table is changed (check/ipwrapper.c,
 * `perform_svr_state`). A check may be of several services, so what it found counts alone where no line says that the server moved.
 */
const changeOf = (seen: IpvsEvent, said: KeepalivedEvent[]): IpvsEvent | KeepalivedEvent => {
  const moved = said.filter(line => line.checker?.service !== undefined)
  const last = (moved.length > 0 ? moved : said).findLast(line => line.t <= seen.t)
  return last && seen.since !== undefined && last.t >= seen.since ? last : seen
}

const judgeChange = ({ owner, server, cause, seen, said, bound, until }: Change): Verdict => {
  const what = describeFault(cause)
  const [first] = said
  const change = seen && changeOf(seen, said)
  const [name, did, done] =
    cause.phase === 'inject' ? ['removal', 'left', 'left'] : ['return', 'came back to', 'come back to']
  const value = (change?.t ?? until) - cause.t
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
    measurements: [
      duration(name, value, bound),
      ...(first ? [duration(`checker ${cause.phase === 'inject' ? 'down' : 'up'}`, first.t - cause.t)] : []),
    ],
    proof: inOrder([cause, first, change, seen]),
  }
}

type CheckerResult = NonNullable<KeepalivedEvent['checker']>['result']

/** What a director says of a real server, of this service or of a check that may be of several. */
const checkerLines = (
  history: History,
  of: Pick<PoolParams, 'server' | 'service'> & { node: string; since: number; results: CheckerResult[] },
): KeepalivedEvent[] =>
  eventsOf(history, 'keepalived').filter(
    ({ node, t, checker }) =>
      node === of.node &&
      t >= of.since &&
      checker?.server === `${of.server.address}:${of.server.port}` &&
      (checker.service ?? of.service) === of.service &&
      of.results.includes(checker.result),
  )

const stays = ({ services }: IpvsEvent, { service, server }: PoolParams): boolean =>
  services
    .find(one => one.service === service)
    ?.destinations.some(one => one.address === server.address && one.port === server.port) ?? false

/** With `inhibit_on_failure` keepalived sets weight 0, without it removes the server (check/ipwrapper.c `perform_svr_state`). */
const judgeInhibit = (params: PoolParams, owner: string, removal: IpvsEvent): Verdict => {
  const { server, inhibit } = params
  const isKept = stays(removal, params)
  const [did, why] = isKept
    ? ['stayed in', inhibit ? 'as inhibit_on_failure asks' : 'although inhibit_on_failure is not set']
    : ['was removed from', inhibit ? 'although inhibit_on_failure is set' : 'as inhibit_on_failure is not set']
  const weight = isKept ? ' with weight 0' : ''
  return {
    outcome: isKept === inhibit ? 'PASS' : 'FAIL',
    reason: `${server.name ?? server.node} ${did} the table of ${owner}${weight}, ${why}.`,
    measurements: [],
    proof: [removal],
  }
}

/** Clients of other servers do not show whether those of the lost one are still sent there. */
const untold = (name: string): Verdict => ({
  outcome: 'PASS',
  reason: `${name} had served no client before, so none shows whether its own would be sent there still.`,
  measurements: [{ name: 'requests that it had served before', value: 0, unit: 'requests' }],
  proof: [],
})

const judgeServing = (
  history: History,
  probe: string,
  removal: IpvsEvent | KeepalivedEvent,
  until: number,
  inFlightMs: number,
  gone: string,
): Verdict => {
  const requests = requestsOf(history, probe, { from: removal.t + inFlightMs, until })
  const failed = requests.filter(request => request.outcome !== 'answered')
  const first = failed.at(0)
  if (first)
    return {
      outcome: 'FAIL',
      reason:
        `${failed.length} of ${requests.length} requests failed although ${gone}, ` +
        `the first was ${describeRequest(first)}.`,
      measurements: [{ name: 'failed after the removal', value: failed.length, unit: 'requests' }],
      proof: inOrder([removal, first]),
    }
  if (requests.length === 0) return inconclusive(`The probe ${probe} sent nothing after ${gone}.`, [removal])
  return {
    outcome: 'PASS',
    reason: `All ${requests.length} requests after that were answered.`,
    measurements: [{ name: 'failed after the removal', value: 0, unit: 'requests' }],
    proof: inOrder([removal, requests.at(0), requests.at(-1)]),
  }
}
