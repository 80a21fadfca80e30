import { LvslabError } from '../../errors.ts'
import { near } from '../near.ts'
import type { Rule } from '../rule.ts'
import { checkRules } from './checks.ts'
import { globalRules } from './globals.ts'
import { grammarRules } from './grammar.ts'
import { listRules } from './lists.ts'
import { markRules } from './marks.ts'
import { pairRules } from './pair.ts'
import { realServerRules } from './real-servers.ts'
import { routingRules } from './routing.ts'
import { scriptRules } from './scripts.ts'
import { serviceRules } from './services.ts'
import { structureRules } from './structure.ts'
import { suppressionRules } from './suppressed.ts'
import { syncGroupRules } from './sync-groups.ts'
import { tableRules } from './tables.ts'
import { tiedClientRules } from './tied-clients.ts'
import { trackedRules } from './tracked.ts'
import { generalRules, specificRules } from './values.ts'
import { vrrpRules } from './vrrp.ts'
import { wordRules } from './words.ts'

/** Every rule, in the order in which they take notices of the reader. */
export const RULES: readonly Rule[] = [
  ...structureRules,
  ...wordRules,
  ...vrrpRules,
  ...specificRules,
  ...grammarRules,
  ...tableRules,
  ...syncGroupRules,
  ...generalRules,
  ...listRules,
  ...routingRules,
  ...globalRules,
  ...pairRules,
  ...serviceRules,
  ...tiedClientRules,
  ...realServerRules,
  ...checkRules,
  ...markRules,
  ...trackedRules,
  ...scriptRules,
  ...suppressionRules,
]

/** @throws LvslabError LINT_NO_RULE */
export const ruleOf = (code: string): Rule => {
  const rule = RULES.find(one => one.code === code)
  if (rule) return rule
  const codes = RULES.map(one => one.code)
  throw new LvslabError('LINT_NO_RULE', `there is no rule ${code}${near(code, codes)}`, {
    exitCode: 2,
    remedy: 'lvslab lint --rules lists them',
  })
}
