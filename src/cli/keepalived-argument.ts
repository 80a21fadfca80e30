import { KEEPALIVED, type KeepalivedRelease, OWN_KEEPALIVED } from '../model/keepalived.ts'
import { usage } from './usage.ts'

/** Of every verb that builds a lab, or says what would come of one. */
export const keepalivedArgument = {
  type: 'string',
  description: `of every director: 2.2 (${KEEPALIVED['2.2']}, Debian 12) or 2.3 (${KEEPALIVED['2.3']}, Debian 13, the default)`,
} as const

/** The release that `--keepalived` names. @throws LvslabError USAGE, which names those there are */
export const releaseOf = (verb: string, text: string | undefined): KeepalivedRelease => {
  if (text === undefined) return OWN_KEEPALIVED
  if (Object.hasOwn(KEEPALIVED, text)) return text as KeepalivedRelease
  throw usage(verb, `--keepalived ${text}: ${Object.keys(KEEPALIVED).join(' or ')}`)
}
