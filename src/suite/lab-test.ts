import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { inject, test } from 'vitest'
import { LvslabError } from '../errors.ts'
import type { LabEvent } from '../history/event.ts'
import { type Journal, openJournal } from '../history/journal.ts'
import type { History } from '../history/history.ts'
import { createMasker } from '../history/mask.ts'
import type { PlannedCheck } from '../judge/rules.ts'
import type { Lab } from '../lab/lab.ts'
import type { LabSource } from '../lab/lab-source.ts'
import { vmSource } from '../lab/vm-source.ts'
import { type KeepalivedRelease, OWN_KEEPALIVED } from '../model/keepalived.ts'
import type { VrrpInstance } from '../model/types.ts'
import { withKeepalived } from '../topology/keepalived.ts'
import { loadTopology } from '../topology/load.ts'
import { type Plan, type PlannedVip, planTopology } from '../verify/plan.ts'
import { expectCheck } from './matchers.ts'
import { LONG_S } from './provided.ts'
import { recordFor } from './record.ts'

/** A saved lab of a topology, made once for a worker. */
interface Prepared {
  plan: Plan
  source: LabSource
  convergence: History
}

const prepared = new Map<string, Promise<Prepared>>()

/** How a suite's labs differ from those of all others. */
export interface LabTestOptions {
  /** What its directors run. */
  keepalived?: KeepalivedRelease
  /** Why its labs run on the real clock, whatever clock was asked for: something outside of the lab takes part. */
  realClock?: string
}

const prepare = async (dir: string, options: Required<LabTestOptions>, signal: AbortSignal): Promise<Prepared> => {
  const plan = planTopology(withKeepalived(loadTopology(dir), options.keepalived))
  const source = vmSource(options.realClock ? 'real' : inject('clock'))
  // the test runner shows what a worker writes to standard error
  const steps = {
    step: async <T>(title: string, run: (progress: (what: string) => void) => Promise<T>): Promise<T> => {
      process.stderr.write(`${plan.topology.name}: ${title}\n`)
      return run(() => {})
    },
  }
  const convergence = await source.prepare(plan.topology, plan.readiness, { steps, signal })
  return { plan, source, convergence }
}

/** The first VIP of a topology, which two directors may hold. */
interface PairVip extends PlannedVip {
  /** As the expected MASTER is configured, and who backs it up. */
  master: VrrpInstance
  backup: VrrpInstance
}

const pairVip = ({ vips: [vip], topology }: Plan): PairVip => {
  const [master, backup] = vip?.members ?? []
  if (vip && master && backup) return { ...vip, master: master.instance, backup: backup.instance }
  throw new LvslabError('SUITE_NO_PAIR', `${topology.name} has no VIP that two directors may hold`, {
    remedy: 'leave the fixture `vip` out, or give a second director the same VIP',
    exitCode: 2,
  })
}

/** Convergences that the journal of this worker has. */
const journaled = new Set<string>()

/** `keepalived-dr`, of `suites/keepalived-dr.test.ts`. */
const suiteOf = (file: string): string => path.basename(file).replace(/\.test\.ts$/, '')

/**
 * Making a lab is no part of the first test that has it: on an empty cache an engine is built first, and packages are installed in
 * it. By the clock, for what hangs; ms
 */
const MAKING_DEADLINE_MS = 1_800_000

/** A test that ends with a fault still injected is told so; a fault that cannot be healed fails it. */
const healed = async (lab: Lab, name: string, signal: AbortSignal): Promise<void> => {
  const open = lab.faults.open()
  if (open.length === 0 || signal.aborted) return
  process.stderr.write(`${name}: ended with ${open.join(', ')} still injected; it is healed now\n`)
  const late = sleep(HEAL_DEADLINE_MS, 'late', { ref: false })
  if ((await Promise.race([lab.faults.healAll(), late])) !== 'late') return
  throw new LvslabError(
    'SUITE_NOT_HEALED',
    `${name}: ${open.join(', ')} was not healed within ${HEAL_DEADLINE_MS / 1000} s`,
    {
      remedy: 'heal it in the test: const heal = await lab.inject(...); await heal()',
      exitCode: 3,
    },
  )
}

