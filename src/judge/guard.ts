import { eventsOf, lateShare, requestsOf, type Window } from '../history/queries.ts'
import type { LabEvent } from '../history/event.ts'
import type { History } from '../history/history.ts'
import type { Outcome, Verdict } from './verdict.ts'

/**
 * FAIL before INCONCLUSIVE before PASS. Of nothing at all: INCONCLUSIVE, as what was not judged never counts as a pass.
 */
export const mergeOutcomes = (outcomes: Outcome[]): Outcome => {
  if (outcomes.includes('FAIL')) return 'FAIL'
  return outcomes.length === 0 || outcomes.includes('INCONCLUSIVE') ? 'INCONCLUSIVE' : 'PASS'
}

/** Several verdicts as one: the worst outcome with the reasons for it, all measurements, all proof in order of time. */
export const mergeVerdicts = (verdicts: Verdict[]): Verdict => {
  const outcome = mergeOutcomes(verdicts.map(verdict => verdict.outcome))
  const reasons = verdicts.filter(verdict => verdict.outcome === outcome).map(verdict => verdict.reason)
  return {
    outcome,
    reason: reasons.length > 0 ? reasons.join(' ') : 'Nothing was judged.',
    measurements: verdicts.flatMap(verdict => verdict.measurements),
    proof: inOrder(verdicts.flatMap(verdict => verdict.proof)),
  }
}

/** Each event once, in order of time: what `proof` wants. */
export const inOrder = (events: readonly (LabEvent | undefined)[]): LabEvent[] => {
  const once = new Map<unknown, LabEvent>()
  for (const event of events) {
    // a history makes a request's object anew each time
    if (event) once.set(event.kind === 'request' ? `${event.probe} ${event.n} ${event.t}` : event, event)
  }
  return [...once.values()].sort((a, b) => a.t - b.t)
}

/** A verdict for a lab, a probe or a recording that was not fit to tell. */
export const inconclusive = (reason: string, proof: readonly (LabEvent | undefined)[] = []): Verdict => ({
  outcome: 'INCONCLUSIVE',
  reason,
  measurements: [],
  proof: inOrder(proof),
})

/** Above this share of late requests a probe was starved, and so was whatever shares the machine with it. */
const STARVED_ABOVE = 0.01

/**
 * Says that a probe could not keep its rate in a stretch of time; undefined where it could. A probe that holds connections
 * has no requests to look at, so its own count speaks for all of its time.
 */
export const starved = (history: History, probe: string, window?: Partial<Window>): string | undefined => {
  const late = lateShare(history, probe, window)
  if (late <= STARVED_ABOVE) return undefined
  const percent = Number((late * 100).toFixed(1))
  return `The probe ${probe} was starved: ${percent}% of its requests were sent late (at most 1% allowed).`
}

/**
 * Runs a check. What it throws becomes INCONCLUSIVE with the error's message. A recording with gaps cannot show that
 * nothing went wrong, so a PASS on it becomes INCONCLUSIVE; a FAIL stays one, and says that there are gaps. A FAIL in a lab
 * whose probe was starved becomes INCONCLUSIVE: the machine that starved it may have kept keepalived waiting as well.
 *
 * @param timeless what it judges is the same on a machine that is slow
 */
export const guard = (history: History, check: (history: History) => Verdict, timeless = false): Verdict => {
  const verdict = withoutGaps(history, check)
  if (verdict.outcome !== 'FAIL' || timeless) return verdict
  const probes = new Set(eventsOf(history, 'probe').map(event => event.probe))
  return excuse(
    verdict,
    [...probes].map(probe => starved(history, probe)).find(why => why !== undefined),
  )
}

/**
 * Blames the machine for a FAIL, and says of a PASS what it was in spite of.
 *
 * @param hungry what {@link starved} says of a probe
 */
export const excuse = (verdict: Verdict, hungry: string | undefined): Verdict => {
  if (verdict.outcome === 'INCONCLUSIVE' || hungry === undefined) return verdict
  if (verdict.outcome === 'PASS') return { ...verdict, reason: `${verdict.reason} ${hungry}` }
  const reason = `${hungry} So the machine may be to blame, and not the configuration, for this: ${verdict.reason}`
  return { ...verdict, outcome: 'INCONCLUSIVE', reason }
}

const withoutGaps = (history: History, check: (history: History) => Verdict): Verdict => {
  let verdict: Verdict
  try {
    verdict = check(history)
  } catch (error) {
    return inconclusive(`The check itself failed: ${error instanceof Error ? error.message : String(error)}`)
  }
  const troubles = eventsOf(history, 'trouble')
  const gaps = [...troubles.map(event => (event.node ? `${event.node}: ${event.what}` : event.what)), ...lost(history)]
  if (gaps.length === 0 || verdict.outcome === 'INCONCLUSIVE') return verdict
  const what = [...new Set(gaps)].join('; ')
  return {
    ...verdict,
    outcome: verdict.outcome === 'PASS' ? 'INCONCLUSIVE' : verdict.outcome,
    reason: `${verdict.reason} The recording has gaps (${what}).`,
    proof: inOrder([...verdict.proof, ...troubles]),
  }
}

/** Probes that sent more requests than the journal has: what those met is not known. */
const lost = (history: History): string[] => {
  // a name may be used again, when its probe has ended
  const all = new Map<string, number>()
  for (const { probe, phase, type, sent = 0 } of eventsOf(history, 'probe'))
    if (phase === 'stop' && type !== 'tcp') all.set(probe, (all.get(probe) ?? 0) + sent)
  return [...all].flatMap(([probe, sent]) => {
    const recorded = requestsOf(history, probe).length
    return recorded < sent ? [`of ${sent} requests of the probe ${probe} only ${recorded} were recorded`] : []
  })
}
