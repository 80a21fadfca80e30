import type { FaultEvent, IpvsEvent } from '../history/event.ts'
import type { History } from '../history/history.ts'
import { endOf, eventsOf, holdingsOf, lastFault, requestsOf, tablesOf } from '../history/queries.ts'
import { seconds } from '../model/bound.ts'
import type { Bound } from '../model/types.ts'
import { inconclusive, inOrder, mergeVerdicts } from './guard.ts'
import { liveOwnersAt } from './owner-at.ts'
import type { Verdict } from './verdict.ts'
import { describeFault, describeRequest } from './words.ts'

export interface UndisturbedParams {
  vip: string
  /** Every director that could hold the VIP. */
  directors: string[]
  /** The director that holds the VIP, and goes on holding it. */
  owner: string
  /** What is done, by its name in the fault registry; its last injection into the node is judged. */
  fault: string
  node: string
  /** Services of the owner whose tables stay as they are, as the table calls them: `TCP 10.0.0.100:80`. */
  services?: string[]
  /** Judges that no request fails. */
  probe?: string
  /** A VIP that is to move has moved by then: for so long it is watched, from the end of the fault, and of its heal. */
  watchBound: Bound
}

/** A stretch of time from the beginning of what is done to the next thing that is broken, or to the end. */
interface Stretch {
  cause: FaultEvent
  until: number
}

/**
 * Something that is done to a director, and its heal, disturb nobody: the VIP stays where it is, the owner's services keep
 * their destinations and weights, and no request fails.
 */
export const checkUndisturbed = (history: History, params: UndisturbedParams): Verdict => {
  const { vip, directors, owner, fault, node, probe, watchBound } = params
  const cause = lastFault(history, 'inject', fault, node)
  if (!cause) return inconclusive(`${fault} was never injected into ${node}, so nothing could be disturbed by it.`)
  const what = describeFault(cause)
  const owners = liveOwnersAt(history, vip, directors)(cause.t)
  if (owners.join() !== owner)
    return inconclusive(
      `${owner} did not hold the VIP ${vip} alone when ${what} began, but ${owners.join(' and ') || 'nobody'}.`,
      [cause],
    )

  const faults = eventsOf(history, 'fault')
  const until = faults.find(({ phase, t }) => phase === 'inject' && t > cause.t)?.t ?? endOf(history)
  const stretch: Stretch = { cause, until }
  const verdicts = [judgeStays(history, params, stretch)]
  for (const service of params.services ?? []) verdicts.push(judgeTable(history, owner, service, stretch))
  if (probe !== undefined) verdicts.push(judgeRequests(history, probe, stretch))
  const verdict = mergeVerdicts(verdicts)
  if (verdict.outcome === 'FAIL') return verdict

  // what has not happened yet may still happen
  const last = faults.findLast(({ t }) => t < until) ?? cause
  const watched = until - last.done
  if (watched < watchBound.maxMs)
    return inconclusive(
      `Only ${seconds(watched)} were recorded after ${describeFault(last)}, ` +
        `and what it disturbs may show ${seconds(watchBound.maxMs)} after it: ${watchBound.formula}.`,
      [cause, last],
    )
  return verdict
}

/** The owner keeps the VIP, and nobody else takes it. */
const judgeStays = (
  history: History,
  { vip, directors, owner }: UndisturbedParams,
  { cause, until }: Stretch,
): Verdict => {
  const holdings = holdingsOf(history, vip, directors)
  const held = holdings.findLast(({ node, from }) => node === owner && from <= cause.t)
  const lost = held?.until !== undefined && held.until <= until ? held.until : undefined
  const taken = holdings.find(({ node, from }) => node !== owner && from > cause.t && from <= until)
  const what = describeFault(cause)
  const moves = eventsOf(history, 'address').filter(({ address, t }) => address === vip && t > cause.t)
  const reasons = [
    lost !== undefined && `${owner} lost the VIP ${vip} ${seconds(lost - cause.t)} after ${what}`,
    taken && `${taken.node} took the VIP ${vip} ${seconds(taken.from - cause.t)} after ${what}`,
  ].filter(reason => typeof reason === 'string')
  return {
    outcome: reasons.length > 0 ? 'FAIL' : 'PASS',
    reason: reasons.length > 0 ? `${reasons.join('; ')}.` : `${owner} kept the VIP ${vip} through ${what}.`,
    measurements: [],
    proof: inOrder([
      cause,
      moves.find(event => event.node === owner && event.t === lost),
      moves.find(event => event.node === taken?.node && event.t === taken.from),
    ]),
  }
}

/** Each table of the owner has the service as it was before. */
const judgeTable = (history: History, owner: string, service: string, { cause, until }: Stretch): Verdict => {
  const tables = tablesOf(history, owner)
  const before = tables.findLast(table => table.t <= cause.t)
  const was = poolOf(before, service)
  if (was === undefined)
    return inconclusive(`${owner} was not seen to have ${service} before ${describeFault(cause)}.`, [cause, before])
  const after = tables.filter(table => table.t > cause.t && table.t <= until)
  const changed = after.find(table => poolOf(table, service) !== was)
  if (changed)
    return {
      outcome: 'FAIL',
      reason:
        `${service} on ${owner} was changed by ${describeFault(cause)}: ${was} before, ` +
        `${poolOf(changed, service) ?? 'no such service'} ${seconds(changed.t - cause.t)} after it.`,
      measurements: [],
      proof: inOrder([before, cause, changed]),
    }
  const last = after.at(-1)
  if (!last)
    return inconclusive(`The tables of ${owner} were not looked at after ${describeFault(cause)}.`, [before, cause])
  return {
    outcome: 'PASS',
    reason: `${service} on ${owner} stayed as it was, ${was}.`,
    measurements: [],
    proof: inOrder([before, last]),
  }
}

/** `rr persistent: 10.0.0.11:80 (Route, weight 1), 10.0.0.12:80 (Route, weight 1)`; undefined without the service. */
const poolOf = (table: IpvsEvent | undefined, service: string): string | undefined => {
  const found = table?.services.find(one => one.service === service)
  if (!found) return undefined
  const { scheduler, persistent, destinations } = found
  const servers = destinations
    .map(({ address, port, forwarding, weight }) => `${address}:${port} (${forwarding}, weight ${weight})`)
    .toSorted()
  return `${scheduler}${persistent ? ' persistent' : ''}: ${servers.join(', ') || 'no destination'}`
}

/** Every request from the beginning on is answered. */
const judgeRequests = (history: History, probe: string, { cause, until }: Stretch): Verdict => {
  const requests = requestsOf(history, probe, { from: cause.t, until })
  const failed = requests.filter(request => request.outcome !== 'answered')
  const first = failed.at(0)
  const last = requests.at(-1)
  if (!last || last.t <= cause.done)
    return inconclusive(`The probe ${probe} sent nothing after ${describeFault(cause)}.`, [cause])
  return {
    outcome: first ? 'FAIL' : 'PASS',
    reason: first
      ? `${failed.length} of ${requests.length} requests failed, the first was ${describeRequest(first)}, ` +
        `${seconds(first.t - cause.t)} after ${describeFault(cause)}.`
      : `All ${requests.length} requests were answered.`,
    measurements: [{ name: 'failed requests', value: failed.length, unit: 'requests' }],
    proof: inOrder([cause, first ?? requests.at(0), first ? undefined : last]),
  }
}
