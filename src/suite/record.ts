import type { TaskMeta } from 'vitest'
import type { History } from '../history/history.ts'
import { type Masker, maskDeep } from '../history/mask.ts'
import { judge, type PlannedCheck } from '../judge/rules.ts'
import type { Verdict } from '../judge/verdict.ts'

/** The test that a history belongs to. */
interface Recording {
  /** Names in the journal of the test's lab, and of the lab that it is a fork of. */
  lab: string
  forkOf: string
  /** `performance.now()` when the test got its lab. */
  started: number
  meta: TaskMeta
  mask: Masker
}

const recordings = new WeakMap<History, Recording>()

/** From now on what is judged on this history goes into the run's report. */
export const recordFor = (history: History, recording: Recording): void => void recordings.set(history, recording)

/** Judges a check on a history; where it is that of a test's lab, the run's report has the verdict. */
export const judgeAndRecord = (history: History, planned: PlannedCheck): Verdict => {
  const verdict = judge(history, planned)
  const recording = recordings.get(history)
  if (recording) {
    const { lab, forkOf, started, meta, mask } = recording
    const { check, title } = planned
    const result = { ...verdict, check, title, lab, tookMs: performance.now() - started }
    meta.checks = [
      ...(meta.checks ?? []),
      maskDeep({ result, saved: { ...planned, lab, forkOf, events: history.size } }, mask),
    ]
  }
  return verdict
}
