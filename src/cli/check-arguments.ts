import type { Choice } from '../verify/agenda.ts'
import { keepalivedArgument } from './keepalived-argument.ts'
import { durationOf, usage } from './usage.ts'

/** What is tried. */
export const topologyArgument = {
  type: 'positional',
  description: 'folder with topology.yaml, or with the plain configurations of directors; or one keepalived.conf',
  required: true,
} as const

/** Arguments of the verbs that try what follows from a configuration, or say what they would try. */
export const checkArguments = {
  only: { type: 'string', description: 'names of checks: only these, e.g. failover-stop,shares' },
  skip: { type: 'string', description: 'names of checks: all but these' },
  'max-gap': { type: 'string', description: 'longest time without an answer when the VIP moves: 3s, 500ms' },
  keepalived: keepalivedArgument,
} as const

interface CheckArguments {
  only?: string | undefined
  skip?: string | undefined
  'max-gap'?: string | undefined
}

/** What `--help` says of them. */
export const CHECK_NOTES = `Names are those that lvslab plan prints, or the beginning of one: --only failover-stop,shares; --skip sorry. In quotes, *
stands for anything: --only '*rs1*'. What is left out is listed as untested.

--max-gap 3s fails a configuration that keeps its own promises, but leaves clients without an answer for longer when the VIP
moves. It stands in the place of gap below expect in topology.yaml, which has limits for more.`

/** What the arguments choose. @throws LvslabError USAGE */
export const choiceOf = (verb: string, args: CheckArguments): Choice => {
  const maxMs = durationOf(verb, 'max-gap', args['max-gap'])
  return {
    only: namesOf(verb, 'only', args.only),
    skip: namesOf(verb, 'skip', args.skip),
    limits: maxMs === undefined ? [] : [{ name: 'gap', maxMs, at: '--max-gap' }],
  }
}

const namesOf = (verb: string, option: string, text: string | undefined): string[] | undefined => {
  const names = text?.split(',').map(name => name.trim())
  if (names?.includes('')) throw usage(verb, `--${option} "${text}": names of checks, with a comma between two`)
  return names
}
