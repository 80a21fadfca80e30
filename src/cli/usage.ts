import { LvslabError } from '../errors.ts'
import { DURATION_FORM, parseDuration } from '../model/duration.ts'

/**
 * A command line that cannot be meant so.
 *
 * @param verb empty where none was named
 */
export const usage = (verb: string, message: string): LvslabError =>
  new LvslabError('USAGE', message, { remedy: ['lvslab', verb, '--help'].filter(Boolean).join(' '), exitCode: 2 })

/** The duration that an option was given, ms; undefined where it was not given. @throws LvslabError USAGE */
export const durationOf = (verb: string, option: string, text: string | undefined): number | undefined => {
  const ms = text === undefined ? undefined : parseDuration(text)
  if (text !== undefined && ms === undefined) throw usage(verb, `--${option} ${text}: ${DURATION_FORM}`)
  return ms
}
