import { LvslabError } from '../../errors.ts'
import type { Notice } from '../../model/types.ts'
import { keyword, type Statement } from './parse.ts'

/**
 * A configuration with which keepalived does not start, or drops its VRRP process.
 *
 * @returns LvslabError CONFIG_REFUSED
 */
export const refused = (statement: Statement, message: string, remedy: string): LvslabError =>
  new LvslabError('CONFIG_REFUSED', message, { at: statement.at, exitCode: 2, remedy })

/** The first word after the keyword. keepalived stops when it is missing (lib/parser.c `null_strvec`). */
export const argument = (statement: Statement, index = 1): string => {
  const word = statement.words[index]
  if (word) return word.text
  throw refused(
    statement,
    `${keyword(statement)} has no value; keepalived stops at it`,
    `Write a value after ${keyword(statement)}, or take the line out.`,
  )
}

/** The last statement with this keyword: where keepalived takes a line twice, the later one wins. */
export const last = (block: Statement[], ...keywords: string[]): Statement | undefined =>
  block.findLast(statement => keywords.includes(keyword(statement)))

/** Every statement with this keyword. */
export const all = (block: Statement[], ...keywords: string[]): Statement[] =>
  block.filter(statement => keywords.includes(keyword(statement)))

/** Says what keepalived makes of a line that it does not take as it stands. */
export const note = (notices: Notice[], statement: Statement, message: string): void => {
  notices.push({ at: statement.at, message })
}

interface Range {
  min: number
  max: number
  /** What keepalived does with a value that it does not take; ends the notice's sentence. */
  otherwise: string
  /** Takes `10s` for 10, as keepalived does where it reads with `ignore_error`. */
  lenient?: boolean
}

const read = (statement: Statement, pattern: RegExp, range: Range, notices: Notice[]): number | undefined => {
  const text = argument(statement)
  const name = keyword(statement)
  const digits = pattern.exec(text)?.[0]
  const value = Number(digits)
  const clean = digits === text
  if (digits !== undefined && (clean || range.lenient) && value >= range.min && value <= range.max) {
    if (!clean) note(notices, statement, `${name} ${text} is not a number; keepalived reads ${digits}`)
    return value
  }
  note(
    notices,
    statement,
    `${name} ${text} is not a number from ${range.min} to ${range.max}; keepalived ${range.otherwise}`,
  )
  return undefined
}

/** A whole number (lib/parser.c `read_unsigned_func`); undefined, and a notice, where keepalived does not take it. */
export const integer = (statement: Statement, range: Range, notices: Notice[]): number | undefined =>
  read(statement, /^\d+/, range, notices)

/**
 * A duration in seconds, decimals allowed (lib/parser.c `read_timer`).
 *
 * @param range in seconds
 * @returns ms; undefined, and a notice, where keepalived does not take it
 */
export const duration = (statement: Statement, range: Range, notices: Notice[]): number | undefined => {
  const seconds = read(statement, /^(?:\d+\.?\d*|\.\d+)/, range, notices)
  // Microseconds are what keepalived keeps.
  return seconds === undefined ? undefined : Math.round(seconds * 1e6) / 1000
}

/** A switch: the bare keyword means true (lib/parser.c `check_true_false`). */
export const flag = (statement: Statement | undefined, notices: Notice[]): boolean | undefined => {
  if (!statement) return undefined
  const word = statement.words[1]?.text
  if (word === undefined || ['true', 'on', 'yes'].includes(word)) return true
  if (['false', 'off', 'no'].includes(word)) return false
  note(notices, statement, `${keyword(statement)} ${word} is neither on nor off; keepalived ignores the line`)
  return undefined
}
