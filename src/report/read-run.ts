import path from 'node:path'
import { z } from 'zod'
import type { LabEvent } from '../history/event.ts'
import { isEvent } from '../history/journal.ts'
import { readJson } from '../history/read-json.ts'
import { REPORT_FORMAT, type RunReport } from './run.ts'

const text = z.string()

const bound = z.looseObject({
  ...{ name: text, formula: text, source: text },
  ...{ minMs: z.number().optional(), maxMs: z.number().nullable() },
})

const result = z.looseObject({
  ...{ check: text, title: text, lab: text, tookMs: z.number(), reason: text },
  outcome: z.enum(['PASS', 'FAIL', 'INCONCLUSIVE']),
  measurements: z.array(
    z.looseObject({
      ...{ name: text, value: z.number().nullable(), bound: bound.optional() },
      unit: z.enum(['ms', 'requests', 'requests/s', 'connections', '']),
    }),
  ),
  proof: z.array(z.custom<LabEvent>(isEvent, 'no event')),
})

const schema = z.looseObject({
  format: z.literal(REPORT_FORMAT),
  ...{ lvslab: text, verb: text, started: text, tookMs: z.number(), command: text },
  topology: z.looseObject({ name: text, drawing: text }),
  engine: z.record(text, text),
  results: z.array(result),
  untested: z.array(z.looseObject({ what: text, why: text })),
})

/**
 * Reads `run.json` from the folder of a run; undefined where the run did not come to its end, and has none.
 *
 * @throws LvslabError RUN_INVALID
 */
export const readRun = async (dir: string): Promise<RunReport | undefined> => {
  const remedy = 'judge it with the lvslab that wrote it, or remove it: what the journal has is judged without it'
  const run = await readJson(path.join(dir, 'run.json'), schema, { code: 'RUN_INVALID', remedy })
  return run as RunReport | undefined
}
