import type { Condition } from '../agent/protocol.ts'
import type { Readiness } from '../lab/readiness.ts'
import { saysOf } from '../judge/tracked.ts'
import { startUpBound } from '../model/alpha.ts'
import { scriptUpBound } from '../model/track.ts'
import type { DirectorConfig } from '../model/types.ts'
import { startBound } from '../model/vrrp.ts'
import { addressesOf } from '../topology/addresses.ts'
import type { Node, Topology } from '../topology/types.ts'
import { fixedReadiness } from './fixed.ts'
import type { Plan, PlannedService, PlannedVip } from './plan.ts'
import { asksByUdp, CONVERGENCE_MARGIN_MS, tableName } from './reach.ts'
import { lists, unsureToHear, whoeverComesFirst } from './vips.ts'

/** What must be so before a lab of the topology can be tested. */
export const readinessOf = ({
  topology,
  configs,
  vips,
  services,
  fixed,
}: Pick<Plan, 'topology' | 'configs' | 'vips' | 'services' | 'fixed'>): Readiness[] => [
  ...configs.flatMap(scriptReadiness),
  ...vips.flatMap(vip => vipReadiness(vip)),
  ...oncePerFarm(
    services.flatMap(service => serviceReadiness(service, configs)),
    topology,
  ),
  ...fixed.map(fixedReadiness),
  // without keepalived nothing changes by itself: who can answer, answers
  ...(configs.length === 0 ? topology.nodes.filter(node => node.role === 'realserver').map(answers) : []),
]

/** What a script looks for may be there later than keepalived, which then has other priorities until `rise` runs have succeeded. */
const scriptReadiness = ({ node, instances }: DirectorConfig): Readiness[] => {
  const tracked = instances.flatMap(({ trackScripts }) => trackScripts.filter(({ reverse }) => !reverse))
  return [...new Map(tracked.map(({ script }) => [script.name, script])).values()].map(script => {
    const begins = saysOf(script.name)
    const line = `${begins}succeeded`
    return {
      title: `vrrp_script ${script.name} succeeds on ${node}`,
      condition: { kind: 'event', match: { kind: 'keepalived', node, line } },
      deadlineMs: CONVERGENCE_MARGIN_MS + scriptUpBound(script, 'takes time').maxMs,
      unlessSaid: { node, begins, line },
    }
  })
}

/** Its port is the topology's own affair; httpd listens on all of them when it has become a daemon. */
const answers = ({ name }: Node): Readiness => ({
  title: `httpd runs on ${name}`,
  condition: { kind: 'process', node: name, name: 'apache2', present: true },
  deadlineMs: CONVERGENCE_MARGIN_MS,
})

const vipReadiness = (vip: PlannedVip): Readiness[] => {
  const { address, members } = vip
  const longest = Math.max(...members.map(m => startBound(m.instance, m.startupDelay).maxMs + m.instance.preemptDelay))
  const names = members.map(m => m.node)
  const others = unsureToHear(vip) ? [] : names
  const alone = (node: string): Condition => ({ kind: 'owner', address, node, others: others.filter(n => n !== node) })
  const sure = whoeverComesFirst(vip) === undefined
  // that nobody has it then is for the checks to say
  const first = members.slice(0, sure ? 1 : undefined).filter(member => lists(member, vip))
  if (first.length === 0) return []
  const one = first.map(member => member.node)
  return [
    {
      title: `${address} is on ${sure ? one[0] : `one of ${one.join(', ')}`} alone`,
      condition: sure ? alone(one[0] ?? '') : { kind: 'any', of: one.map(alone) },
      deadlineMs: CONVERGENCE_MARGIN_MS + longest,
    },
  ]
}

const serviceReadiness = (planned: PlannedService, configs: DirectorConfig[]): Readiness[] => {
  const { vip, table, port, servers } = planned
  const master = vip.members[0]?.node ?? ''
  const alive = servers.filter(({ server }) => server.weight > 0)
  const destinations = alive.map(({ server }) => `${server.address}:${server.port}`)
  const slowest = Math.max(0, ...alive.map(({ server }) => startUpBound(server)?.maxMs ?? 0))
  // without alpha the pool is whole when keepalived has started; with it a backup's may be empty when the first fault hits
  const has = (node: string): boolean =>
    configs.some(config => config.node === node && config.services.some(service => tableName(service) === table))
  const backups = slowest > 0 ? vip.members.slice(1).flatMap(({ node }) => (has(node) ? [node] : [])) : []
  return [
    ...[master, ...backups].map(node => ({
      title: `${table} on ${node} has ${alive.map(s => s.name).join(', ')}`,
      condition: { kind: 'pool' as const, node, service: table, destinations },
      deadlineMs: CONVERGENCE_MARGIN_MS + slowest,
    })),
    // etc/rc.local starts what answers datagrams, and has come to its end when its node is there
    ...(asksByUdp(planned) ? [] : alive).map(({ name, server }) => ({
      title: `${name} answers ${master} on port ${server.port || port}`,
      // behind NAT only the directors reach them
      condition: { kind: 'listening' as const, node: master, address: server.address, port: server.port || port },
      deadlineMs: CONVERGENCE_MARGIN_MS,
    })),
  ]
}

/** Of the servers of a farm, which are one httpd, one for each port is waited for: asking is a process each. */
const oncePerFarm = (readiness: Readiness[], { nodes }: Topology): Readiness[] => {
  const farms = new Map(nodes.filter(node => node.farm).flatMap(node => addressesOf(node).map(a => [a, node.name])))
  const seen = new Set<string>()
  return readiness.filter(({ condition }) => {
    const farm = condition.kind === 'listening' ? farms.get(condition.address) : undefined
    if (condition.kind !== 'listening' || farm === undefined) return true
    const key = `${farm}:${condition.port}`
    return !seen.has(key) && seen.add(key)
  })
}
