import { appendFileSync, mkdirSync } from 'node:fs'
import path from 'node:path'
import { expect, inject, test } from 'vitest'
import type { LabEvent } from '../history/event.ts'
import { createMasker, maskDeep } from '../history/mask.ts'
import { guard } from '../judge/guard.ts'
import type { Lab } from '../lab/lab.ts'
import type { LabSource } from '../lab/lab-source.ts'
import { vmSource } from '../lab/vm-source.ts'
import { loadTopology } from '../topology/load.ts'
import { type Plan, planTopology } from '../verify/plan.ts'
import type { PlannedCheck } from '../verify/scenario.ts'

/** A saved lab of a topology and the journal of its convergence, made once for a worker. */
interface Prepared {
  plan: Plan
  source: LabSource
  before: LabEvent[]
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
  return { plan, source, before: await source.prepare(plan.topology, plan.readiness, { steps, signal }) }
}

/** A test that ends with a fault still injected is told so; a fault that cannot be healed fails it. */
const healed = async (lab: Lab, name: string, signal: AbortSignal): Promise<void> => {
  const open = lab.faults.open()
  if (open.length === 0 || signal.aborted) return
  process.stderr.write(`${name}: ended with ${open.join(', ')} still injected; it is healed now\n`)
  await lab.faults.healAll()
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
    .extend('lab', async ({ prepared, task, signal }, { onCleanup }): Promise<Lab> => {
      const name = `${task.file.name.replace(/^.*\//, '').replace(/\.test\.ts$/, '')}: ${task.name}`
      const journal = path.join(inject('runDir'), 'journals', `${process.pid}.ndjson`)
      mkdirSync(path.dirname(journal), { recursive: true })
      const mask = createMasker(prepared.plan.secrets)
      const onEvent = (event: LabEvent): void =>
        appendFileSync(journal, `${JSON.stringify(maskDeep({ ...event, lab: name }, mask))}\n`)
      const lab = await prepared.source.open(name, { signal, onEvent })
      onCleanup(async () => {
        await using _lab = lab
        await healed(lab, name, signal)
      })
      return lab
    })
    .extend('judge', ({ prepared, lab, task }) => {
      const started = performance.now()
      return (planned: PlannedCheck): void => {
        const verdict = guard([...prepared.before, ...lab.events], planned.judge)
        const tookMs = performance.now() - started
        const result = { ...verdict, check: planned.check, title: planned.title, lab: lab.name, tookMs }
        task.meta.checks = [...(task.meta.checks ?? []), maskDeep(result, createMasker(prepared.plan.secrets))]
        expect(`${verdict.outcome}: ${verdict.reason}`, planned.title).toMatch(/^PASS/)
      }
    })
