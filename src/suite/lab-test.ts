import path from 'node:path'
import { expect, inject, test } from 'vitest'
import type { LabEvent } from '../history/event.ts'
import { type Journal, openJournal } from '../history/journal.ts'
import { createMasker, maskDeep } from '../history/mask.ts'
import { guard } from '../judge/guard.ts'
import type { Lab } from '../lab/lab.ts'
import type { LabSource } from '../lab/lab-source.ts'
import { vmSource } from '../lab/vm-source.ts'
import { loadTopology } from '../topology/load.ts'
import { type Plan, planTopology } from '../verify/plan.ts'
import type { PlannedCheck } from '../verify/scenario.ts'

/** A saved lab of a topology, made once for a worker. */
interface Prepared {
  plan: Plan
  source: LabSource
}

const prepared = new Map<string, Promise<Prepared>>()

const prepare = async (dir: string, signal: AbortSignal): Promise<Prepared> => {
  const plan = planTopology(loadTopology(dir))
  const source = vmSource(inject('clock'))
  // the test runner shows what a worker writes to standard error
  const steps = {
    step: async <T>(title: string, run: (progress: (what: string) => void) => Promise<T>): Promise<T> => {
      process.stderr.write(`${plan.topology.name}: ${title}\n`)
      return run(() => {})
    },
  }
  await source.prepare(plan.topology, plan.readiness, { steps, signal })
  return { plan, source }
}

/**
 * `test` of a suite on one topology: each test that asks for `lab` gets a fork of its own, ended after it; `plan` is what the
 * configuration promises; `judge` runs a check on what the test recorded, puts it into the run's report, and fails the test
 * unless it passes.
 *
 * @param dir folder with topology.yaml
 */
export const labTest = (dir: string) =>
  test
    .extend('prepared', { scope: 'file' }, async () => {
      const over = new AbortController()
      const ready = prepared.get(dir) ?? prepare(dir, over.signal)
      prepared.set(dir, ready)
      return ready
    })
    .extend('plan', { scope: 'file' }, ({ prepared }: { prepared: Prepared }) => prepared.plan)
    .extend('journal', { scope: 'file' }, async ({ prepared }, { onCleanup }): Promise<Journal> => {
      const file = path.join(inject('runDir'), 'journals', `${process.pid}.ndjson`)
      const journal = await openJournal(file, createMasker(prepared.plan.secrets))
      onCleanup(() => journal.close())
      return journal
    })
    .extend('lab', async ({ prepared, journal, task, signal }, { onCleanup }): Promise<Lab> => {
      const name = `${task.file.name.replace(/^.*\//, '').replace(/\.test\.ts$/, '')}: ${task.name}`
      const onEvent = (event: LabEvent): void => void journal.write({ ...event, lab: name }).catch(() => {}) // close() throws what went wrong
      const lab = await prepared.source.open(name, { signal, onEvent })
      onCleanup(() => lab[Symbol.asyncDispose]())
      return lab
    })
    .extend('judge', ({ prepared, lab, task }) => {
      const started = performance.now()
      return (planned: PlannedCheck): void => {
        const verdict = guard(lab.history, planned.judge)
        const tookMs = performance.now() - started
        const result = { ...verdict, check: planned.check, title: planned.title, lab: lab.name, tookMs }
        task.meta.checks = [...(task.meta.checks ?? []), maskDeep(result, createMasker(prepared.plan.secrets))]
        expect(`${verdict.outcome}: ${verdict.reason}`, planned.title).toMatch(/^PASS/)
      }
    })