/** A test's own deadline does not hold for what comes after it; each heal has one of lab time, some seconds. By the clock, ms */
const HEAL_DEADLINE_MS = 180_000

/** @throws LvslabError SUITE_LAB_TIME where a test took longer than it states: on a real clock somebody would wait for it */
const keptTo = (labTime: number, lab: Lab, name: string): void => {
  const took = lab.history.end - lab.origin
  if (took <= labTime * 1000) return
  const seconds = Math.ceil(took / 1000)
  throw new LvslabError('SUITE_LAB_TIME', `${name} took ${seconds} s of lab time, and states ${labTime} s`, {
    remedy: `test('...', { meta: { labTime: ${Math.ceil(seconds / 60) * 60} } }, async ({ lab }) => ...)`,
    exitCode: 2,
  })
}

/**
 * `test` of a suite on one topology: each test that asks for `lab` gets a fork of its own, ended after it; `plan` is what the
 * configuration promises, `vip` its first VIP. What is judged on `lab.history` goes into the run's report: by `expect(lab.history)` and a matcher of
 * `matchers.ts`, or by `judge` with a check of the plan, which fails the test unless it passes.
 *
 * @param dir folder with topology.yaml
 */
export const labTest = (dir: string, { keepalived = OWN_KEEPALIVED, realClock = '' }: LabTestOptions = {}) => {
  const labs = test
    .extend('prepared', { scope: 'file' }, async () => {
      const over = new AbortController()
      const key = `${dir} ${keepalived} ${realClock}`
      const ready = prepared.get(key) ?? prepare(dir, { keepalived, realClock }, over.signal)
      prepared.set(key, ready)
      return ready
    })
    .extend('plan', { scope: 'file' }, ({ prepared }: { prepared: Prepared }) => prepared.plan)
    .extend('vip', { scope: 'file' }, ({ plan }: { plan: Plan }) => pairVip(plan))
    .extend('journal', { scope: 'file' }, async ({ prepared }, { onCleanup }): Promise<Journal> => {
      const file = path.join(inject('runDir'), 'journals', `${process.pid}.ndjson`)
      const journal = await openJournal(file, createMasker(prepared.plan.secrets))
      onCleanup(() => journal.close())
      return journal
    })
    .extend('lab', async ({ prepared, journal, task, signal, skip }, { onCleanup }): Promise<Lab> => {
      const { plan, source, convergence } = prepared
      const virtual = source.facts()['clock'] === 'virtual'
      const { labTime = LONG_S } = task.meta
      if (!virtual && labTime > LONG_S && !inject('long'))
        skip(`it takes ${labTime} s of lab time: on the virtual clock, or with --long`)
      const suite = suiteOf(task.file.name)
      const name = `${suite}: ${task.fullTestName}` // two tests may have the same name of their own
      const other = keepalived === OWN_KEEPALIVED ? '' : ` with keepalived ${keepalived}`
      const forkOf = `${suite}: convergence of ${plan.topology.name}${other}`
      if (!journaled.has(forkOf)) for (const event of convergence) void journal.write({ ...event, lab: forkOf })
      journaled.add(forkOf)
      const onEvent = (event: LabEvent): void => void journal.write({ ...event, lab: name }).catch(() => {}) // close() throws what went wrong
      const started = performance.now()
      const lab = await source.open(name, { signal, onEvent })
      onCleanup(async () => {
        await using _lab = lab
        await healed(lab, name, signal)
        if (virtual) keptTo(labTime, lab, name)
      })
      recordFor(lab.history, { lab: name, forkOf, started, meta: task.meta, mask: createMasker(plan.secrets) })
      return lab
    })
    .extend(
      'judge',
      ({ lab }: { lab: Lab }) =>
        (planned: PlannedCheck): void =>
          expectCheck(lab.history, planned),
    )
  labs.beforeAll(({ prepared }) => void prepared, MAKING_DEADLINE_MS)
  return labs
}
