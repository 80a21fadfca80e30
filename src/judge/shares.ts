import type { History } from '../history/history.ts'
import { answersByServer, requestsOf, type Window } from '../history/queries.ts'
import type { Requests } from '../history/requests.ts'
import type { CycleShares } from '../model/shares.ts'
import { excuse, inconclusive, inOrder, starved } from './guard.ts'
import type { Measurement, Verdict } from './verdict.ts'
import { describeRequest } from './words.ts'

export interface SharesParams {
  probe: string
  /** Stretch of the lab's clock in which the servers did not change; all of it where it is left out. */
  window?: Partial<Window>
  expected: CycleShares
}

/**
 * The answers are shared out as the scheduler promises. Counted over as many full cycles as there are, as only those
 * are exact; the order inside a cycle is not judged. One request more or less is allowed for each server where a request
 * that is counted and one that is not, of the rest or from outside the window, were on their way at the same time: they may
 * have arrived in the other order. Requests that were sent late are shared out as others are; only what is wrong in a starved probe is
 * no evidence.
 */
export const checkShares = (history: History, params: SharesParams): Verdict =>
  excuse(judgeShares(history, params), starved(history, params.probe, params.window))

const judgeShares = (history: History, params: SharesParams): Verdict => {
  const { probe, window, expected } = params
  const requests = requestsOf(history, probe, window)
  const failed = requests.filter(request => request.outcome !== 'answered')
  const bad = failed.at(0)
  if (bad)
    return {
      outcome: 'FAIL',
      reason: `${failed.length} of ${requests.length} requests failed, the first was ${describeRequest(bad)}.`,
      measurements: counts(answersByServer(requests)),
      proof: [bad],
    }
  const stranger = requests.find(request => !Object.hasOwn(expected.shares, request.server ?? ''))
  if (stranger)
    return {
      outcome: 'FAIL',
      reason:
        `${describeRequest(stranger)} came from none of the servers that ${expected.scheduler} shares out to: ` +
        `${Object.keys(expected.shares).join(', ')}.`,
      measurements: counts(answersByServer(requests)),
      proof: [stranger],
    }
  const cycles = expected.cycle === 0 ? 0 : Math.floor(requests.length / expected.cycle)
  if (cycles === 0)
    return inconclusive(
      `${requests.length} requests are not one full cycle of ${expected.scheduler}, which has ${expected.cycle}.`,
      [...requests],
    )
  const counted = requests.slice(0, cycles * expected.cycle)
  const answers = answersByServer(counted)
  const allowed = mayHaveSwapped(requestsOf(history, probe).without(counted), counted) ? 1 : 0
  const off = Object.entries(expected.shares).filter(
    ([server, share]) => Math.abs((answers[server] ?? 0) - share * cycles) > allowed,
  )
  const all = Object.entries(expected.shares)
    .map(([server, share]) => `${server} ${answers[server] ?? 0} (${share * cycles} promised)`)
    .join(', ')
  return {
    outcome: off.length > 0 ? 'FAIL' : 'PASS',
    reason: `${expected.scheduler} over ${cycles} full cycles of ${expected.cycle} requests: ${all}${
      off.length > 0 ? `, which is off${allowed > 0 ? ' by more than 1' : ''}` : ''
    }.`,
    measurements: counts(answers),
    proof: inOrder([counted.at(0), counted.at(-1)]),
  }
}

/** Whether one of the others was on its way together with one of those that are counted, which were sent one after the other. */
const mayHaveSwapped = (others: Requests, counted: Requests): boolean => {
  const first = counted.at(0)?.t ?? 0
  let last = first
  counted.forEach(({ done }) => {
    last = Math.max(last, done)
  })
  return others.some(({ t, done }) => t < last && done > first)
}

/** How many each server answered. */
export const counts = (answers: Record<string, number>): Measurement[] =>
  Object.entries(answers)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([server, value]) => ({ name: `answered by ${server}`, value, unit: 'requests' }))
