import { formatPosition, LvslabError } from '../errors.ts'
import type { JournalLine } from '../history/event.ts'
import type { CheckResult, Outcome } from '../judge/verdict.ts'
import type { Role } from '../topology/types.ts'
import { describeEvent } from './describe.ts'
import { exceedsBound, exceedsLimit, formatDuration, formatLimits, formatMeasured } from './measurement.ts'
import { type CollectLimits, collectLabs, type LabEvents } from './panel/collect.ts'
import { zeroOf } from './panel/lanes.ts'
import { type NodeFacts, type PackedLab, packLab } from './panel/pack.ts'
import type { Untested } from '../judge/verdict.ts'
import { type DrawnTopology, type RunReport, summaryLine } from './run.ts'
import { visible, visibleLine } from './visible.ts'

/** A measurement as the page shows it. */
export interface PageMeasurement {
  name: string
  measured: string
  bound?: string
  source?: string
  exceeds: boolean
  /** The value and its limits in one unit, for the gauge. */
  value: number
  min?: number
  max?: number
}

/** A check as the page shows it. Times are ms since the `from` of its lab. */
export interface PageCheck {
  outcome: Outcome
  check: string
  title: string
  reason: string
  lab: string
  took: string
  measurements: PageMeasurement[]
  zero: { t: number; label: string }
  proof: { t: number; kind: string; text: string }[]
}

/** The data of `report.html`, all of it. */
export interface PageData {
  title: string
  outcome: Outcome
  summary: string
  facts: [string, string][]
  command: string
  topology: DrawnTopology
  checks: PageCheck[]
  untested: Untested[]
  /** Servers that answered anywhere, in the order of their colours. */
  servers: string[]
  labs: Record<string, PackedLab>
  notes: string[]
}

const nodeFacts = ({ nodes = [] }: DrawnTopology): NodeFacts => ({
  roles: new Map<string, Role>(nodes.map(({ name, role }) => [name, role])),
  // the VIP that real servers carry on lo belongs to nobody: interfaces only
  names: new Map(nodes.flatMap(({ name, interfaces }) => interfaces.map(({ address }) => [address, name] as const))),
})

const pageCheck = (result: CheckResult, events: LabEvents | undefined, from: number): PageCheck => {
  const all = events ? [...events.others, ...events.requests].sort((a, b) => a.t - b.t) : []
  const zero = zeroOf(all.length > 0 ? all : result.proof, result.proof)
  return {
    outcome: result.outcome,
    check: result.check,
    title: visibleLine(result.title),
    reason: visible(result.reason),
    lab: result.lab,
    took: formatDuration(result.tookMs),
    measurements: result.measurements.map(measurement => {
      const bound = formatLimits(measurement)
      return {
        name: measurement.name,
        measured: formatMeasured(measurement),
        ...(bound !== undefined && { bound }),
        ...(measurement.bound && { source: measurement.bound.source, max: measurement.bound.maxMs }),
        ...(measurement.bound?.minMs !== undefined && { min: measurement.bound.minMs }),
        exceeds: exceedsBound(measurement) || exceedsLimit(measurement),
        value: measurement.value,
      }
    }),
    zero: { t: zero.t - from, label: visibleLine(zero.label) },
    proof: result.proof.map(event => ({ t: event.t - from, kind: event.kind, text: visible(describeEvent(event)) })),
  }
}

const placed = (error: Error): string =>
  error instanceof LvslabError && error.at ? `${formatPosition(error.at)} ${error.message}` : error.message

/** Everything that the page shows, from the report and one pass over the journal. */
export const createPageData = async (
  report: RunReport,
  lines: AsyncIterable<JournalLine> | Iterable<JournalLine>,
  limits?: CollectLimits,
): Promise<PageData> => {
  const { labs, failure } = await collectLabs(
    lines,
    report.results.map(({ lab }) => lab),
    limits,
  )
  const facts = nodeFacts(report.topology)
  const packed = labs.map(lab => packLab(lab, facts))
  const servers = new Set(packed.flatMap(({ requests, strings }) => requests.server.map(i => strings[i] ?? '')))
  servers.delete('')
  const { name, drawing, networks, nodes } = report.topology
  return {
    title: visibleLine(`lvslab ${report.verb} ${name}`),
    outcome: report.outcome,
    summary: summaryLine(report),
    facts: Object.entries({
      lvslab: report.lvslab,
      started: report.started,
      took: formatDuration(report.tookMs),
      ...report.engine,
    }),
    command: visibleLine(report.command),
    topology: { name, drawing: visible(drawing), ...(networks && { networks }), ...(nodes && { nodes }) },
    checks: report.results.map(result => {
      const i = labs.findIndex(({ lab }) => lab === result.lab)
      return pageCheck(result, labs[i], packed[i]?.from ?? 0)
    }),
    untested: report.untested,
    servers: [...servers].sort((a, b) => a.localeCompare(b, 'en', { numeric: true })),
    labs: Object.fromEntries(packed.map(lab => [lab.lab, lab])),
    notes: failure ? [`The journal could not be read to its end: ${placed(failure)}`] : [],
  }
}
