import type { LabEvent } from '../history/event.ts'
import type { History } from '../history/history.ts'
import { type FaultInForce, faultsInForce } from '../history/faults.ts'
import { endOf, eventsOf, type Holding, holdingsOf, type Window } from '../history/queries.ts'
import { seconds } from '../model/bound.ts'
import type { Bound } from '../model/types.ts'
import { inconclusive, inOrder, mergeVerdicts } from './guard.ts'
import { allowed, duration, withScheduling } from './limit.ts'
import { DOWN_FAULTS, SPLIT_FAULTS, separates, STALE_FAULTS, timesOf, without } from './liveness.ts'
import { judgeOwnerless } from './ownerless.ts'
import type { Verdict } from './verdict.ts'
import { describeFault } from './words.ts'

export interface OwnerParams {
  vip: string
  /** Name and address of every director that could hold the VIP. */
  directors: { node: string; address: string }[]
  /** How long two may hold it at a handover. */
  bound: Bound
  /** What could cause it, on paper: the messages of `explainDualMaster`. */
  causes?: string[]
  /** Judges as well that the VIP is never without an owner for longer: the longest failover that is due. */
  noneBound?: Bound
  /** Scheduling of the lab's machine, which both bounds leave it; ms, default 0. */
  slackMs?: number
  /** Faults that leave a stale VIP behind on a director where nobody attends to it; default {@link STALE_FAULTS}. */
  staleFaults?: string[]
  /** Faults under which a director need not take the VIP; default {@link DOWN_FAULTS}. */
  downFaults?: string[]
  /** Faults that keep directors apart, so that both may hold the VIP while one is in force; default {@link SPLIT_FAULTS}. */
  allowedDuring?: string[]
}

interface Overlap extends Window {
  nodes: [string, string]
}

/**
 * Two live directors never hold the VIP at the same time for longer than a handover takes, and it is never without a live
 * owner for longer than a failover takes. A director that is dead or frozen is no owner; what it still holds is reported.
 * Directors that a fault keeps apart may both hold the VIP: that is reported, and judged again from the end of the heal.
 */
export const checkSingleOwner = (history: History, params: OwnerParams): Verdict => {
  const { vip, directors, noneBound, slackMs = 0, staleFaults = STALE_FAULTS, allowedDuring = SPLIT_FAULTS } = params
  const nodes = directors.map(director => director.node)
  const twice = judgeTwice(history, { ...params, staleFaults, allowedDuring })
  // nobody was ever seen to hold it: that is one verdict, not two
  if (!noneBound || twice.outcome === 'INCONCLUSIVE') return twice
  const downFaults = params.downFaults ?? DOWN_FAULTS
  // somebody may be quicker than a failover is due
  const { minMs: _, ...upper } = noneBound
  const none = judgeOwnerless(history, {
    vip,
    directors: nodes,
    bound: withScheduling(history, upper, slackMs),
    staleFaults,
    downFaults,
    allowedDuring,
  })
  return mergeVerdicts([twice, none])
}

