import { keyword } from '../config/keepalived/parse.ts'
import type { Program } from '../topology/director-files.ts'
import { createMasker, type Masker } from '../history/mask.ts'
import { near } from './near.ts'
import { type Director, type Finding, type Found, isFor, type LintInput, type Rule } from './rule.ts'
import { RULES } from './rules/registry.ts'
import { PASSED_OVER } from './rules/values.ts'
import { everyStatement, valueOf } from './statements.ts'
import { readSuppressions, type Suppression } from './suppressions.ts'

export interface LintResult {
  findings: Finding[]
  directors: string[]
  /** Every file that was read. */
  files: string[]
  /** Directors whose keepalived would refuse its configuration test, suppressed findings among the reasons. */
  rejected: string[]
}

/** What is wrong with directors that are judged together, by file, line and column. */
export const lint = (input: LintInput): LintResult => {
  const { directors } = input
  const files = [...new Set(directors.flatMap(director => director.config.files))]
  const mask = createMasker(directors.flatMap(secretsOf))
  const read = readerFindings(directors)
  const found = (rule: Rule): Found[] => {
    const its = directors.filter(({ program }) => isFor(rule, program))
    return [...(read.get(rule) ?? []), ...(its.length > 0 ? (rule.check?.({ ...input, directors: its }) ?? []) : [])]
  }
  const all = unique(RULES.flatMap(rule => found(rule).map(one => finding(rule, one, mask))))
  const findings = withoutRests(ofTexts(all))
  const suppressions = files.flatMap(readSuppressions)
  return {
    findings: [...withoutSuppressed(findings, suppressions), ...unused(findings, suppressions)].sort(byPlace),
    directors: [...new Set(directors.map(director => director.name))],
    files,
    rejected: directors
      .filter(
        ({ config, program }) =>
          program === 'keepalived' &&
          all.some(({ code, at }) => config.files.includes(at.file) && RULES.find(one => one.code === code)?.rejected),
      )
      .map(director => director.name),
  }
}

/** What the reader found, by rule. */
const readerFindings = (directors: Director[]): Map<Rule, Found[]> => {
  const found = new Map<Rule, Found[]>()
  const add = (rule: Rule | undefined, one: Found): void => {
    const list = rule && (found.get(rule) ?? [])
    if (list) found.set(rule, list)
    list?.push(one)
  }
  for (const { config, errors, program } of directors) {
    for (const { at, message } of config.notices) add(ruleOfNotice(message, program), { at, message })
    for (const { code, at, message, remedy } of errors) if (at) add(ruleOfError(code), { at, message, remedy })
  }
  return found
}

const UNREAD = RULES.find(rule => rule.code === 'unread') as Rule

/** One that no rule knows is not lost. */
const ruleOfError = (code: string): Rule => RULES.find(rule => rule.errors?.includes(code)) ?? UNREAD

const ruleOfNotice = (message: string, program: Program): Rule | undefined =>
  PASSED_OVER.test(message)
    ? undefined
    : (RULES.find(rule => isFor(rule, program) && rule.notice?.test(message)) ?? UNREAD)

const finding = ({ code, severity, remedy }: Rule, found: Found, mask: Masker): Finding => ({
  ...{ code, severity, at: found.at, message: mask(found.message), remedy: mask(found.remedy ?? remedy) },
  ...(found.other ? { other: found.other } : {}),
})

/** What stands after `auth_pass`, however it was misspelled into its word. */
const secretsOf = ({ statements }: Director): string[] =>
  everyStatement(statements).flatMap(statement => {
    const word = keyword(statement)
    if (!word.startsWith('auth_pass')) return []
    return [valueOf(statement), ...statement.words.slice(1).map(one => one.text), word.slice('auth_pass'.length)]
  })

const unique = (findings: Finding[]): Finding[] => {
  const seen = new Set<string>()
  return findings.filter(({ code, at, message }) => {
    const key = JSON.stringify([code, at.file, at.line, at.column, message])
    if (seen.has(key)) return false
    seen.add(key)
    return true
  })
}

/** Of a file that is no text, with NUL bytes in line after line, that is all there is to be told. */
const ofTexts = (findings: Finding[]): Finding[] => {
  const firsts = new Map<string, Finding>()
  const noTexts = new Set<string>()
  for (const one of findings) {
    if (one.code !== 'not-text') continue
    if (firsts.has(one.at.file)) noTexts.add(one.at.file)
    else firsts.set(one.at.file, one)
  }
  return findings.filter(one => !noTexts.has(one.at.file) || firsts.get(one.at.file) === one)
}

/** Of a line that is too long, what keepalived makes of its rest is one thing to be told, not one for each kilobyte. */
const withoutRests = (findings: Finding[]): Finding[] => {
  const rests = new Map(
    findings.filter(one => one.code === 'line-long').map(({ at }) => [`${at.line} ${at.file}`, at.column]),
  )
  if (rests.size === 0) return findings
  return findings.filter(
    ({ code, at }) => code === 'line-long' || at.column < (rests.get(`${at.line} ${at.file}`) ?? Infinity),
  )
}

const suppresses = ({ code, at }: Suppression, one: Finding): boolean =>
  code === one.code && at.file === one.at.file && at.line + 1 === one.at.line

const withoutSuppressed = (findings: Finding[], suppressions: Suppression[]): Finding[] =>
  findings.filter(one => !suppressions.some(suppression => suppresses(suppression, one)))

const unused = (findings: Finding[], suppressions: Suppression[]): Finding[] =>
  suppressions
    .filter(suppression => !findings.some(one => suppresses(suppression, one)))
    .map(({ code, at }) => {
      const rule = RULES.find(one => one.code === 'suppression-unused') as Rule
      const codes = RULES.map(one => one.code)
      const known = codes.includes(code)
      const message = known ? `line ${at.line + 1} has no ${code}` : `there is no rule ${code}${near(code, codes)}`
      return finding(rule, { at, message }, text => text)
    })

const byPlace = (a: Finding, b: Finding): number =>
  (a.at.file < b.at.file ? -1 : a.at.file > b.at.file ? 1 : 0) ||
  a.at.line - b.at.line ||
  a.at.column - b.at.column ||
  (a.code < b.code ? -1 : 1)
