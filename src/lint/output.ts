import { relative, sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import { formatPosition, type Position } from '../errors.ts'
import { visibleLine } from '../report/visible.ts'
import { shortPath } from '../topology/find.ts'
import type { LintResult } from './lint.ts'
import type { Finding, Rule, Severity } from './rule.ts'
import { RULES } from './rules/registry.ts'

const place = (at: Position): string => formatPosition({ ...at, file: visibleLine(shortPath(at.file)) })

const plural = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`

/** How many findings of a severity there are. */
export const countOf = (findings: Finding[], severity: Severity): number =>
  findings.filter(finding => finding.severity === severity).length

/** `1 error, 2 warnings` */
export const countsOf = (findings: Finding[]): string =>
  (['error', 'warning'] as const).map(severity => plural(countOf(findings, severity), severity)).join(', ')

/** `file:line:column: severity: message [code]`, as compilers have it, and the remedy beneath. */
export const formatFindings = (results: LintResult[]): string => {
  const findings = results.flatMap(result => result.findings)
  const blocks = findings.map(({ at, severity, message, code, remedy, other }) =>
    [
      `${place(at)}: ${severity}: ${visibleLine(message)} [${code}]`,
      ...(other ? [`  see ${place(other)}`] : []),
      `  remedy: ${visibleLine(remedy)}`,
    ].join('\n'),
  )
  const read = `${plural(new Set(results.flatMap(result => result.files)).size, 'file')} of ${plural(
    results.reduce((total, result) => total + result.directors.length, 0),
    'director',
  )}`
  return `${[...blocks, `${countsOf(findings)}, ${countOf(findings, 'info')} info in ${read}`].join('\n')}\n`
}

export const formatFindingsAsJson = (results: LintResult[]): string => {
  const groups = results.map(({ findings, directors, files, rejected }) => ({
    directors,
    files: files.map(shortPath),
    rejected,
    findings: findings.map(({ at, other, ...rest }) => ({
      ...rest,
      at: { ...at, file: shortPath(at.file) },
      ...(other ? { other: { ...other, file: shortPath(other.file) } } : {}),
    })),
  }))
  return `${JSON.stringify({ groups }, undefined, 2)}\n`
}

/** Below the working folder as GitHub wants it, relative; anything else as a URL. */
const uriOf = (file: string): { uri: string; uriBaseId?: string } => {
  const way = relative(process.cwd(), file)
  if (way.startsWith('..')) return { uri: pathToFileURL(file).href }
  return { uri: way.split(sep).map(encodeURIComponent).join('/'), uriBaseId: '%SRCROOT%' }
}

const location = (at: Position) => ({
  physicalLocation: {
    artifactLocation: uriOf(at.file),
    region: { startLine: at.line, startColumn: at.column },
  },
})

const LEVELS: Record<Severity, string> = { error: 'error', warning: 'warning', info: 'note' }

/**
 * SARIF 2.1.0 as GitHub's code scanning reads it (docs.oasis-open.org/sarif/sarif/v2.1.0).
 *
 * @param version of lvslab
 */
export const formatSarif = (results: LintResult[], version: string): string => {
  const findings = results.flatMap(result => result.findings)
  const log = {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'lvslab', semanticVersion: version, rules: RULES.map(sarifRule) } },
        columnKind: 'utf16CodeUnits',
        results: findings.map(({ code, severity, message, remedy, at, other }) => ({
          ruleId: code,
          ruleIndex: RULES.findIndex(rule => rule.code === code),
          level: LEVELS[severity],
          message: { text: `${message}. Remedy: ${remedy}` },
          locations: [location(at)],
          ...(other ? { relatedLocations: [{ ...location(other), message: { text: 'the other side' } }] } : {}),
        })),
      },
    ],
  }
  return `${JSON.stringify(log, undefined, 2)}\n`
}

const sarifRule = (rule: Rule) => ({
  id: rule.code,
  shortDescription: { text: rule.title },
  fullDescription: { text: rule.why },
  help: { text: explain(rule) },
  defaultConfiguration: { level: LEVELS[rule.severity] },
})

/** The page of a rule. */
export const explain = ({ code, severity, rejected, title, why, remedy, example }: Rule): string =>
  [
    `${code} (${severity}): ${title}`,
    '',
    why,
    ...(rejected ? ["keepalived's own configuration test (keepalived --config-test) fails on it."] : []),
    '',
    `remedy: ${remedy}`,
    ...(example === undefined
      ? []
      : [
          '',
          'for example:',
          '',
          ...example
            .trimEnd()
            .split('\n')
            .map(line => `  ${line}`),
        ]),
    '',
    `One place is excepted by a comment on the line before it: # lvslab-disable-next-line ${code}`,
    '',
  ].join('\n')

/** Every rule in a line. */
export const listRules = (): string => {
  const widest = Math.max(...RULES.map(rule => rule.code.length))
  return RULES.map(({ code, severity, title }) => `${code.padEnd(widest)}  ${severity.padEnd(7)}  ${title}\n`).join('')
}
