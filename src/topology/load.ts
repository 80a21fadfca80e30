import { existsSync, lstatSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

import { formatPosition, LvslabError } from '../errors.ts'
import { parseDuration } from '../model/duration.ts'
import { type Limit, LIMIT_NAMES } from '../model/limits.ts'
import { arpSettings } from './arp.ts'
import { checkMeaning } from './checks.ts'
import { hint } from './did-you-mean.ts'
import { findTopologyFile, shortPath } from './find.ts'
import { reportIssue } from './messages.ts'
import { IPTABLES_FILE } from './rules.ts'
import { topologySchema } from './schema.ts'
import type { TopologyInput } from './schema.ts'
import { YamlSource } from './source.ts'
import type { Topology } from './types.ts'

/** Largest topology.yaml that is read, bytes. */
const MAX_BYTES = 1024 * 1024

/** Most problems that one error lists. */
const MAX_PROBLEMS = 50

/**
 * Reads the topology in a folder (or in a file that describes one), checks it and fills in every default.
 *
 * @param dirOrFile the folder that holds topology.yaml, or that file
 * @throws {LvslabError} TOPOLOGY_NOT_FOUND when there is none; TOPOLOGY_INVALID with every problem found, one per
 *   line as `file:line:column message`. Both with exit code 2.
 */
export const loadTopology = (dirOrFile: string): Topology => {
  const file = findTopologyFile(dirOrFile)
  const name = shortPath(file)
  const { size } = statSync(file)
  if (size > MAX_BYTES) throw invalid([`${name}:1:1 the file has ${size} bytes; at most ${MAX_BYTES} are read`])

  const source = new YamlSource(name, readFileSync(file, 'utf8'))
  if (source.problems.length > 0) throw invalid(linesOf(source))
  if (source.data === null) throw invalid([`${name}:1:1 the file is empty`])
  const parsed = topologySchema.safeParse(source.data)
  for (const issue of parsed.error?.issues ?? []) reportIssue(source, issue)
  checkMeaning(source)
  const dir = dirname(file)
  checkRules(source, dir)
  const problems = [...linesOf(source), ...folderProblems(dir, source.data)]
  if (!parsed.success || problems.length > 0) throw invalid(problems)
  return build(file, source, parsed.data)
}

const invalid = (lines: string[]): LvslabError => {
  const rest = lines.length - MAX_PROBLEMS
  const shown = rest > 0 ? [...lines.slice(0, MAX_PROBLEMS), `... and ${rest} more`] : lines
  return new LvslabError('TOPOLOGY_INVALID', shown.join('\n'), {
    exitCode: 2,
    remedy:
      'topologies/topology.schema.json says what may stand where, to editors too; topologies/keepalived-dr/topology.yaml is one to copy',
  })
}

const linesOf = (source: YamlSource): string[] =>
  source.problems
    .toSorted((a, b) => a.at.line - b.at.line || a.at.column - b.at.column)
    .map(({ at, message }) => `${formatPosition(at)} ${message}`)

/** Two texts of one file: whichever were taken, somebody would look for the other's rules. */
const checkRules = (source: YamlSource, dir: string): void => {
  for (const [name, node] of Object.entries(nodesOf(source.data))) {
    const file = join(dir, name, IPTABLES_FILE)
    if (node?.iptables === undefined || !existsSync(file)) continue
    source.report(
      ['nodes', name, 'iptables'],
      `iptables: ${name} has ${shortPath(file)} as well; keep one of them`,
      'key',
    )
  }
}

const nodesOf = (data: unknown): Record<string, { iptables?: unknown } | null> => {
  const { nodes } = data as Partial<TopologyInput>
  return typeof nodes === 'object' && nodes !== null ? nodes : {}
}

/** A folder beside topology.yaml holds the files of the node of its name; one of no node's name is a misspelling. */
const folderProblems = (dir: string, data: unknown): string[] => {
  const names = Object.keys(nodesOf(data))
  if (names.length === 0) return []
  const problems: string[] = []
  for (const entry of readdirSync(dir, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = shortPath(join(dir, entry.name))
    const isNode = names.includes(entry.name)
    if (isNode && !entry.isDirectory())
      problems.push(`${path} must be a folder: it holds the files of node ${entry.name}`)
    if (isNode || entry.name.startsWith('.') || !entry.isDirectory()) continue
    problems.push(`${path}/ is the folder of no node${hint(entry.name, names, 'nodes')}`)
  }
  return problems
}

const build = (file: string, source: YamlSource, input: TopologyInput): Topology => ({
  name: input.name,
  ...(input.summary === undefined ? {} : { summary: input.summary }),
  dir: dirname(file),
  ...(input.expect === undefined ? {} : { expect: limitsOf(file, source, input.expect) }),
  networks: Object.entries(input.networks).map(([name, { subnet, gateway, driver }]) => ({
    name,
    subnet,
    ...(gateway === undefined ? {} : { gateway }),
    ...(driver === 'bridge' ? { driver } : {}),
  })),
  nodes: Object.entries(input.nodes).map(([name, node]) => {
    const files = join(dirname(file), name)
    return {
      name,
      role: node.role,
      ...(node.farm ? { farm: true as const } : {}),
      interfaces: Object.entries(node.interfaces).map(([key, { metric, ...its }]) => ({
        name: key,
        ...its,
        addresses: its.addresses ?? [],
        ...(metric === undefined ? {} : { metric }),
      })),
      loopback: node.loopback ?? [],
      tunnels: Object.entries(node.tunnels ?? {}).map(([key, addresses]) => ({
        name: key,
        addresses: addresses ?? [],
      })),
      sysctls: Object.fromEntries(
        [...arpSettings(node.arp ?? {}), ...Object.entries(node.sysctls ?? {})].map(([key, value]) => [
          key,
          String(value),
        ]),
      ),
      routes: (node.routes ?? []).map(route => route.trim().replace(/\s+/g, ' ')),
      ...(node.iptables?.length ? { iptables: node.iptables } : {}),
      ...(node.processes?.length ? { processes: node.processes } : {}),
      ...(node.packages?.length ? { packages: node.packages } : {}),
      ...(lstatSync(files, { throwIfNoEntry: false }) ? { files } : {}),
    }
  }),
})

const limitsOf = (file: string, source: YamlSource, expected: NonNullable<TopologyInput['expect']>): Limit[] =>
  LIMIT_NAMES.flatMap(name => {
    const maxMs = parseDuration(expected[name] ?? '')
    return maxMs === undefined ? [] : [{ name, maxMs, at: `${basename(file)}:${source.line(['expect', name])}` }]
  })
