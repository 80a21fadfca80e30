import { readFile, stat } from 'node:fs/promises'
import { z } from 'zod'
import { LvslabError, messageOf, type Position } from '../errors.ts'

/** More than any run writes: what is larger is no file of a run. */
const LARGEST_MB = 64

/** Findings of a schema that a message has; a damaged file may have as many as it has lines. */
const FINDINGS = 3

/** Where V8 says that JSON goes wrong, `(line 2 column 5)`; of some faults it shows the text around them instead. */
const positionIn = (file: string, message: string): Position | undefined => {
  const [, line, column] = /\(line (\d+) column (\d+)\)/.exec(message) ?? []
  return line === undefined ? undefined : { file, line: Number(line), column: Number(column) }
}

const findingsOf = ({ issues }: z.ZodError): string => {
  const more = issues.length > FINDINGS ? `\nand ${issues.length - FINDINGS} more` : ''
  return z.prettifyError(new z.ZodError(issues.slice(0, FINDINGS))) + more
}

/**
 * Reads a JSON file of a run.
 *
 * @returns undefined where there is no such file
 * @throws LvslabError with `code`, the place where there is one, and exit code 2
 */
export const readJson = async <T>(
  file: string,
  schema: z.ZodType<T>,
  { code, remedy }: { code: string; remedy: string },
): Promise<T | undefined> => {
  const refuse = (what: string, cause?: unknown, at?: Position): LvslabError =>
    new LvslabError(code, `${at ? '' : `${file} `}cannot be used: ${what}`, {
      ...{ remedy, exitCode: 2, cause },
      ...(at && { at }),
    })
  let text: string
  try {
    const { size } = await stat(file)
    if (size > LARGEST_MB * 1e6) throw refuse(`it has ${Math.round(size / 1e6)} MB, more than ${LARGEST_MB}`)
    text = await readFile(file, 'utf8')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw cause instanceof LvslabError ? cause : refuse(messageOf(cause), cause)
  }
  let data: unknown
  try {
    data = JSON.parse(text)
  } catch (cause) {
    throw refuse(messageOf(cause), cause, positionIn(file, messageOf(cause)))
  }
  const read = schema.safeParse(data)
  if (!read.success) throw refuse(findingsOf(read.error), read.error)
  return read.data
}
