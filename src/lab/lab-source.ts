import type { Steps } from '../engine/progress.ts'
import type { LabEvent } from '../history/event.ts'
import type { Topology } from '../topology/types.ts'
import type { Lab } from './lab.ts'
import type { Readiness } from './readiness.ts'

/**
 * Where labs of one topology come from: forks of a saved one on the vm engine, one that is deployed anew each time on an
 * engine that cannot fork.
 */
export interface LabSource {
  /** How many labs can run side by side. */
  parallel: number
  /** Facts for reports, known once it is prepared. */
  facts: () => Record<string, string>
  /** Brings the topology up once; returns the journal of its convergence. @throws NotConverged */
  prepare(
    topology: Topology,
    readiness: Readiness[],
    options: { steps: Steps; signal?: AbortSignal | undefined },
  ): Promise<LabEvent[]>
  /** A converged lab of its own; disposing it removes it. */
  open(name: string, options: { signal?: AbortSignal | undefined; onEvent?: (event: LabEvent) => void }): Promise<Lab>
}
