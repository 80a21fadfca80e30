import type { Selection } from '../verify/select.ts'
import { usage } from './usage.ts'

/** Arguments of the verbs that try what follows from a configuration, or say what they would try. */
export const checkArguments = {
  only: { type: 'string', description: 'names of checks: only these, e.g. failover-stop,shares' },
  skip: { type: 'string', description: 'names of checks: all but these' },
} as const

/** What `--help` says of them. */
export const CHECK_NOTES = `Names are those that lvslab plan prints, or the beginning of one: --only failover-stop,shares; --skip sorry. In quotes, *
stands for anything: --only '*rs1*'. What is left out is listed as untested.`

/** The checks that the arguments choose. @throws LvslabError USAGE */
export const selectionOf = (
  verb: string,
  args: { only?: string | undefined; skip?: string | undefined },
): Selection => ({
  only: namesOf(verb, 'only', args.only),
  skip: namesOf(verb, 'skip', args.skip),
})

const namesOf = (verb: string, option: string, text: string | undefined): string[] | undefined => {
  const names = text?.split(',').map(name => name.trim())
  if (names?.includes('')) throw usage(verb, `--${option} "${text}": names of checks, with a comma between two`)
  return names
}
