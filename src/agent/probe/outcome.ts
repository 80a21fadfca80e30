import type { Outcome } from '../../history/event.ts'

/** Longest part of an answer, or of an error, that the journal keeps. */
const DETAIL = 120

/** What the journal keeps of an answer or an error. */
export const detailOf = (text: string): string => text.trim().slice(0, DETAIL)

/** The node that answers: the first word of what it says. */
export const serverOf = (text: string): { server?: string } => {
  const server = /^\s*(\S+)/.exec(text)?.[1]
  return server === undefined ? {} : { server }
}

const BY_CODE: Record<string, Outcome> = {
  ECONNREFUSED: 'refused',
  ECONNRESET: 'reset',
  EPIPE: 'reset',
  UND_ERR_SOCKET: 'reset',
  ETIMEDOUT: 'timeout',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
}

/**
 * The outcome that an error of a socket stands for. `error` is left for what says nothing of the network or the server: a
 * source port that is in use (EADDRINUSE) or still in TIME_WAIT (EADDRNOTAVAIL), a source address that the client lacks.
 */
export const outcomeOfError = (error: unknown): { outcome: Outcome; detail: string } => {
  const { code = '', message = String(error) } = error as { code?: string; message?: string }
  const detail = detailOf(message.includes(code) ? message : `${code} ${message}`)
  return { outcome: BY_CODE[code] ?? 'error', detail }
}

/** curl's exit codes, "EXIT CODES" of curl(1); what is not here is an `error`. */
const BY_CURL_EXIT: Record<number, Outcome> = {
  0: 'answered',
  7: 'refused',
  18: 'reset', // the transfer ended before its end
  28: 'timeout',
  52: 'reset', // closed without a word
  55: 'reset',
  56: 'reset',
}

/**
 * The outcome of a curl that ended with an exit code. Two codes stand for more than one: 7 is any failed connect and 35 any
 * failed TLS handshake; for these, what `curl --verbose` said decides.
 */
export const outcomeOfCurl = (exit: number, said: string): Outcome => {
  if (exit === 7 && /no route to host|unreachable/i.test(said)) return 'unreachable'
  if (exit === 7 && !/refused/i.test(said)) return 'error'
  if (exit === 35 && /reset by peer/i.test(said)) return 'reset'
  return BY_CURL_EXIT[exit] ?? 'error'
}
