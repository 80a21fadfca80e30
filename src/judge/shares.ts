import type { LabEvent, RequestEvent } from '../history/event.ts'
import { requestsOf, type Window } from '../history/queries.ts'
import type { CycleShares } from '../model/shares.ts'
import { inconclusive, inOrder, starved } from './guard.ts'
import type { Measurement, Verdict } from './verdict.ts'
import { describeRequest } from './words.ts'

export interface SharesParams {
  probe: string
  /** Stretch of the lab's clock in which the servers did not change. */
  window: Window
  expected: CycleShares
}

/**
 * The answers are shared out as the scheduler promises. Counted over as many full cycles as there are, as only those
 * are exact; the order inside a cycle is not judged. One request more or less is allowed for each server, as two
 * requests on their way at the same time may arrive in the other order.
 */
export const checkShares = (events: LabEvent[], params: SharesParams): Verdict => {
  const { probe, window, expected } = params
  const requests = requestsOf(events, probe, window)
  // before anything else: what times out in a starved probe is no evidence against the lab
  const hungry = starved(events, probe, window)
  if (hungry) return inconclusive(hungry)
  const failed = requests.filter(request => request.outcome !== 'answered')
  const [bad] = failed
  if (bad)
    return {
      outcome: 'FAIL',
      reason: `${failed.length} of ${requests.length} requests failed, the first was ${describeRequest(bad)}.`,
      measurements: counts(requests),
      proof: [bad],
    }
  const stranger = requests.find(request => !Object.hasOwn(expected.shares, request.server ?? ''))
  if (stranger)
    return {
      outcome: 'FAIL',
      reason:
        `${describeRequest(stranger)} came from none of the servers that ${expected.scheduler} shares out to: ` +
        `${Object.keys(expected.shares).join(', ')}.`,
      measurements: counts(requests),
      proof: [stranger],
    }
  const cycles = expected.cycle === 0 ? 0 : Math.floor(requests.length / expected.cycle)
  if (cycles === 0)
    return inconclusive(
      `${requests.length} requests are not one full cycle of ${expected.scheduler}, which has ${expected.cycle}.`,
      requests,
    )
  const counted = requests.slice(0, cycles * expected.cycle)
  const off = Object.entries(expected.shares).filter(
    ([server, share]) => Math.abs(answersOf(counted, server) - share * cycles) > 1,
  )
  const all = Object.entries(expected.shares)
    .map(([server, share]) => `${server} ${answersOf(counted, server)} (${share * cycles} promised)`)
    .join(', ')
  return {
    outcome: off.length > 0 ? 'FAIL' : 'PASS',
    reason: `${expected.scheduler} over ${cycles} full cycles of ${expected.cycle} requests: ${all}${
      off.length > 0 ? ', which is off by more than 1' : ''
    }.`,
    measurements: counts(counted),
    proof: inOrder([counted[0], counted.at(-1)]),
  }
}

const answersOf = (requests: RequestEvent[], server: string): number =>
  requests.filter(request => request.server === server).length

const counts = (requests: RequestEvent[]): Measurement[] => {
  const servers = [
    ...new Set(requests.flatMap(request => (request.outcome === 'answered' ? [request.server ?? '?'] : []))),
  ]
  return servers.sort().map(server => ({
    name: `answered by ${server}`,
    value: requests.filter(request => request.outcome === 'answered' && (request.server ?? '?') === server).length,
    unit: 'requests',
  }))
}
