/** A place in a file that the user wrote; line and column start at 1. */
export interface Position {
  file: string
  line: number
  column: number
}

/** `file:line:column`, the form that terminals and editors turn into a link. */
export const formatPosition = (at: Position): string => `${at.file}:${at.line}:${at.column}`

/** Exit codes of the command line; see `lvslab --help`. */
export type ExitCode = 0 | 1 | 2 | 3 | 130

export interface LvslabErrorOptions {
  /** What the user can do about it, with the exact command where there is one. */
  remedy?: string
  /** Where in the user's file the cause stands. */
  at?: Position
  /** 2 for a usage or configuration error, 3 for the environment. Default 3. */
  exitCode?: ExitCode
  cause?: unknown
}

/** The one error that people see: a stable code, what failed with the value seen, and the remedy. */
export class LvslabError extends Error {
  readonly code: string
  readonly remedy: string | undefined
  readonly at: Position | undefined
  readonly exitCode: ExitCode

  /** @param code stable, upper case, e.g. `LAB_SUBNET_OVERLAP` */
  constructor(code: string, message: string, options: LvslabErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'LvslabError'
    this.code = code
    this.remedy = options.remedy
    this.at = options.at
    this.exitCode = options.exitCode ?? 3
  }
}

/** What a thrown thing says of itself: the code and message of ours, the message of others, any other as JSON. */
export const messageOf = (thrown: unknown): string => {
  if (thrown instanceof LvslabError) return `${thrown.message} [${thrown.code}]`
  if (thrown instanceof Error) return thrown.message
  return typeof thrown === 'string' ? thrown : (JSON.stringify(thrown) ?? '')
}
