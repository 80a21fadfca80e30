import { LvslabError } from '../errors.ts'
import { readInputs } from '../lint/input.ts'
import { lint } from '../lint/lint.ts'
import { countsOf } from '../lint/output.ts'
import type { LintInput } from '../lint/rule.ts'

/** Where to look for the cause of what did not pass: what `lint` finds in the same configuration, undefined where that is nothing. */
export const lintHint = (path: string): string | undefined => {
  const found = inputsOf(path).flatMap(input => lint(input).findings)
  const findings = found.filter(({ severity }) => severity !== 'info')
  if (findings.length === 0) return undefined
  const codes = [...new Set(findings.map(({ code }) => code))].join(', ')
  return `lint finds ${countsOf(findings)} in this configuration, which may say why: ${codes}; lvslab lint ${path}`
}

/** None where `lint` has nothing to read, or stops: a run has its verdict, whatever becomes of the hint. */
const inputsOf = (path: string): LintInput[] => {
  try {
    return readInputs([path])
  } catch (error) {
    if (error instanceof LvslabError) return []
    throw error
  }
}
