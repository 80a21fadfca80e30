import type { LabEvent } from '../history/event.ts'
import type { History } from '../history/history.ts'
import { faultsInForce } from '../history/faults.ts'
import { endOf, eventsOf, holdingsOf, type Window } from '../history/queries.ts'
import { seconds } from '../model/bound.ts'
import type { Bound } from '../model/types.ts'
import { inconclusive, inOrder } from './guard.ts'
import { allowed, duration, fromFault } from './limit.ts'
import { sides, timesOf } from './liveness.ts'
import type { Verdict } from './verdict.ts'

export interface OwnerlessParams {
  vip: string
  /** Every director that could hold the VIP. */
  directors: string[]
  /** How long the VIP may be without an owner: the longest failover that is due. */
  bound: Bound
  /** Faults under which what a director holds does not count. */
  staleFaults: string[]
  /** Faults under which a director need not take the VIP. */
  downFaults: string[]
  /** Faults that keep directors apart; only a `partition` makes sides that need an owner each. */
  allowedDuring: string[]
}

interface Lack extends Window {
  side: string[]
}

/**
 * From the first owner on, the VIP is never without a live owner for longer than the bound while a director is fit to hold
 * it; in a partition, on no side of it. A partition that comes or goes begins a new stretch of time.
 */
export const judgeOwnerless = (history: History, params: OwnerlessParams): Verdict => {
  const { vip, directors } = params
  const end = endOf(history)
  const holdings = holdingsOf(history, vip, directors)
  const partitions = faultsInForce(history, params.allowedDuring).filter(({ fault }) => fault.fault === 'partition')
  const stale = new Map(directors.map(node => [node, timesOf(history, node, params.staleFaults, end)]))
  const down = new Map(directors.map(node => [node, timesOf(history, node, params.downFaults, end)]))
  const splits = partitions.map(({ from, until }) => ({ from, until: until ?? end }))
  const first = Math.min(...holdings.map(holding => holding.from))
  // between two of these moments nothing changes
  const moments = [...holdings, ...[...stale.values(), ...down.values()].flat(), ...splits]
    .flatMap(({ from, until }) => [from, until ?? end])
    .concat(first, end)
    .filter(t => t >= first && t <= end)
  const steps = [...new Set(moments)].sort((a, b) => a - b)

  const lacks: Lack[] = []
  steps.slice(0, -1).forEach((from, i) => {
    const during = (window: { from: number; until: number | undefined }): boolean =>
      window.from <= from && (window.until ?? end) > from
    const serves = (node: string): boolean =>
      holdings.some(one => one.node === node && during(one)) && !stale.get(node)?.some(during)
    const fit = (node: string): boolean => !down.get(node)?.some(during)
    const inForce = partitions.filter(during)
    for (const side of sides(directors, inForce)) {
      if (side.some(serves) || !side.some(fit)) continue
      const open = lacks.find(lack => lack.until === from && lack.side.join() === side.join())
      if (open) open.until = steps[i + 1] ?? end
      else lacks.push({ side, from, until: steps[i + 1] ?? end })
    }
  })

  const names = new Set(eventsOf(history, 'fault').map(({ fault }) => fault))
  const inForce = faultsInForce(history, [...names])
  // a fault takes effect somewhere between its beginning and its end
  const boundOf = (lack: Lack): Bound => {
    const cause = inForce.findLast(({ from, until = end }) => from <= lack.from && until >= lack.from)?.fault
    return cause ? fromFault(history, params.bound, cause, 0) : params.bound
  }
  const beyond = (lack: Lack): number => lack.until - lack.from - boundOf(lack).maxMs
  const longest = lacks.sort((a, b) => beyond(b) - beyond(a))[0]
  const bound = longest ? boundOf(longest) : params.bound
  const length = longest ? longest.until - longest.from : 0
  const long = length > bound.maxMs
  const where = longest && longest.side.length < directors.length ? ` on the side of ${longest.side.join(' and ')}` : ''
  const open = lacks.find(lack => lack.until === end)
  if (open && !long)
    return inconclusive(
      `The recording ends when the VIP ${vip} had had no live owner for ${seconds(open.until - open.from)} ${allowed(boundOf(open))}.`,
      around(history, vip, directors, open),
    )
  const since = longest ? ` (from ${(longest.from / 1000).toFixed(3)} s on)` : ''
  return {
    outcome: long ? 'FAIL' : 'PASS',
    reason: longest
      ? `The VIP ${vip} had no live owner${where} for ${seconds(length)}${since}` +
        `${long ? ', which is too long' : ' at most'} ${allowed(bound)}.`
      : `The VIP ${vip} always had a live owner ${allowed(bound)}.`,
    measurements: [duration('VIP without an owner', length, bound)],
    proof: longest ? around(history, vip, directors, longest) : [],
  }
}

/** What took the VIP away, and what brought it back. */
const around = (history: History, vip: string, directors: string[], lack: Lack): LabEvent[] => {
  const moves = eventsOf(history, 'address').filter(event => event.address === vip && directors.includes(event.node))
  return inOrder([
    eventsOf(history, 'fault').findLast(event => event.t <= lack.from),
    moves.findLast(event => event.t <= lack.from),
    moves.find(event => event.t >= lack.until && event.change === 'add'),
  ])
}
