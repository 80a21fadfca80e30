import type { FaultEvent, LabEvent } from '../history/event.ts'
import type { History } from '../history/history.ts'
import { endOf, eventsOf, type Holding, holdingsOf, type Window } from '../history/queries.ts'
import { seconds } from '../model/bound.ts'
import type { Bound } from '../model/types.ts'
import { inconclusive, inOrder } from './guard.ts'
import { allowed, duration } from './limit.ts'
import type { Verdict } from './verdict.ts'

export interface OwnerParams {
  vip: string
  /** Name and address of every director that could hold the VIP. */
  directors: { node: string; address: string }[]
  /** How long two may hold it at a handover. */
  bound: Bound
  /** What could cause it, on paper: the messages of `explainDualMaster`. */
  causes?: string[]
  /** Faults that leave a stale VIP behind on a director that is dead; default `keepalived-crash`. */
  staleFaults?: string[]
}

interface Overlap extends Window {
  nodes: [string, string]
}

/** Two live directors never hold the VIP at the same time for longer than a handover takes. */
export const checkSingleOwner = (history: History, params: OwnerParams): Verdict => {
  const { vip, directors, bound, causes = [], staleFaults = ['keepalived-crash'] } = params
  const end = endOf(history)
  const nodes = directors.map(director => director.node)
  const holdings = holdingsOf(history, vip, nodes)
  if (holdings.length === 0)
    return inconclusive(`No director was ever seen to hold the VIP ${vip}, so nobody could hold it twice.`)

  const live = holdings.flatMap(holding => aliveIn(holding, deadTimes(history, holding.node, staleFaults, end), end))
  const overlaps = pairs(live).sort((a, b) => b.until - b.from - (a.until - a.from))
  const longest = overlaps[0]
  longest?.nodes.sort((a, b) => nodes.indexOf(a) - nodes.indexOf(b))
  const length = longest ? longest.until - longest.from : 0
  const stale = staleNote(history, holdings, staleFaults, end, vip)
  const measurements = [duration('two directors hold the VIP', length, bound)]
  if (!longest || length <= bound.maxMs) {
    const seen = longest
      ? `Two live directors held the VIP ${vip} for ${seconds(length)} at most`
      : `No two live directors ever held the VIP ${vip} at the same time`
    return {
      outcome: 'PASS',
      reason: `${seen} ${allowed(bound)}.${stale}`,
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
      `${allowed(bound)}.${why}${stale}`,
    measurements,
    proof: inOrder([...ownershipProof(history, vip, longest), ...adverts]),
  }
}

/**
 * From the injection of a fault that kills keepalived to the end of its heal; a command's own duration counts as dead.
 */
const deadTimes = (history: History, node: string, faults: string[], end: number): Window[] => {
  const dead: Window[] = []
  let since: FaultEvent | undefined
  for (const fault of eventsOf(history, 'fault')) {
    if (fault.node !== node || !faults.includes(fault.fault)) continue
    if (fault.phase === 'inject') since ??= fault
    else if (since) {
      dead.push({ from: since.t, until: fault.done })
      since = undefined
    }
  }
  if (since) dead.push({ from: since.t, until: end })
  return dead
}

const aliveIn = (holding: Holding, dead: Window[], end: number): (Window & { node: string })[] => {
  let pieces: Window[] = [{ from: holding.from, until: holding.until ?? end }]
  for (const time of dead) {
    pieces = pieces.flatMap(piece => [
      { from: piece.from, until: Math.min(piece.until, time.from) },
      { from: Math.max(piece.from, time.until), until: piece.until },
    ])
  }
  return pieces.filter(piece => piece.until > piece.from).map(piece => ({ ...piece, node: holding.node }))
}

const pairs = (live: (Window & { node: string })[]): Overlap[] =>
  live.flatMap((a, index) =>
    live.slice(index + 1).flatMap(b => {
      const from = Math.max(a.from, b.from)
      const until = Math.min(a.until, b.until)
      return a.node !== b.node && until > from ? [{ from, until, nodes: [a.node, b.node] as [string, string] }] : []
    }),
  )

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
  const stale = new Set(
    holdings
      .filter(holding =>
        deadTimes(history, holding.node, faults, end).some(
          time => holding.from < time.from && (holding.until ?? end) > time.from,
        ),
      )
      .map(holding => holding.node),
  )
  return stale.size === 0 ? '' : ` ${[...stale].join(' and ')} kept ${vip} while keepalived was dead there.`
}
