import type { IpvsEvent, RequestEvent } from '../history/event.ts'
import type { History } from '../history/history.ts'
import { activeDestinations, eventsOf, requestsOf, tablesOf, type Window } from '../history/queries.ts'
import type { Requests } from '../history/requests.ts'
import { seconds } from '../model/bound.ts'
import { clientGroup } from '../model/persistence.ts'
import type { Bound } from '../model/types.ts'
import { inconclusive, inOrder } from './guard.ts'
import { allowed, duration } from './limit.ts'
import { liveOwnersAt } from './owner-at.ts'
import type { Verdict } from './verdict.ts'
import { describeRequest } from './words.ts'

/** Where a server that left its pool excuses a client that goes to another one. */
export interface Pool {
  vip: string
  /** Every director that could hold the VIP. */
  directors: string[]
  /** As the table calls it: `TCP 10.0.0.100:80`. */
  service: string
  servers: { node: string; address: string }[]
}

export interface StickinessParams {
  probe: string
  window?: Partial<Window>
  /** `persistence_timeout`, ms: so long after its last request a client must come to the same server. */
  timeoutMs: number
  /** Prefix length of the persistence netmask; without it, each source address stands for itself. */
  prefix?: number
  /** Without it, no change of server is excused. */
  pool?: Pool
}

/** Two answers in a row to the same group of clients. */
interface Repeat {
  client: string
  before: RequestEvent
  after: RequestEvent
}

/**
 * Every request of a client goes to the server of its request before, as long as the persistence time between the two had
 * not run out; only where that server left the pool in between it may go elsewhere. Requests that nobody answered are not
 * judged. A late request needs no care: its time is the time at which it was really sent.
 */
export const checkStickiness = (history: History, params: StickinessParams): Verdict => {
  const { probe, timeoutMs, pool } = params
  const leftPool = pool ? leavingOf(history, pool) : () => false
  const clients = new Set<string>()
  // counted, not kept: of an hour of clients that never stick there are more than memory holds
  let [repeated, excused, astray] = [0, 0, 0]
  let [sample, moved, first]: [Repeat?, Repeat?, Repeat?] = []
  for (const repeat of repeats(requestsOf(history, probe, params.window), params.prefix)) {
    if (pauseOf(repeat) >= timeoutMs) continue
    repeated += 1
    sample ??= repeat
    clients.add(repeat.client)
    if (repeat.after.server === repeat.before.server) continue
    moved ??= repeat
    if (leftPool(repeat)) excused += 1
    else {
      astray += 1
      first ??= repeat
    }
  }
  if (repeated === 0)
    return inconclusive(`No client of the probe ${probe} was answered twice within ${seconds(timeoutMs)}.`)
  const measurements = [
    { name: 'repeats within the persistence time', value: repeated, unit: 'requests' as const },
    { name: 'went to another server', value: astray, unit: 'requests' as const },
  ]
  if (first)
    return {
      outcome: 'FAIL',
      reason:
        `${astray} of ${repeated} requests within ${seconds(timeoutMs)} of the one before went to another ` +
        `server; the first was ${describeRequest(first.after)}, ${seconds(pauseOf(first))} after ` +
        `${describeRequest(first.before)}, both of ${first.client}.`,
      measurements,
      proof: [first.before, first.after],
    }
  const elsewhere = excused > 0 ? `; ${excused} went elsewhere as their server had left the pool` : ''
  return {
    outcome: 'PASS',
    reason:
      `${clients.size} clients came back ${repeated} times within ${seconds(timeoutMs)}, ` +
      `always to the same server${elsewhere}.`,
    measurements,
    proof: inOrder([sample?.before, sample?.after, moved?.before, moved?.after]),
  }
}

export interface ReleaseParams {
  probe: string
  window?: Partial<Window>
  /** From a client's last request before a pause: earliest and latest release of its template. */
  bound: Bound
  /** Prefix length of the persistence netmask; without it, each source address stands for itself. */
  prefix?: number
  /** Share of a client's connections that comes to the same server by chance once it is free, 0 to 1: 0.5 of two equal ones. */
  sameByChance: number
  /** Chance that a service that releases its clients fails; default 0.001. */
  significance?: number
  /** The command whose output lists the templates, where it was run: `ipvsadm -Lnc` on a director. */
  templates?: { node: string; command: string }
}

/**
 * Once the persistence timer has run out, a client is free: measured from the last request before a pause to the first that
 * went to another server, or to the first list of connections without its template. A pause that is shorter than the lower
 * end of the bound must not free it. A free client may come to the same server by chance, so clients that all did so count
 * against the service only where chance does not explain it.
 */
