import type { FaultEvent, KeepalivedEvent } from '../history/event.ts'
import type { History } from '../history/history.ts'
import { activeDestinations, endOf, eventsOf, lastFault, requestsOf, tablesOf } from '../history/queries.ts'
import { seconds } from '../model/bound.ts'
import type { Bound } from '../model/types.ts'
import { inconclusive, inOrder, mergeVerdicts } from './guard.ts'
import { allowed, duration, fromFault } from './limit.ts'
import { ownerAt } from './owner-at.ts'
import type { Verdict } from './verdict.ts'
import { describeFault, describeRequest } from './words.ts'

/** Real servers that die together, or return together, and what follows from it. */
export interface QuorumStep {
  phase: FaultEvent['phase']
  nodes: string[]
  /** Who gets new connections afterwards, `10.0.0.10:80`. */
  destinations: string[]
  /** Nodes that may answer afterwards; without it, whoever does. */
  answers?: string[]
  /** What keepalived's log says of the quorum in this step; without it, nothing. */
  quorum?: 'Lost' | 'Gained'
}

export interface QuorumParams {
  vip: string
  /** Every director that could hold the VIP; the table and the log of the one that does are looked at. */
  directors: string[]
  /** As the table calls it: `TCP 10.0.0.100:80`, `FWM 50`. */
  service: string
  /** The `virtual_server_group` that it is one service of: keepalived's log speaks of the group. */
  group?: string
  /** Name in the fault registry; each node has it once. */
  fault: string
  /** In the order in which they are done. */
  steps: QuorumStep[]
  /** From the last fault, or heal, of a step to what follows from it. */
  downBound: Bound
  upBound: Bound
  /** Judges that all requests are answered once a step is over, by those who may. */
  probe?: string
  /** What was sent this soon after a change may still have been on its way, ms; default 100. */
  inFlightMs?: number
  /** Scheduling of the lab's machine, ms; default 0. */
  slackMs?: number
}

/** A step with what it was in the recording. */
interface Done extends QuorumStep {
  /** The first and the last of its faults. */
  first: FaultEvent
  last: FaultEvent
  /** ms: the next step begins, or the recording ends */
  until: number
}

/**
 * The pool is what the quorum makes of it: real servers die, and return, a step at a time; after each the table has who it
 * must in time, and keeps it until the next; keepalived says that the quorum is lost, or gained, when it is and at no other
 * time.
 */
export const checkQuorum = (history: History, params: QuorumParams): Verdict => {
  const { fault, steps } = params
  const faults = steps.map(({ phase, nodes }) => nodes.map(node => lastFault(history, phase, fault, node)))
  const missing = steps.flatMap(({ phase, nodes }, i) =>
    nodes.filter((_, n) => !faults[i]?.[n]).map(node => `${phase === 'heal' ? 'the heal of ' : ''}${fault} on ${node}`),
  )
  if (missing.length > 0) return inconclusive(`${missing.join(', ')} did not happen.`)
  const done = steps.map((step, i): Done => {
    const own = inOrder(faults[i] ?? []) as FaultEvent[]
    const next = inOrder(faults[i + 1] ?? []) as FaultEvent[]
    return { ...step, first: own[0] as FaultEvent, last: own.at(-1) as FaultEvent, until: next[0]?.t ?? endOf(history) }
  })
  const [start] = done
  if (!start) return inconclusive('No step was named, so nothing could be judged.')
  const owner = ownerAt(history, params, start.first)
  if (typeof owner !== 'string') return owner
  return mergeVerdicts(done.map(step => judgeStep(history, params, owner, step)))
}

const judgeStep = (history: History, params: QuorumParams, owner: string, step: Done): Verdict => {
  const { service, probe, slackMs = 0, inFlightMs = 100 } = params
  const { first, last, until } = step
  const bound = fromFault(history, step.phase === 'inject' ? params.downBound : params.upBound, last, slackMs)
  const what =
    step.nodes.length > 1 ? `${describeFault(last)}, the last of ${step.nodes.join(', ')}` : describeFault(last)
  const wanted = step.destinations.toSorted().join(', ') || 'nobody'
  const tables = tablesOf(history, owner)
  const had = (t: number): string | undefined => {
    const table = tables.findLast(one => one.t <= t)
    return table && keysOf(table, service)
  }
  // what must not change has been there all the time
  const since = had(first.t) === wanted ? first.t : undefined
  const reached = since ?? tables.find(one => one.t > first.t && one.t <= until && keysOf(one, service) === wanted)?.t
  const value = (reached ?? until) - last.t
  if (until - last.t < bound.maxMs && (reached === undefined || since !== undefined))
    return inconclusive(
      `Only ${seconds(until - last.t)} were recorded after ${what}, ` +
        `and the table of ${owner} need not have ${wanted} by then ${allowed(bound)}.`,
      [first, last],
    )
  const measurements = since === undefined ? [duration(nameOf(step), value, bound)] : []
  if (reached === undefined || value > bound.maxMs)
    return {
      outcome: 'FAIL',
      reason:
        `${service} on ${owner} ${reached === undefined ? 'never had' : 'had'} ${wanted} ` +
        `${reached === undefined ? `in the ${seconds(value)}` : `only ${seconds(value)}`} after ${what} ${allowed(bound)}.`,
      measurements,
      proof: inOrder([first, last, tables.findLast(one => one.t > first.t && one.t <= until)]),
    }
  const left = tables.find(one => one.t > reached && one.t <= until && keysOf(one, service) !== wanted)
  if (left)
    return {
      outcome: 'FAIL',
      reason:
        `${service} on ${owner} had ${wanted} after ${what}, and then ${keysOf(left, service)}, ` +
        `${seconds(left.t - last.t)} after it.`,
      measurements,
      proof: inOrder([last, left]),
    }
  const said = judgeLog(history, owner, params, step)
  const served =
    probe === undefined ? [] : [judgeAnswers(history, probe, { from: reached + inFlightMs, until }, step, what)]
  const table = tables.find(one => one.t >= reached)
  const kept = since === undefined ? `had ${wanted} ${seconds(value)} after ${what}` : `kept ${wanted} after ${what}`
  return mergeVerdicts([
    {
      outcome: 'PASS',
      reason: `${service} on ${owner} ${kept} ${allowed(bound)}.`,
      measurements,
      proof: inOrder([last, table]),
    },
    said,
    ...served,
  ])
}

