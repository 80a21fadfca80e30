import type { PlannedCheck } from '../judge/rules.ts'
import type { Lab } from '../lab/lab.ts'
import { seconds } from '../model/bound.ts'

/** What is done to one fork of the lab, and the promises that are judged on it. Driving and judging share no state. */
export interface Scenario {
  /** Unique in a plan: `failover-crash-10.0.0.100`. */
  name: string
  /** How long it waits while nothing happens, where that is long; ms of lab time. */
  waitsMs?: number
  drive: (lab: Lab) => Promise<void>
  checks: PlannedCheck[]
}

/**
 * The probe of a scenario that measures what clients see, requests/s: one each 50 ms. Bounds are parts of seconds to seconds; an
 * emulated machine pays 12 ms of processor time for each request, and on the real clock a faster probe would starve it.
 */
export const PROBE_RATE = 20

/** The probe of a scenario in which nothing is to happen to clients, for as long as it may take, requests/s. */
export const WATCH_RATE = 10

/** HTTPS has an emulated machine pay four to five times as much for a request (`npm run bench -- probes`), requests/s. */
const HTTPS_RATE = 5

/** How often a service is asked where a rate is wanted, requests/s. */
export const paced = ({ url }: { url: string }, rate: number): number =>
  url.startsWith('https:') ? Math.min(rate, HTTPS_RATE) : rate

/**
 * What the lab's own machine may add to any time, ms: processes are started, scheduled and emulated. A probe that was
 * starved says so by itself and makes the check inconclusive.
 */
export const SLACK_MS = 100

/** Waits inside the lab are this much longer than what is waited for may take, ms: the judge, not the wait, decides. */
export const PATIENCE_MS = 2_000

/** On the real clock, nobody is made to wait for longer while nothing happens, ms. */
const REAL_WAIT_MS = 120_000

/** Why a scenario is not driven on a clock, as the facts of a lab's source name it; undefined where it is. */
export const waitsTooLong = ({ waitsMs = 0 }: Scenario, clock: string | undefined): string | undefined =>
  clock !== 'virtual' && waitsMs > REAL_WAIT_MS
    ? `it waits for ${seconds(waitsMs)} in which nothing happens: only the virtual clock leaps over them`
    : undefined
