import type { CheckResult, Outcome } from '../judge/verdict.ts'
import { exceedsBound, exceedsLimit, formatLimits, formatMeasured } from './measurement.ts'
import { type RunReport, summaryLine } from './run.ts'
import { visibleLine } from './visible.ts'

/** GitHub refuses a job summary above 1 MiB. */
const MAX_BYTES = 900 * 1024

const ICONS: Record<Outcome, string> = { PASS: '✅', FAIL: '❌', INCONCLUSIVE: '⚠️' }

/** Text that Markdown, HTML, a table's cell and an @mention must leave alone. */
const escapeMarkdown = (text: string): string =>
  visibleLine(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll(/[\\`*_{}[\]|~$]/g, String.raw`\$&`)
    .replaceAll('@', '&#64;')
    .replaceAll('://', '&#58;//')

/** A fence that is longer than any run of backticks inside it. */
const fenced = (text: string, language = ''): string => {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length))
  const fence = '`'.repeat(longest + 1)
  return `${fence}${language}\n${text.trimEnd()}\n${fence}`
}

const row = (result: CheckResult): string => {
  const measured = result.measurements.map(one => {
    const text = escapeMarkdown(`${one.name}: ${formatMeasured(one)}`)
    return exceedsBound(one) || exceedsLimit(one) ? `**${text}**` : text
  })
  const bounds = result.measurements.map(one => escapeMarkdown(formatLimits(one) ?? '–'))
  const cells = [
    `${ICONS[result.outcome]} ${result.outcome}`,
    escapeMarkdown(result.title),
    measured.join('<br>'),
    bounds.join('<br>'),
  ]
  return `| ${cells.join(' | ')} |`
}

/** The network as a Mermaid graph; undefined where the report has only its drawing. */
const mermaid = ({ nodes, networks }: RunReport['topology']): string | undefined => {
  if (!nodes || !networks) return undefined
  const quote = (text: string): string => `"${visibleLine(text).replaceAll(/[#"<>&]/g, c => `#${c.charCodeAt(0)};`)}"`
  const ids = new Map(networks.map((network, i) => [network.name, `n${i}`]))
  return [
    'graph LR',
    ...networks.map(network => `  ${ids.get(network.name)}([${quote(`${network.name} ${network.subnet}`)}])`),
    ...nodes.map((node, i) => `  h${i}[${quote(`${node.name} (${node.role})`)}]`),
    ...nodes.flatMap((node, i) =>
      node.interfaces
        .filter(({ network }) => ids.has(network))
        .map(({ network, address }) => `  h${i} ---|${quote(address)}| ${ids.get(network)}`),
    ),
  ].join('\n')
}

/** Markdown for a GitHub job summary: the checks as a table, reasons, what is untested, the network and the facts. */
export const formatSummary = (report: RunReport): string => {
  const graph = mermaid(report.topology)
  const notPassed = report.results.filter(result => result.outcome !== 'PASS')
  const facts = { lvslab: report.lvslab, started: report.started, ...report.engine }
  const sections = [
    `## ${ICONS[report.outcome]} lvslab ${escapeMarkdown(report.verb)} ${escapeMarkdown(report.topology.name)}`,
    `**${report.outcome}**: ${summaryLine(report)}`,
    ['| Verdict | Check | Measured | Bound |', '|---|---|---|---|', ...report.results.map(row)].join('\n'),
    notPassed
      .map(
        ({ outcome, title, reason }) => `- ${ICONS[outcome]} **${escapeMarkdown(title)}**: ${escapeMarkdown(reason)}`,
      )
      .join('\n'),
    report.untested.length > 0
      ? [
          '**Untested** (not a pass)\n',
          ...report.untested.map(({ what, why }) => `- ${escapeMarkdown(what)}: ${escapeMarkdown(why)}`),
        ].join('\n')
      : '',
    `Run it again:\n\n${fenced(visibleLine(report.command), 'sh')}`,
    [
      '<details><summary>Topology and engine</summary>\n',
      graph ? fenced(graph, 'mermaid') : fenced(report.topology.drawing),
      '',
      ...Object.entries(facts).map(([name, value]) => `- ${escapeMarkdown(name)}: ${escapeMarkdown(value)}`),
      '\n</details>',
    ].join('\n'),
  ].filter(section => section !== '')

  let text = ''
  for (const section of sections) {
    const next = `${text}${section}\n\n`
    if (Buffer.byteLength(next) > MAX_BYTES) return `${text}Cut: GitHub shows no more; see report.html.\n`
    text = next
  }
  return `${text.trimEnd()}\n`
}
