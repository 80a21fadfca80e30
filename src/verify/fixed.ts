import { join } from 'node:path'
import { type Marked, markedBy } from '../config/marks.ts'
import { readTable, type TableConfig } from '../config/table.ts'
import type { Untested } from '../judge/verdict.ts'
import type { Readiness } from '../lab/readiness.ts'
import { endpoint } from '../model/endpoint.ts'
import {
  type LdirectordCheck,
  ldirectordCheck,
  type LdirectordService,
  ldirectordUpBound,
} from '../model/ldirectord.ts'
import { serverKey } from '../model/pool.ts'
import type { VirtualService } from '../model/types.ts'
import { addressesOf } from '../topology/addresses.ts'
import { filesOfNode } from '../topology/director-files.ts'
import { rulesOf } from '../topology/rules.ts'
import type { Node } from '../topology/types.ts'
import { deviceOf, fixedVip } from './fixed-vips.ts'
import type { Plan, PlannedServer, PlannedService } from './plan.ts'
import { CONVERGENCE_MARGIN_MS, entriesOfMark, type Entry, schemeOf, tableName, urlOf } from './reach.ts'

/** A service at an address that its director has for good: no VRRP moves it, and ldirectord or nobody checks its servers. */
export interface FixedService extends PlannedService {
  director: string
  /** How ldirectord checks it; undefined where no bound is known, and with ipvsadm alone. */
  check?: LdirectordCheck
  /** Of ldirectord.cf. */
  section?: LdirectordService
  /** Servers that ldirectord checks before it comes back to one: of the section where each has a process, else of all. */
  others: number
}

/** What a director without keepalived has its table from; undefined where it has none of the files. */
export const tableOf = ({ name, files }: Node, untested: Untested[]): TableConfig | undefined => {
  if (files === undefined) return undefined
  const [first, ...others] = filesOfNode(name, files).flatMap(({ program, file }) =>
    program === 'keepalived' ? [] : [{ program, file }],
  )
  for (const { file } of others)
    untested.push({
      what: `${file} (${name})`,
      why: 'ldirectord makes the table: what was restored before is not judged',
    })
  return first && readTable(name, first.program, join(files, first.file))
}

/** The services of directors without VRRP that clients reach, each at each of its addresses. */
export const planFixed = ({
  topology,
  tables,
  spokenTo,
  untested,
}: Pick<Plan, 'topology' | 'tables' | 'spokenTo' | 'untested'>): FixedService[] =>
  tables.flatMap(config => {
    const node = topology.nodes.find(one => one.name === config.node) as Node
    const marked = markedBy(rulesOf(node))
    return config.services.flatMap(service =>
      entriesOf(service, marked).flatMap(({ address, entries }) => {
        const found = planned({ topology, spokenTo }, node, config, service, address, entries)
        if (typeof found !== 'string') return [found]
        untested.push({ what: `service ${service.name}`, why: found })
        return []
      }),
    )
  })

/** Where clients ask for a service; without an address, where nobody can tell. */
const entriesOf = (service: VirtualService, marked: Marked[]): { address?: string; entries: Entry[] }[] => {
  const { address, port = 0, fwmark, protocol } = service
  if (address !== undefined) return [{ address, entries: [{ protocol, port }] }]
  const its = marked.filter(one => one.mark === fwmark)
  return its.length > 0 ? its.map(one => ({ address: one.address, entries: entriesOfMark(one) })) : [{ entries: [] }]
}

/** A service at one address, or why it is not driven. */
const planned = (
  { topology, spokenTo }: Pick<Plan, 'topology' | 'spokenTo'>,
  node: Node,
  config: TableConfig,
  service: VirtualService,
  address: string | undefined,
  entries: Entry[],
): FixedService | string => {
  if (address === undefined) return `no rule that can be read marks connections with ${service.fwmark}`
  const device = deviceOf(node, address)
  if (device === undefined) return `${node.name} does not have ${address} in topology.yaml`
  const section = config.ldirectord?.services.find(one => one.service === service)
  if (section?.checkType === 'off') return 'checktype off: ldirectord puts no server into the table'
  const all = entries.map(entry => {
    const isHttp = section?.protocol === 'http' && entry.protocol === 'TCP' && entry.port !== 0
    return { ...entry, scheme: isHttp ? ('http' as const) : schemeOf(service, entry, spokenTo) }
  })
  const driven = all.find(({ scheme }) => typeof scheme === 'string') ?? all[0]
  if (!driven) return 'it has no port'
  const { port, scheme } = driven
  if (typeof scheme !== 'string') return scheme.why
  const servers = service.realServers.flatMap((server): PlannedServer[] => {
    const its = topology.nodes.find(one => one.role !== 'client' && addressesOf(one).includes(server.address))
    return its ? [{ node: its.name, name: its.farm ? server.address : its.name, server }] : []
  })
  const lost = service.realServers.find(server => !servers.some(one => one.server === server))
  if (lost) return `no node of the topology has the address of its real server ${lost.address}`
  const keys = service.realServers.map(serverKey)
  const twice = keys.find((key, n) => keys.indexOf(key) < n)
  if (twice) return `${twice} stands twice in its section, and which of the two counts is not known`
  const check = section && config.ldirectord && ldirectordCheck(section, config.ldirectord)
  const name = service.fwmark === undefined ? service.name : `${service.name} ${endpoint(address, port)}`
  return {
    ...{ name, director: node.name, vip: fixedVip({ node, device }, address, service.at) },
    others: Math.max(0, checkedTogether(config, service) - 1),
    ...{ service, table: tableName(service), port, url: urlOf(scheme, address, port), servers },
    ...(check ? { check } : {}),
    ...(section ? { section } : {}),
  }
}

const checkedTogether = ({ ldirectord, services }: TableConfig, service: VirtualService): number =>
  (ldirectord?.fork ? [service] : services).reduce((sum, one) => sum + one.realServers.length, 0)

/** ldirectord has found every server, or ipvsadm has restored the table. */
export const fixedReadiness = ({ director, table, service, check }: FixedService): Readiness => {
  const alive = service.realServers.filter(server => server.weight > 0)
  const checked = check && ldirectordUpBound(check, 'silent')
  return {
    title: `${table} on ${director} has its ${alive.length} real servers`,
    condition: {
      kind: 'pool',
      node: director,
      service: table,
      destinations: alive.map(({ address, port }) => `${address}:${port}`),
    },
    deadlineMs: CONVERGENCE_MARGIN_MS + (checked?.maxMs ?? 0),
  }
}
