import type { CheckResult } from '../judge/verdict.ts'
import type { SavedCheck } from '../verify/saved-checks.ts'

/** What the command line hands to suites, and what they hand back. */
declare module 'vitest' {
  interface ProvidedContext {
    /** Folder of the run's reports. */
    runDir: string
    clock: 'real' | 'virtual' | 'default'
  }
  interface TaskMeta {
    /** What the test judged, for the run's report and for judging it again; masked. */
    checks?: { result: CheckResult; saved: SavedCheck }[]
  }
}
