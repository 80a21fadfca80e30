import type { LabEvent } from '../history/event.ts'
import type { Bound } from '../model/types.ts'

/** INCONCLUSIVE never counts as a pass: the lab or the probe was not fit to tell. */
export type Outcome = 'PASS' | 'FAIL' | 'INCONCLUSIVE'

/** One number that was measured, beside the bound that it must keep where there is one. */
export interface Measurement {
  name: string
  value: number
  unit: 'ms' | 'requests' | 'requests/s' | 'connections' | ''
  bound?: Bound
  /** The operator's own limit for it, ms, and where that was set: `topology.yaml:12`. */
  limit?: { maxMs: number; at: string }
}

/** What a check says, and what it says it from. */
export interface Verdict {
  outcome: Outcome
  /** One or two sentences for an operator: what was promised, what was seen, and the cause where it is known. */
  reason: string
  measurements: Measurement[]
  /** The events that prove it, in order of time; the few that a reader needs, not all. */
  proof: LabEvent[]
}

/** A verdict with the check that it belongs to, as reports show it. */
export interface CheckResult extends Verdict {
  /** Stable, kebab-case: `failover-crash`. */
  check: string
  /** What the configuration promises: `d2 takes over the VIP 10.0.0.100 after keepalived crashes on d1`. */
  title: string
  /** Lab (fork) whose events it was judged on; the journal's `lab` field. */
  lab: string
  /** Real time that the check took on the host, ms: for people who wait, never judged. */
  tookMs: number
}

/** Something that the configuration promises and this run did not exercise. It never counts as a pass. */
export interface Untested {
  what: string
  why: string
}