const nameOf = ({ phase, nodes }: QuorumStep): string =>
  `pool after ${nodes.join(', ')} ${phase === 'inject' ? 'died' : 'returned'}`

/** `10.0.0.11:80, 10.0.0.12:80`, sorted; `nobody` where the service has none, or is not there. */
const keysOf = (table: Parameters<typeof activeDestinations>[0], service: string): string =>
  activeDestinations(table, service)
    ?.map(({ address, port }) => `${address}:${port}`)
    .toSorted()
    .join(', ') || 'nobody'

/** keepalived 2.3 check/ipwrapper.c `update_quorum_state`: `Lost quorum 2-0=2 > 1 for VS [10.0.0.100]:tcp:80` */
const QUORUM_LINE = /^(Lost|Gained) quorum .* for VS (.+)$/

const judgeLog = (history: History, owner: string, params: QuorumParams, step: Done): Verdict => {
  const { service, group } = params
  const { first, last, until, quorum } = step
  const isOfIt = (name: string | undefined): boolean =>
    name !== undefined && (group === undefined ? name === inLog(service) : ofGroup(name) === group)
  const lines = eventsOf(history, 'keepalived').filter(({ node, t, line }) => {
    const [, , name] = QUORUM_LINE.exec(line) ?? []
    return node === owner && t >= first.t && t <= until && isOfIt(name)
  })
  const [line] = lines
  const said = lines.map(one => (QUORUM_LINE.exec(one.line) ?? [])[1])
  if (said.join() === (quorum ?? ''))
    return {
      outcome: 'PASS',
      reason: quorum
        ? `${quorum} quorum ${seconds((line as KeepalivedEvent).t - last.t)} after ${describeFault(last)}.`
        : 'The quorum did not change.',
      measurements: [],
      proof: inOrder([line]),
    }
  return {
    outcome: 'FAIL',
    reason:
      `keepalived on ${owner} said ${said.length > 0 ? said.map(word => `"${word} quorum"`).join(', then ') : 'nothing of the quorum'} ` +
      `of ${service} after ${describeFault(first)}; ${quorum ? `it was ${quorum.toLowerCase()}` : 'it did not change'}.`,
    measurements: [],
    proof: inOrder([first, ...lines.slice(0, 2)]),
  }
}

/** `TCP 10.0.0.100:80` is `[10.0.0.100]:tcp:80` in keepalived's log; a firewall mark is called the same. */
const inLog = (service: string): string => {
  const [, protocol = '', address = '', port = ''] = /^(TCP|UDP|SCTP) \[?([^\]]+?)\]?:(\d+)$/.exec(service) ?? []
  return protocol ? `[${address}]:${protocol.toLowerCase()}:${port}` : service
}

/** A group is `[WEB]:0`, whatever its addresses, ports and marks are (check_data.c `format_vs`). */
const ofGroup = (name: string): string | undefined => /^\[(.*)\]:\d+$/.exec(name)?.[1]

const judgeAnswers = (
  history: History,
  probe: string,
  window: { from: number; until: number },
  { destinations, answers }: Done,
  what: string,
): Verdict => {
  const requests = requestsOf(history, probe, window)
  if (requests.length === 0) return inconclusive(`The probe ${probe} sent nothing after ${what}.`)
  const failed = requests.filter(({ outcome }) => outcome !== 'answered')
  const strange = requests.filter(
    ({ outcome, server = '?' }) => outcome === 'answered' && answers !== undefined && !answers.includes(server),
  )
  const [bad, stranger] = [failed.at(0), strange.at(0)]
  // with nobody in the pool there is nobody to answer
  const wrong = [
    bad &&
      destinations.length > 0 &&
      `${failed.length} of ${requests.length} requests failed after ${what}, the first was ${describeRequest(bad)}`,
    stranger &&
      `${strange.length} of ${requests.length} requests were answered by others than ${answers?.join(', ')} after ${what}, ` +
        `the first was ${describeRequest(stranger)}`,
  ].filter(reason => typeof reason === 'string')
  return {
    outcome: wrong.length > 0 ? 'FAIL' : 'PASS',
    reason:
      wrong.length > 0
        ? `${wrong.join('; ')}.`
        : `All ${requests.length} requests after that were answered as they must.`,
    measurements: [],
    proof: inOrder([wrong.length > 0 ? (bad ?? stranger) : requests.at(0)]),
  }
}
