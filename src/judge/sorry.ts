import type { FaultEvent, IpvsEvent, RequestEvent } from '../history/event.ts'
import type { History } from '../history/history.ts'
import { activeDestinations, endOf, lastFault, requestsOf, tablesOf } from '../history/queries.ts'
import type { Requests } from '../history/requests.ts'
import { seconds } from '../model/bound.ts'
import type { Bound } from '../model/types.ts'
import { inconclusive, inOrder, mergeVerdicts } from './guard.ts'
import { allowed, duration, fromFault, schedulingOf } from './limit.ts'
import { liveOwnersAt } from './owner-at.ts'
import type { Verdict } from './verdict.ts'
import { describeFault, describeRequest } from './words.ts'

export interface SorryParams {
  vip: string
  /** The directors: an answer from one of them is the sorry page, unless `pages` says whose is. */
  directors: string[]
  /** Who has the sorry page, where it is another host. */
  pages?: string[]
  /** As the table calls it: `TCP 10.0.0.100:80`. */
  service: string
  /** `name`: what its answers begin with, the node's where it is left out. */
  servers: { node: string; name?: string; address: string }[]
  /** Name in the fault registry; the last time that it was injected into each server is judged. */
  fault: string
  probe: string
  /** From the last server's fault to the sorry page. */
  bound: Bound
  /** Judges the way back as well: from the last heal to the first answer of a real server. */
  endsBound?: Bound
  /** How long it may still answer beside a real server that has just come: ldirectord adds the one, then removes the other. ms, default 0 */
  overlapMs?: number
  /** Scheduling of the lab's machine, ms; default 0. */
  slackMs?: number
}

/**
 * The sorry page answers in time once all real servers are dead, never while one of them is in the table, and the real
 * servers answer in time again after they are healed.
 */
export const checkSorry = (history: History, params: SorryParams): Verdict => {
  const { directors, pages = directors, servers, fault, probe, slackMs = 0 } = params
  const injected = servers.map(server => lastFault(history, 'inject', fault, server.node))
  const missing = servers.filter((_, index) => injected[index] === undefined).map(server => server.node)
  const cause = latest(injected)
  if (missing.length > 0 || !cause)
    return inconclusive(
      `${fault} was never injected into ${missing.join(', ') || 'any server'}, so a real server was left.`,
    )

  const heals = servers
    .map(server => lastFault(history, 'heal', fault, server.node))
    .filter((heal): heal is FaultEvent => heal !== undefined && heal.t > cause.t)
  const firstHeal = Math.min(...heals.map(heal => heal.t))
  const until = Math.min(firstHeal, endOf(history))
  const requests = requestsOf(history, probe)
  const isSorry = (request: RequestEvent): boolean =>
    request.outcome === 'answered' && request.server !== undefined && pages.includes(request.server)

  const within = (bound: Bound, fault: FaultEvent): Bound => fromFault(history, bound, fault, slackMs)
  const verdicts = [judgeTooSoon(history, params, requests.filter(isSorry))]
  verdicts.push(
    judgeFirst('sorry page', 'The sorry page', requests.filter(isSorry), cause, within(params.bound, cause), until),
  )
  const first = requests.find(request => isSorry(request) && request.done >= cause.t)
  if (first) verdicts.push(judgeSteady(requests, first, until))
  const lastHeal = latest(heals)
  if (params.endsBound && lastHeal) {
    const real = requests.filter(request => servers.some(server => (server.name ?? server.node) === request.server))
    const end = endOf(history)
    const bound = within(params.endsBound, lastHeal)
    verdicts.push(judgeFirst('real servers back', 'A real server', real, lastHeal, bound, end))
  }
  return mergeVerdicts(verdicts.filter(verdict => verdict !== undefined))
}

const latest = (faults: (FaultEvent | undefined)[]): FaultEvent | undefined =>
  faults.reduce((last, fault) => (last && fault && last.t >= fault.t ? last : (fault ?? last)), undefined)

/** The first answer of a kind after a fault or a heal. */
const judgeFirst = (
  name: string,
  who: string,
  answers: Requests,
  cause: FaultEvent,
  bound: Bound,
  until: number,
): Verdict => {
  const what = describeFault(cause)
  const first = answers
    .filter(answer => answer.t >= cause.t && answer.t <= until)
    .byDone()
    .at(0)
  const value = (first?.done ?? until) - cause.t
  if (!first && value < bound.maxMs)
    return inconclusive(
      `Only ${seconds(value)} were recorded after ${what}; ` +
        `${who.toLowerCase()} need not have answered by then ${allowed(bound)}.`,
      [cause],
    )
  const late = value > bound.maxMs
  return {
    outcome: late || !first ? 'FAIL' : 'PASS',
    reason: first
      ? `${who} answered ${seconds(value)} after ${what}${late ? ', which is too late' : ''} ${allowed(bound)}.`
      : `${who} never answered in the ${seconds(value)} after ${what} ${allowed(bound)}.`,
    measurements: [duration(name, value, bound)],
    proof: inOrder([cause, first]),
  }
}

/** A sorry page is one too many where every table of the VIP's owner around it has a real server. */
const judgeTooSoon = (history: History, params: SorryParams, pages: Requests): Verdict | undefined => {
  const overlapMs = schedulingOf(history, params.overlapMs ?? 0)
  const ownersAt = liveOwnersAt(history, params.vip, params.directors)
  const realIn = (table: IpvsEvent): string | undefined =>
    activeDestinations(table, params.service)?.find(one => params.servers.some(s => s.address === one.address))?.address
  const tablesByOwner = new Map(params.directors.map(node => [node, tablesOf(history, node)]))
  for (const page of pages) {
    const [owner, another] = ownersAt(page.t)
    if (owner === undefined || another !== undefined) continue
    const tables = tablesByOwner.get(owner) ?? []
    const first = tables.findLastIndex(table => table.t <= page.t - overlapMs)
    const last = tables.findIndex(table => table.t >= page.done)
    if (first < 0 || last < 0) continue
    // a table that changed while the page was on its way explains it
    const around = tables.slice(first, last + 1)
    const real = around.map(realIn)
    if (real.every(address => address !== undefined))
      return {
        outcome: 'FAIL',
        reason: `${describeRequest(page)} was the sorry page although ${real[0]} was in the table of ${owner}.`,
        measurements: [],
        proof: inOrder([...around, page]),
      }
  }
  return undefined
}

/** Once the sorry page is there, it stays until the first heal. */
const judgeSteady = (requests: Requests, first: RequestEvent, until: number): Verdict | undefined => {
  const failed = requests.filter(
    request => request.t > first.done && request.done <= until && request.outcome !== 'answered',
  )
  const one = failed.at(0)
  if (!one) return undefined
  return {
    outcome: 'FAIL',
    reason: `${failed.length} requests failed after the sorry page had come, the first was ${describeRequest(one)}.`,
    measurements: [{ name: 'failed after the sorry page', value: failed.length, unit: 'requests' }],
    proof: inOrder([first, one]),
  }
}