export const checkRelease = (history: History, params: ReleaseParams): Verdict => {
  const { probe, bound, templates, significance = 0.001 } = params
  const { minMs = bound.maxMs, maxMs } = bound
  const requests = requestsOf(history, probe, params.window)
  // counted, not kept, as above
  let [early, gone, one]: [Repeat?, Repeat?, Repeat?] = []
  let [free, longestFree] = [0, 0]
  for (const repeat of repeats(requests, params.prefix)) {
    const pause = pauseOf(repeat)
    if (repeat.before.server !== repeat.after.server) {
      if (pause < minMs) early ??= repeat
      if (!gone || pause < pauseOf(gone)) gone = repeat
    }
    if (!(pause >= maxMs)) continue
    free += 1
    one ??= repeat
    longestFree = Math.max(longestFree, pause)
  }
  if (early)
    return {
      outcome: 'FAIL',
      reason:
        `${early.client} went to another server (${describeRequest(early.after)}) only ${seconds(pauseOf(early))} after ` +
        `${describeRequest(early.before)} ${allowed(bound)}.`,
      measurements: [duration('release', pauseOf(early), bound)],
      proof: [early.before, early.after],
    }
  if (templates) {
    const listed = judgeTemplates(history, repeats(requests, params.prefix), templates, bound)
    if (listed) return listed
  }
  if (gone)
    return {
      outcome: 'PASS',
      reason:
        `${gone.client} went to another server (${describeRequest(gone.after)}) ${seconds(pauseOf(gone))} after ` +
        `${describeRequest(gone.before)}, and nobody did before its time ${allowed(bound)}.`,
      measurements: [duration('release', pauseOf(gone))],
      proof: [gone.before, gone.after],
    }
  const chance = params.sameByChance ** free
  if (!one || chance > significance)
    return inconclusive(
      one
        ? `All ${free} clients came back to the same server after the persistence time, ` +
            `which chance explains (p = ${Number(chance.toPrecision(3))}).`
        : `No client of the probe ${probe} came back after a pause of ${seconds(maxMs)} or more.`,
      one ? [one.before, one.after] : [],
    )
  return {
    outcome: 'FAIL',
    reason:
      `All ${free} clients came back to the same server although their persistence had run out ${allowed(bound)}, ` +
      `which chance does not explain (p = ${Number(chance.toPrecision(3))}).`,
    measurements: [duration('kept for', longestFree, bound)],
    proof: [one.before, one.after],
  }
}

/** A template is a line of the list whose client has port 0 (ip_vs_conn.c): `TCP 05:58 NONE 10.0.0.50:0 10.0.0.100:80 ...`. */
const judgeTemplates = (
  history: History,
  all: Iterable<Repeat>,
  { node, command }: { node: string; command: string },
  bound: Bound,
): Verdict | undefined => {
  const lists = eventsOf(history, 'command').filter(event => event.node === node && event.command === command)
  for (const { before, after, client } of all) {
    const between = lists.filter(list => list.t > before.t && list.done < after.t)
    const has = (output: string): boolean =>
      output.split(/\s+/).some(word => word === `${client}:0` || word === `[${client}]:0`)
    const absent = between.findIndex(list => !has(list.output))
    const last = between.findLast(list => has(list.output))
    const gone = absent > 0 ? between[absent] : undefined
    if (gone?.truncated)
      return inconclusive(
        `\`${command}\` on ${node} listed more than the journal keeps: whether it had the template of ${client} is not known.`,
        [before, gone],
      )
    const measured = gone ?? last
    if (!measured || (!gone && measured.t - before.t <= bound.maxMs)) continue
    const value = (gone ? gone.done : measured.t) - before.t
    const early = value < (bound.minMs ?? 0)
    // it was there in the list before: the template went somewhere between the two
    const late = last !== undefined && last.t - before.t > bound.maxMs
    const wrong = early ? ', which is too early' : late ? ', which is too late' : ''
    return {
      outcome: early || late ? 'FAIL' : 'PASS',
      reason:
        `The template of ${client} was ${gone ? 'gone' : 'still there'} ${seconds(value)} after its last request` +
        `${wrong} ${allowed(bound)}.`,
      measurements: [duration('release', value, bound)],
      proof: inOrder([before, last, gone]),
    }
  }
  return undefined
}

/** Each answer to a group of clients beside the answer before it, in the order of sending. */
function* repeats(requests: Requests, prefix: number | undefined): Generator<Repeat> {
  const last = new Map<string, RequestEvent>()
  for (const after of requests) {
    if (after.outcome !== 'answered') continue
    const client = clientGroup(after.source, prefix)
    const before = last.get(client)
    last.set(client, after)
    if (before) yield { client, before, after }
  }
}

const pauseOf = ({ before, after }: Repeat): number => after.t - before.t

/** Tells whether the server of the first request was out of its pool in any table that was in force between the two. */
const leavingOf = (history: History, pool: Pool): ((repeat: Repeat) => boolean) => {
  const ownersAt = liveOwnersAt(history, pool.vip, pool.directors)
  return ({ before, after }) => {
    const address = pool.servers.find(server => server.node === before.server)?.address
    const isOut = (table: IpvsEvent): boolean =>
      activeDestinations(table, pool.service)?.every(one => one.address !== address) ?? true
    return [...new Set([...ownersAt(before.t), ...ownersAt(after.done)])].some(owner => {
      const tables = tablesOf(history, owner)
      const inForce = tables.findLast(table => table.t <= before.t)
      return [inForce, ...tables.filter(table => table.t > before.t && table.t <= after.done)].some(
        table => table !== undefined && isOut(table),
      )
    })
  }
}
