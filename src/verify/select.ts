import { LvslabError } from '../errors.ts'
import { kindOf } from '../judge/kind.ts'
import type { PlannedCheck } from '../judge/rules.ts'
import type { Untested } from '../judge/verdict.ts'
import { nearest } from '../topology/did-you-mean.ts'

/** Names of checks, as an operator gives them. */
export interface Selection {
  /** Only what these name is tried. */
  only?: string[] | undefined
  /** What these name is not, also where `only` names it. */
  skip?: string[] | undefined
}

/** Checks with the name of the scenario that they are judged on. */
interface Named {
  name: string
  checks: PlannedCheck[]
}

/**
 * What is left of scenarios, each with those of its checks that are wanted, and the others as untested. A name is that of a
 * check or of a scenario, or its beginning up to the end of a word: `failover-stop`, `failover`, `shares`. `*` stands for
 * anything: `*rs1*`.
 *
 * @throws LvslabError USAGE where a name fits nothing, and where nothing is left
 */
export const select = <T extends Named>(
  all: T[],
  { only, skip = [] }: Selection,
): { kept: T[]; untested: Untested[] } => {
  for (const name of only ?? []) requireOne('only', name, all)
  for (const name of skip) requireOne('skip', name, all)
  const untested: Untested[] = []
  const kept = all.flatMap(scenario => {
    const checks = scenario.checks.filter(({ check, title }) => {
      const isNamed = (name: string): boolean => fits(name, scenario.name) || fits(name, check)
      const skipped = skip.find(isNamed)
      const wanted = only === undefined || only.some(isNamed)
      if (wanted && skipped === undefined) return true
      untested.push({ what: title, why: wanted ? `--skip ${skipped}` : `not in --only ${only?.join(',')}` })
      return false
    })
    return checks.length === 0 ? [] : [{ ...scenario, checks }]
  })
  if (kept.length === 0 && untested.length > 0) throw usage('--only and --skip leave nothing to try', all)
  return { kept, untested }
}

const fits = (name: string, text: string): boolean => {
  const words = name.split('*').map(part => part.replaceAll(/[$()*+.?[\\\]^{|}/-]/g, String.raw`\$&`))
  return new RegExp(`^${words.join('.*')}(?![A-Za-z0-9])`).test(text)
}

const requireOne = (option: keyof Selection, name: string, all: Named[]): void => {
  if (all.some(scenario => fits(name, scenario.name) || scenario.checks.some(({ check }) => fits(name, check)))) return
  const best = nearest(name, kindsOf(all).flatMap(beginnings))
  const meant = best === undefined ? '' : `; did you mean "${best}"?`
  throw usage(`--${option} ${name} fits the name of no check${meant}`, all)
}

const usage = (message: string, all: Named[]): LvslabError =>
  new LvslabError('USAGE', message, {
    remedy: `name one of ${kindsOf(all).join(', ')}, or a single check: lvslab plan prints the name of each`,
    exitCode: 2,
  })

const kindsOf = (all: Named[]): string[] => [
  ...new Set(all.flatMap(({ name, checks }) => [name, ...checks.map(({ check }) => check)].map(kindOf))),
]

/** `failover-stop` -> `failover`, `failover-stop` */
const beginnings = (kind: string): string[] => kind.split('-').map((_, n, words) => words.slice(0, n + 1).join('-'))
