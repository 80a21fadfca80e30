import type { LabEvent, RequestEvent } from '../history/event.ts'
import { requestsOf, type Window } from '../history/queries.ts'
import { chiSquare } from './chi-square.ts'
import { inconclusive, inOrder, starved } from './guard.ts'
import type { Verdict } from './verdict.ts'
import { describeRequest } from './words.ts'

export interface SpreadParams {
  probe: string
  /** Stretch of the lab's clock in which the servers did not change. */
  window: Window
  expected: {
    scheduler: string
    /** What each server gets, in proportion to the others: weights, or shares of 1. */
    shares: Record<string, number>
    /** Where the proportions come from. */
    source: string
  }
  /** What is drawn: of a hashed or persistent service a source is drawn once, whatever it sends; default `request`. */
  per?: 'request' | 'source'
  /** Chance that a scheduler that keeps its promise fails; default 0.001. */
  significance?: number
}

/** Pearson's test is an approximation that needs so many expected in each class (Cochran 1954). */
const LEAST_EXPECTED = 5

/**
 * A random or hashing scheduler (twos, sh, dh, mh, lblc) spreads as it promises: chi-square goodness of fit of the answers,
 * or of the distinct sources, against the expected proportions.
 */
export const checkSpread = (events: LabEvent[], params: SpreadParams): Verdict => {
  const { probe, window, expected, per = 'request', significance = 0.001 } = params
  const requests = requestsOf(events, probe, window)
  const hungry = starved(events, probe, window)
  if (hungry) return inconclusive(hungry)
  const failed = requests.filter(request => request.outcome !== 'answered')
  if (failed.length > 0)
    return fail(`${failed.length} of ${requests.length} requests failed, the first was ${nameOf(failed)}.`, failed)
  const servers = Object.keys(expected.shares).filter(server => (expected.shares[server] ?? 0) > 0)
  const strangers = requests.filter(request => !servers.includes(request.server ?? ''))
  if (strangers.length > 0)
    return fail(
      `${nameOf(strangers)} came from none of the servers that ${expected.scheduler} spreads to: ${servers.join(', ')}.`,
      strangers,
    )
  const drawn = per === 'source' ? firstOfEach(requests) : requests
  const elsewhere = per === 'source' && requests.find(request => request.server !== serverOf(drawn, request.source))
  if (elsewhere)
    return fail(
      `${elsewhere.source} was served by ${serverOf(drawn, elsewhere.source)} first, but ${describeRequest(elsewhere)}: ` +
        `${expected.scheduler} must keep a source at one server.`,
      [drawn.find(one => one.source === elsewhere.source), elsewhere],
    )

  const what = per === 'source' ? 'sources' : 'requests'
  const total = servers.reduce((sum, server) => sum + (expected.shares[server] ?? 0), 0)
  const promised = servers.map(server => ((expected.shares[server] ?? 0) / total) * drawn.length)
  const least = Math.min(...promised)
  if (least < LEAST_EXPECTED)
    return inconclusive(
      `${drawn.length} ${what} are too few to judge the spread of ${expected.scheduler}: ` +
        `a server expects only ${rounded(Number.isFinite(least) ? least : 0)} of them (at least ${LEAST_EXPECTED} needed).`,
      requests.slice(0, 1),
    )

  const seen = servers.map(server => drawn.filter(request => request.server === server).length)
  const { statistic, degrees, critical, p } = chiSquare(seen, promised, significance)
  const off = statistic > critical
  const all = servers.map((server, i) => `${server} ${seen[i]} (${rounded(promised[i] ?? 0)} expected)`).join(', ')
  return {
    outcome: off ? 'FAIL' : 'PASS',
    reason:
      `${expected.scheduler} over ${drawn.length} ${what}: ${all}${off ? ', which chance does not explain' : ''} ` +
      `(chi-square ${rounded(statistic)}, at most ${rounded(critical)} allowed: the ${1 - significance} quantile ` +
      `with ${degrees} degrees of freedom; p = ${rounded(p)}).`,
    measurements: [
      ...servers.map((server, i) => ({
        name: per === 'source' ? `sources at ${server}` : `answered by ${server}`,
        value: seen[i] ?? 0,
        unit: per === 'source' ? ('' as const) : ('requests' as const),
      })),
      { name: 'chi-square', value: statistic, unit: '' },
      { name: 'degrees of freedom', value: degrees, unit: '' },
      { name: 'p-value', value: p, unit: '' },
    ],
    proof: inOrder([requests[0], requests.at(-1)]),
  }
}

const fail = (reason: string, proof: (RequestEvent | undefined)[]): Verdict => ({
  outcome: 'FAIL',
  reason,
  measurements: [],
  proof: inOrder(proof.slice(0, 2)),
})

const nameOf = ([first]: RequestEvent[]): string => (first ? describeRequest(first) : 'none')

const firstOfEach = (requests: RequestEvent[]): RequestEvent[] => [
  ...new Map(requests.toReversed().map(request => [request.source, request])).values(),
]

const serverOf = (drawn: RequestEvent[], source: string): string | undefined =>
  drawn.find(request => request.source === source)?.server

/** Three digits: `0.000123`, `13.8`, `1500`. */
const rounded = (value: number): number => (value >= 100 ? Math.round(value) : Number(value.toPrecision(3)))