const judgeTwice = (
  history: History,
  params: OwnerParams & { staleFaults: string[]; allowedDuring: string[] },
): Verdict => {
  const { vip, directors, causes = [], staleFaults, allowedDuring } = params
  const bound = withScheduling(history, params.bound, params.slackMs ?? 0)
  const end = endOf(history)
  const nodes = directors.map(director => director.node)
  const holdings = holdingsOf(history, vip, nodes)
  if (holdings.length === 0)
    return inconclusive(`No director was ever seen to hold the VIP ${vip}, so nobody could hold it twice.`)

  const live = holdings.flatMap(holding =>
    without({ from: holding.from, until: holding.until ?? end }, timesOf(history, holding.node, staleFaults, end)).map(
      piece => ({ ...piece, node: holding.node }),
    ),
  )
  const splits = faultsInForce(history, allowedDuring)
  const overlaps = pairs(live)
  const longest = longestOf(
    overlaps.flatMap(overlap => without(overlap, apart(splits, overlap, end)).map(piece => ({ ...overlap, ...piece }))),
  )
  longest?.nodes.sort((a, b) => nodes.indexOf(a) - nodes.indexOf(b))
  const length = longest ? longest.until - longest.from : 0
  const notes = `${splitNote(splits, overlaps, end, vip)}${staleNote(history, holdings, staleFaults, end, vip)}`
  const measurements = [duration('two directors hold the VIP', length, bound)]
  if (!longest || length <= bound.maxMs) {
    const seen = longest
      ? `Two live directors held the VIP ${vip} for ${seconds(length)} at most`
      : `No two live directors ever held the VIP ${vip} at the same time`
    return {
      outcome: 'PASS',
      reason: `${seen} ${allowed(bound)}.${notes}`,
      measurements,
      proof: longest ? ownershipProof(history, vip, longest) : [],
    }
  }

  const addressOf = (node: string): string => directors.find(director => director.node === node)?.address ?? '?'
  // A new MASTER sends its first advert before it adds the VIP, and may be silent afterwards: an advert that is dropped
  // for its authentication still restarts the sender's own timer at the other one.
  const adverts = longest.nodes.map(node =>
    eventsOf(history, 'advert').find(
      ({ node: sender, priority, t, interval }) =>
        sender === node && priority > 0 && t >= longest.from - interval && t <= longest.until,
    ),
  )
  const said = adverts.every(advert => advert !== undefined)
    ? ', and both sent adverts'
    : adverts.some(advert => advert !== undefined)
      ? ', and one of them sent adverts'
      : ''
  const both = longest.nodes.map(node => `${node} (${addressOf(node)})`).join(' and ')
  const why = causes.length > 0 ? ` On paper: ${causes.join('; ')}.` : ''
  return {
    outcome: 'FAIL',
    reason:
      `Dual MASTER: ${both} both held the VIP ${vip} for ${seconds(length)}${said} ` +
      `${allowed(bound)}.${why}${notes}`,
    measurements,
    proof: inOrder([...ownershipProof(history, vip, longest), ...adverts]),
  }
}

const pairs = (live: (Window & { node: string })[]): Overlap[] =>
  live.flatMap((a, index) =>
    live.slice(index + 1).flatMap(b => {
      const from = Math.max(a.from, b.from)
      const until = Math.min(a.until, b.until)
      return a.node !== b.node && until > from ? [{ from, until, nodes: [a.node, b.node] as [string, string] }] : []
    }),
  )

const longestOf = (overlaps: Overlap[]): Overlap | undefined =>
  overlaps.toSorted((a, b) => b.until - b.from - (a.until - a.from))[0]

/** When the two of an overlap could not hear one another. */
const apart = (splits: FaultInForce[], { nodes: [a, b] }: Overlap, end: number): Window[] =>
  splits.filter(split => separates(split, a, b)).map(({ from, until }) => ({ from, until: until ?? end }))

/** Both hold the VIP while they cannot hear one another: no fault of theirs, but what clients get then is anybody's guess. */
const splitNote = (splits: FaultInForce[], overlaps: Overlap[], end: number, vip: string): string =>
  splits
    .map(split => {
      const window = { from: split.from, until: split.until ?? end }
      const both = longestOf(
        overlaps
          .filter(({ nodes: [a, b] }) => separates(split, a, b))
          .map(one => ({ ...one, from: Math.max(one.from, window.from), until: Math.min(one.until, window.until) })),
      )
      return both && both.until > both.from
        ? ` While ${describeFault(split.fault)} kept them apart, ${both.nodes.join(' and ')} both held ${vip}, ` +
            `for ${seconds(both.until - both.from)}, as expected.`
        : ''
    })
    .join('')

const ownershipProof = (history: History, vip: string, overlap: Overlap): LabEvent[] =>
  inOrder([
    ...overlap.nodes.map(node =>
      eventsOf(history, 'address').findLast(
        event => event.address === vip && event.node === node && event.change === 'add' && event.t <= overlap.from,
      ),
    ),
    eventsOf(history, 'address').find(
      event =>
        event.address === vip &&
        overlap.nodes.includes(event.node) &&
        event.change === 'remove' &&
        event.t >= overlap.until,
    ),
  ])

/** A dead director keeps its VIP until somebody tidies up: worth knowing, but not two owners that both serve. */
const staleNote = (history: History, holdings: Holding[], faults: string[], end: number, vip: string): string => {
  const kept = nodesOf(holdings).flatMap(node => {
    const stale = faultsInForce(history, faults, node).find(({ from }) =>
      holdings.some(one => one.node === node && one.from < from && (one.until ?? end) > from),
    )
    return stale ? [`${node} (${stale.fault.fault})`] : []
  })
  return kept.length === 0 ? '' : ` ${kept.join(' and ')} kept ${vip} while nobody attended to it there.`
}

const nodesOf = (holdings: Holding[]): string[] => [...new Set(holdings.map(holding => holding.node))]
