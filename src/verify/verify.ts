import path from 'node:path'
import type { Steps } from '../engine/progress.ts'
import { LvslabError, messageOf } from '../errors.ts'
import type { LabEvent } from '../history/event.ts'
import type { History } from '../history/history.ts'
import { type Journal, openJournal } from '../history/journal.ts'
import { makeFolder } from '../history/make-folder.ts'
import { createMasker } from '../history/mask.ts'
import { inconclusive } from '../judge/guard.ts'
import { judge, type PlannedCheck } from '../judge/rules.ts'
import type { CheckResult, Untested } from '../judge/verdict.ts'
import type { LabSource } from '../lab/lab-source.ts'
import { NotConverged } from '../lab/readiness.ts'
import { agendaOf, type Choice, CONVERGENCE } from './agenda.ts'
import { createBudget } from './budget.ts'
import { notReady } from './not-ready.ts'
import { startOrder } from './order.ts'
import type { Plan } from './plan.ts'
import { JOURNAL_FILE, type SavedCheck, writeChecks } from './saved-checks.ts'
import { type Scenario, waitsTooLong } from './scenario.ts'
import { isLarge } from './scenarios/large.ts'
import { unsettled, unsettledBy } from './unsettled.ts'

export interface VerifyOptions {
  /** Folder of this run; it is made. */
  dir: string
  steps: Steps
  signal?: AbortSignal | undefined
  choice?: Choice | undefined
  /** Host time that the scenarios may take, with all that was done since `startedMs` on the clock of `performance.now()`. */
  budget?: { limitMs: number; startedMs: number; name: string } | undefined
}

/** What a verification found, before it is made into reports. */
export interface VerifyOutcome {
  results: CheckResult[]
  /** Path of the journal, masked. */
  journal: string
  /** How many scenarios did not fit into the budget; their checks are among what is untested. */
  leftOut: number
}

/**
 * Brings the lab up, runs every scenario that follows from the plan on a fork of its own, and judges what was recorded. A
 * scenario that could not be driven makes its checks inconclusive; it stops no other.
 */
export const verify = async (plan: Plan, source: LabSource, options: VerifyOptions): Promise<VerifyOutcome> => {
  const { dir, steps, signal, budget } = options
  const { convergence, scenarios: inOrder } = agendaOf(plan, options.choice)
  const scenarios = startOrder(inOrder, { budgeted: budget !== undefined, large: isLarge(plan) })
  try {
    await makeFolder(dir)
  } catch (cause) {
    const remedy = 'name a folder that can be written with --reports'
    throw new LvslabError('REPORT_WRITE', `cannot make ${dir}: ${messageOf(cause)}`, { remedy, exitCode: 2, cause })
  }
  const journalPath = path.join(dir, JOURNAL_FILE)
  const mask = createMasker(plan.secrets)
  await using journal = await openJournal(journalPath, mask)
  const ownChecks: SavedCheck[] = convergence.map(check => ({ ...check, lab: CONVERGENCE }))
  // also of a run that does not come to its end, the folder says what was to be judged
  await writeChecks(dir, [...ownChecks, ...scenarios.flatMap(savedChecks)], mask)
  const started = performance.now()
  const { history, failure } = await converge(plan, source, options)
  signal?.throwIfAborted()
  for (const event of history) await journal.write({ ...event, lab: CONVERGENCE })
  const tookMs = performance.now() - started
  const results = ownChecks.map(check => judgeOn(history, check, CONVERGENCE, tookMs))
  if (failure) {
    await writeChecks(dir, ownChecks, mask)
    results.push(notReady(plan, failure, tookMs))
    for (const scenario of scenarios) plan.untested.push(...untestedChecks(scenario, 'the lab did not converge'))
    return { results, journal: journalPath, leftOut: 0 }
  }
  const vips = unsettled(plan, history)
  const time = budget && createBudget(budget.limitMs, budget.startedMs)
  let leftOut = 0
  const run = async (scenario: Scenario): Promise<Judged> => {
    const tooLong = waitsTooLong(scenario, source.facts()['clock'])
    if (tooLong !== undefined) {
      plan.untested.push(...untestedChecks(scenario, tooLong))
      return { results: [], checks: [] }
    }
    const unsettledWhy = unsettledBy(scenario, vips)
    if (unsettledWhy !== undefined) {
      plan.untested.push(...untestedChecks(scenario, unsettledWhy))
      return { results: [], checks: [] }
    }
    if (budget && !time?.allows(scenario.name)) {
      leftOut++
      plan.untested.push(...untestedChecks(scenario, `did not fit into ${budget.name}`))
      return { results: [], checks: [] }
    }
    return steps.step(scenario.name, async progress => {
      const began = performance.now()
      const found = await runScenario(scenario, source, journal, signal)
      time?.ended(scenario.name, performance.now() - began)
      progress(tally(found.results))
      return found
    })
  }
  const found = await inParallel(scenarios, run, source.parallel)
  await writeChecks(dir, [...ownChecks, ...found.flatMap(one => one.checks)], mask)
  return { results: [...results, ...found.flatMap(one => one.results)], journal: journalPath, leftOut }
}

