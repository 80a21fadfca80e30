import type { CheckResult } from '../judge/verdict.ts'
import type { SavedCheck } from '../verify/saved-checks.ts'

/** A test that states no lab time takes no more; one that takes longer runs on the virtual clock, or with `--long`. s */
export const LONG_S = 120

/** What the command line hands to suites, and what they hand back. */
declare module 'vitest' {
  interface ProvidedContext {
    /** Folder of the run's reports. */
    runDir: string
    clock: 'real' | 'virtual' | 'default'
    /** Also runs, on the real clock, what takes longer there than {@link LONG_S}. */
    long: boolean
  }
  interface TaskMeta {
    /** Lab time that a test, or each test of a file, takes at most, s; {@link LONG_S} where none is stated. */
    labTime?: number
    /** What the test judged, for the run's report and for judging it again; masked. */
    checks?: { result: CheckResult; saved: SavedCheck }[]
  }
}
