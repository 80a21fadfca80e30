import type { RequestEvent } from '../history/event.ts'
import type { History } from '../history/history.ts'
import { answersByServer, requestsOf, type Window } from '../history/queries.ts'
import { chiSquare } from './chi-square.ts'
import { excuse, inconclusive, inOrder, starved } from './guard.ts'
import type { Verdict } from './verdict.ts'
import { describeRequest } from './words.ts'

export interface SpreadParams {
  probe: string
  /** Stretch of the lab's clock in which the servers did not change. */
  window: Partial<Window>
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
 * or of the distinct sources, against the expected proportions. What is wrong in a starved probe is no evidence.
 */
export const checkSpread = (history: History, params: SpreadParams): Verdict =>
  excuse(judgeSpread(history, params), starved(history, params.probe, params.window))

const judgeSpread = (history: History, params: SpreadParams): Verdict => {
  const { probe, window, expected, per = 'request', significance = 0.001 } = params
  const requests = requestsOf(history, probe, window)
  const failed = requests.filter(request => request.outcome !== 'answered')
  const bad = failed.at(0)
  if (bad)
    return fail(`${failed.length} of ${requests.length} requests failed, the first was ${describeRequest(bad)}.`, [bad])
  const servers = Object.keys(expected.shares).filter(server => (expected.shares[server] ?? 0) > 0)
  const stranger = requests.find(request => !servers.includes(request.server ?? ''))
  if (stranger)
    return fail(
      `${describeRequest(stranger)} came from none of the servers that ${expected.scheduler} spreads to: ` +
        `${servers.join(', ')}.`,
      [stranger],
    )
  const first = new Map<string, RequestEvent>()
  if (per === 'source') {
    for (const request of requests) {
      const before = first.get(request.source)
      if (!before) first.set(request.source, request)
      else if (before.server !== request.server)
        return fail(
          `${expected.scheduler} must keep ${request.source} at one server, but after ${describeRequest(before)} came ` +
            `${describeRequest(request)}.`,
          [before, request],
        )
    }
  }
  const uncounted = new Set(first.keys())
  const answers = answersByServer(
    per === 'source' ? requests.filter(({ source }) => uncounted.delete(source)) : requests,
  )
  const drawn = Object.values(answers).reduce((sum, count) => sum + count, 0)

  const what = per === 'source' ? 'sources' : 'requests'
  const total = servers.reduce((sum, server) => sum + (expected.shares[server] ?? 0), 0)
  const promised = servers.map(server => ((expected.shares[server] ?? 0) / total) * drawn)
  const least = Math.min(...promised)
  if (least < LEAST_EXPECTED)
    return inconclusive(
      `${drawn} ${what} are too few to judge the spread of ${expected.scheduler}: ` +
        `a server expects only ${rounded(Number.isFinite(least) ? least : 0)} of them (at least ${LEAST_EXPECTED} needed).`,
      [requests.at(0)],
    )

  const seen = servers.map(server => answers[server] ?? 0)
  const { statistic, degrees, critical, p } = chiSquare(seen, promised, significance)
  const off = statistic > critical
  const all = servers.map((server, i) => `${server} ${seen[i]} (${rounded(promised[i] ?? 0)} expected)`).join(', ')
  return {
    outcome: off ? 'FAIL' : 'PASS',
    reason:
      `${expected.scheduler} over ${drawn} ${what}: ${all}${off ? ', which chance does not explain' : ''} ` +
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
    proof: inOrder([requests.at(0), requests.at(-1)]),
  }
}

const fail = (reason: string, proof: RequestEvent[]): Verdict => ({ outcome: 'FAIL', reason, measurements: [], proof })

/** Three digits: `0.000123`, `13.8`, `1500`. */
const rounded = (value: number): number => (value >= 100 ? Math.round(value) : Number(value.toPrecision(3)))
