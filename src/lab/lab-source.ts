import type { Steps } from '../engine/progress.ts'
import type { LabEvent } from '../history/event.ts'
import type { History } from '../history/history.ts'
import type { Topology } from '../topology/types.ts'
import type { Lab } from './lab.ts'
import type { Readiness } from './readiness.ts'

/**
 * Where labs of one topology come from: forks of a saved one on the vm engine, one that is healed between its uses on an
 * engine that cannot fork. Disposing it removes whatever `prepare` left behind, half-made or not.
 */
export interface LabSource extends AsyncDisposable {
  /** How many labs can run side by side, once it is prepared. */
  readonly parallel: number
  /** Facts for reports, known once it is prepared. */
  facts: () => Record<string, string>
  /** Brings the topology up once; returns the history of its convergence. @throws NotConverged */
  prepare(
    topology: Topology,
    readiness: Readiness[],
    options: { steps: Steps; signal?: AbortSignal | undefined },
  ): Promise<History>
  /**
   * A converged lab of its own, {@link LabSource.parallel} at a time at most; it ends when it is disposed. Its history begins with
   * that of the convergence, which `onEvent` is not told again.
   */
  open(name: string, options: { signal?: AbortSignal | undefined; onEvent?: (event: LabEvent) => void }): Promise<Lab>
}
