import { mergeOutcomes } from '../judge/guard.ts'
import type { CheckResult, Outcome, Untested } from '../judge/verdict.ts'
import type { Network, Node } from '../topology/types.ts'

/** Version of the format of `run.json`; raised when a reader of the old one would misread the new one. */
export const REPORT_FORMAT = 1

/** How many checks ended in which way. */
export interface Counts {
  passed: number
  failed: number
  inconclusive: number
}

/** The network that was built, as reports draw it. */
export interface DrawnTopology {
  name: string
  /** The drawing as text, for terminals, and for the page where `networks` and `nodes` are not given. */
  drawing: string
  networks?: Pick<Network, 'name' | 'subnet'>[]
  nodes?: Pick<Node, 'name' | 'role' | 'interfaces' | 'loopback' | 'tunnels'>[]
}

/** A finished run: everything that reports show apart from the journal. */
export interface RunReport {
  format: typeof REPORT_FORMAT
  /** Version of lvslab. */
  lvslab: string
  /** The verb of the command line: `verify`, `test`, `repro`. */
  verb: string
  topology: DrawnTopology
  /** ISO 8601, on the host's clock; never comparable with the times of events. */
  started: string
  /** ms of real time, on the host's clock */
  tookMs: number
  /** Facts of the engine by name: kind, clock, accelerator, kernel, keepalived... */
  engine: Record<string, string>
  /** The command line that runs it again. */
  command: string
  results: CheckResult[]
  untested: Untested[]
  outcome: Outcome
  counts: Counts
}

/** Counts the outcomes of checks. */
export const countOutcomes = (results: readonly { outcome: Outcome }[]): Counts => ({
  passed: results.filter(result => result.outcome === 'PASS').length,
  failed: results.filter(result => result.outcome === 'FAIL').length,
  inconclusive: results.filter(result => result.outcome === 'INCONCLUSIVE').length,
})

/** A report from what a run knows; fills in the format, the outcome and the counts. */
export const createRunReport = (run: Omit<RunReport, 'format' | 'outcome' | 'counts'>): RunReport => ({
  format: REPORT_FORMAT,
  ...run,
  outcome: mergeOutcomes(run.results.map(result => result.outcome)),
  counts: countOutcomes(run.results),
})

/** `6 passed, 1 failed, 0 inconclusive`, and `, 2 untested` where something was not exercised. */
export const summaryLine = ({ counts, untested }: Pick<RunReport, 'counts' | 'untested'>): string => {
  const line = `${counts.passed} passed, ${counts.failed} failed, ${counts.inconclusive} inconclusive`
  return untested.length > 0 ? `${line}, ${untested.length} untested` : line
}
