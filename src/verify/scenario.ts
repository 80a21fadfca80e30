import type { PlannedCheck } from '../judge/rules.ts'
import type { Lab } from '../lab/lab.ts'

/** What is done to one fork of the lab, and the promises that are judged on it. Driving and judging share no state. */
export interface Scenario {
  name: string
  drive: (lab: Lab) => Promise<void>
  checks: PlannedCheck[]
}

/** Open-loop probe of a scenario that measures what clients see of a failover, requests/s: one each 20 ms. */
export const PROBE_RATE = 50

/** The probe of a scenario whose times come from health checks, seconds apart: one each 40 ms. */
export const SLOW_PROBE_RATE = 25

/** ms from one request of the probe to the next */
export const PROBE_STEP_MS = 1000 / PROBE_RATE

/**
 * What the lab's own machine may add to any time, ms: processes are started, scheduled and emulated. A probe that was
 * starved says so by itself and makes the check inconclusive.
 */
export const SLACK_MS = 100

/** Waits inside the lab are this much longer than what is waited for may take, ms: the judge, not the wait, decides. */
export const PATIENCE_MS = 2_000

/** Requests before a fault: clients are served, and the gap has a beginning. ms */
export const BEFORE_MS = 1_000

/** Requests after the last change: whoever answers now goes on doing so. ms */
export const AFTER_MS = 1_000
