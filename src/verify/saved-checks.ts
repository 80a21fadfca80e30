import { rename, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { z } from 'zod'
import { LvslabError, messageOf } from '../errors.ts'
import { History, readHistories } from '../history/history.ts'
import type { TornLine } from '../history/journal.ts'
import { type Masker, maskDeep } from '../history/mask.ts'
import { readJson } from '../history/read-json.ts'
import { inconclusive } from '../judge/guard.ts'
import { judge, type PlannedCheck, type Rule, RULES } from '../judge/rules.ts'
import type { Verdict } from '../judge/verdict.ts'

/** Files of a run's folder. */
export const JOURNAL_FILE = 'journal.ndjson'
export const CHECKS_FILE = 'checks.json'

/** A check with the lab that it is judged on. */
export type SavedCheck = PlannedCheck & {
  /** The journal's `lab` field. */
  lab: string
  /** The lab that this one is a fork of: what happened there happened to it, too. */
  forkOf?: string
  /** How many events its history had when it was judged, where a test went on afterwards; all where it is left out. */
  events?: number
}

/** Version of the format of `checks.json`; raised when a reader of the old one would misread the new one. */
const FORMAT = 1

const schema = z.strictObject({
  format: z.literal(FORMAT),
  checks: z.array(
    z.strictObject({
      lab: z.string(),
      forkOf: z.string().optional(),
      events: z.int().nonnegative().optional(),
      check: z.string(),
      title: z.string(),
      rule: z.enum(Object.keys(RULES) as [Rule, ...Rule[]]),
      params: z.record(z.string(), z.unknown()),
      limits: z
        .array(z.strictObject({ measurement: z.string(), maxMs: z.number().positive(), at: z.string() }))
        .optional(),
      expected: z.literal('FAIL').optional(),
    }),
  ),
})

/** Writes `checks.json`, masked, over one that is there. @throws LvslabError REPORT_WRITE */
export const writeChecks = async (dir: string, checks: SavedCheck[], mask: Masker): Promise<void> => {
  const file = path.join(dir, CHECKS_FILE)
  try {
    await writeFile(
      `${file}.part`,
      `${JSON.stringify({ format: FORMAT, checks: maskDeep(checks, mask) }, undefined, 2)}\n`,
    )
    await rename(`${file}.part`, file)
  } catch (cause) {
    throw new LvslabError('REPORT_WRITE', `cannot write ${file}: ${messageOf(cause)}`, {
      remedy: 'check that the folder is writable and has space left (df -h)',
      cause,
    })
  }
}

/** Reads `checks.json`. @throws LvslabError NO_RUN, CHECKS_INVALID */
export const readChecks = async (dir: string): Promise<SavedCheck[]> => {
  const remedy = 'undo what was changed in it, or run lvslab verify again'
  const saved = await readJson(path.join(dir, CHECKS_FILE), schema, { code: 'CHECKS_INVALID', remedy })
  // a rule gets its parameters as they are: what it cannot use makes its check inconclusive
  if (saved) return saved.checks as unknown as SavedCheck[]
  throw new LvslabError('NO_RUN', `${dir} is not the folder of a run: there is no ${CHECKS_FILE}`, {
    remedy: `name one that verify or test has written, with ${CHECKS_FILE} and ${JOURNAL_FILE} in it; ls -d reports/*/`,
    exitCode: 2,
  })
}

/** What a run's checks say of its journal, one verdict for each, in their order. */
export interface JudgedAgain {
  checks: SavedCheck[]
  verdicts: Verdict[]
  torn: TornLine | undefined
}

/** Judges a run from its folder. @throws LvslabError NO_RUN, CHECKS_INVALID, JOURNAL_INVALID, JOURNAL_UNREADABLE */
export const judgeAgain = async (dir: string): Promise<JudgedAgain> => {
  const checks = await readChecks(dir)
  const forks = new Map(checks.flatMap(({ lab, forkOf }) => (forkOf === undefined ? [] : [[lab, forkOf] as const])))
  const { labs, torn } = await readHistories(path.join(dir, JOURNAL_FILE), forks)
  return { checks, verdicts: checks.map(check => judgeSaved(check, labs)), torn }
}

const judgeSaved = (check: SavedCheck, labs: ReadonlyMap<string, History>): Verdict => {
  const missing = [check.forkOf, check.lab].find(lab => lab !== undefined && !labs.has(lab))
  const history = labs.get(check.lab)
  if (missing === undefined && history) return judge(firstOf(history, check.events), check)
  return inconclusive(`The journal has nothing of the lab ${missing}.`)
}

/** A history as it was when it had so many events. */
const firstOf = (history: History, events = history.size): History => {
  if (events >= history.size) return history
  const first = new History()
  for (const event of history) {
    if (first.size === events) break
    first.add(event)
  }
  return first
}