const converge = async (
  plan: Plan,
  source: LabSource,
  { steps, signal }: VerifyOptions,
): Promise<{ history: History; failure?: NotConverged }> => {
  try {
    return { history: await source.prepare(plan.topology, plan.readiness, { steps, signal }) }
  } catch (error) {
    if (error instanceof NotConverged) return { history: error.history, failure: error }
    throw error
  }
}

const untestedChecks = (scenario: Scenario, why: string): Untested[] =>
  scenario.checks.map(({ title }) => ({ what: title, why }))

const judgeOn = (history: History, planned: PlannedCheck, lab: string, tookMs: number): CheckResult => ({
  ...judge(history, planned),
  ...{ check: planned.check, title: planned.title, lab, tookMs },
})

const savedChecks = ({ name, checks }: Scenario): SavedCheck[] =>
  checks.map(check => ({ ...check, lab: name, forkOf: CONVERGENCE }))

/** `3 PASS`, `99 PASS, 1 FAIL` */
const tally = (results: CheckResult[]): string =>
  [...Map.groupBy(results, ({ outcome }) => outcome)].map(([outcome, all]) => `${all.length} ${outcome}`).join(', ')

/** What became of a scenario. */
interface Judged {
  results: CheckResult[]
  /** Those that were judged on the journal, and can be again. */
  checks: SavedCheck[]
}

const runScenario = async (
  scenario: Scenario,
  source: LabSource,
  journal: Journal,
  signal?: AbortSignal,
): Promise<Judged> => {
  const started = performance.now()
  const onEvent = (event: LabEvent): void => void journal.write({ ...event, lab: scenario.name }).catch(() => {}) // close() throws what went wrong
  let history: History | undefined
  let failed: unknown
  try {
    await using lab = await source.open(scenario.name, { signal, onEvent })
    history = lab.history
    await scenario.drive(lab)
  } catch (error) {
    failed = error
  }
  signal?.throwIfAborted()
  const tookMs = performance.now() - started
  if (failed === undefined && history) {
    const recorded = history
    const results = scenario.checks.map(check => judgeOn(recorded, check, scenario.name, tookMs))
    return { results, checks: savedChecks(scenario) }
  }
  const why = messageOf(failed)
  const results = scenario.checks.map(({ check, title }) => ({
    ...inconclusive(`The scenario could not be driven to its end: ${why}.`),
    ...{ check, title, lab: scenario.name, tookMs },
  }))
  return { results, checks: [] }
}

/** Runs at most `width` at a time; results stand in the order of the list. */
const inParallel = async <T, R>(all: readonly T[], run: (one: T) => Promise<R>, width: number): Promise<R[]> => {
  const results: R[] = []
  const queue = all.entries()
  const worker = async (): Promise<void> => {
    for (const [index, one] of queue) results[index] = await run(one)
  }
  await Promise.all(Array.from({ length: Math.min(width, all.length) }, worker))
  return results
}
