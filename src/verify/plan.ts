import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Condition } from '../agent/protocol.ts'
import { readDirector } from '../config/keepalived/director.ts'
import { formatPosition, LvslabError } from '../errors.ts'
import type { Readiness } from '../lab/readiness.ts'
import { explainDualMaster } from '../model/dual-master.ts'
import { byElection, type GroupMember, type VrrpGroup, vrrpGroups } from '../model/pair.ts'
import type { DirectorConfig, RealServer, VirtualService } from '../model/types.ts'
import { settled } from '../model/track.ts'
import { startBound } from '../model/vrrp.ts'
import type { Untested } from '../judge/verdict.ts'
import type { Node, Topology } from '../topology/types.ts'

/** A VIP with the directors that may hold it, the expected MASTER first. */
export interface PlannedVip {
  address: string
  /** Network that its directors are heard on. */
  network: string
  members: GroupMember[]
}

/** A real server with the node that plays it. */
export interface PlannedServer {
  node: string
  server: RealServer
}

/** A virtual service that clients reach through a VIP of this lab. */
export interface PlannedService {
  vip: PlannedVip
  service: VirtualService
  /** As the kernel's table calls it: `TCP 10.0.0.100:80`. */
  table: string
  /** What a client asks for. */
  url: string
  servers: PlannedServer[]
}

/** What the configuration of a topology's directors promises, and what of it can be verified. */
export interface Plan {
  topology: Topology
  configs: DirectorConfig[]
  /** Names of the directors. */
  directors: string[]
  /** Node that the probes start from. */
  client: string
  vips: PlannedVip[]
  services: PlannedService[]
  readiness: Readiness[]
  /** Why two could be MASTER, on paper. */
  dualMaster: string[]
  /** Passwords of the configuration: masked wherever people or CI may read. */
  secrets: string[]
  untested: Untested[]
}

/** Convergence waits this much longer than predicted, ms of lab time: nodes start one after the other. */
const CONVERGENCE_MARGIN_MS = 15_000

/** Reads the directors' configurations and says what they promise. Needs no engine. */
export const planTopology = (topology: Topology): Plan => {
  const directorNodes = topology.nodes.filter(node => node.role === 'director')
  const [client] = topology.nodes.filter(node => node.role === 'client')
  if (directorNodes.length === 0 || !client) {
    throw new LvslabError(
      'PLAN_ROLES',
      `${topology.name} has no ${client ? 'director' : 'client'}: nothing to verify`,
      {
        remedy: 'give topology.yaml a node with `role: director`, and one with `role: client` for the probes',
        exitCode: 2,
      },
    )
  }
  const [configured, others] = partition(directorNodes, hasKeepalived)
  const configs = configured.map(({ name, files }) => readDirector({ node: name, root: files ?? '' }))
  const groups = vrrpGroups(configs, locate(topology))
  const vips = plannedVips(groups)
  // what keepalived skips was not exercised either
  const untested: Untested[] = configs.flatMap(({ node, notices }) =>
    notices.map(({ at, message }) => ({ what: `${formatPosition(at)} (${node})`, why: message })),
  )
  for (const { name } of others) {
    untested.push({ what: name, why: 'it runs no keepalived, and nothing is predicted from anything else' })
  }
  const services = planServices(topology, configs, vips, untested)
  return {
    topology,
    configs,
    directors: directorNodes.map(node => node.name),
    client: client.name,
    vips,
    services,
    readiness: [
      ...vips.map(vip => vipReadiness(vip)),
      ...services.flatMap(s => serviceReadiness(s, client.name, vips)),
      // without keepalived nothing changes by itself: who can answer, answers
      ...(configs.length === 0 ? topology.nodes.filter(node => node.role === 'realserver').map(answers) : []),
    ],
    dualMaster: explainDualMaster(configs).map(cause => cause.message),
    secrets: configs.flatMap(c => c.instances.flatMap(i => (i.authentication ? [i.authentication.secret] : []))),
    untested,
  }
}

/**
 * Who may hold each VIP. Every instance that has it counts, whatever its virtual_router_id: two that differ in it never hear
 * each other, and both hold it.
 */
const plannedVips = (groups: VrrpGroup[]): PlannedVip[] => {
  const holders = new Map<string, PlannedVip>()
  for (const { network, members } of groups) {
    for (const member of members) {
      for (const { address } of member.instance.addresses) {
        const vip = holders.get(`${network} ${address}`) ?? { address, network, members: [] }
        holders.set(`${network} ${address}`, vip)
        // the priority that counts is the one with what is tracked, all of which is up in a healthy lab
        vip.members.push({ ...member, instance: settled(member.instance) })
      }
    }
  }
  const rank = (member: GroupMember) => ({ priority: member.instance.priority, address: member.address })
  for (const vip of holders.values()) vip.members.sort((a, b) => byElection(rank(a), rank(b)))
  return [...holders.values()]
}

/** Whether the configuration says who the MASTER is: between equal priorities it is whoever comes first. */
export const hasExpectedMaster = ({ members: [first, second] }: PlannedVip): boolean =>
  first?.instance.priority !== second?.instance.priority

/** Whether a director runs keepalived; one with a folder for its configuration is meant to, whatever is in it. */
const hasKeepalived = ({ files }: Node): boolean => files !== undefined && existsSync(join(files, 'etc/keepalived'))

const partition = <T>(all: T[], is: (one: T) => boolean): [T[], T[]] => [all.filter(is), all.filter(one => !is(one))]

/** @throws LvslabError PLAN_NO_CONFIG where no director runs keepalived: no bound and no share can be predicted */
export const requirePredictions = ({ topology, configs, directors }: Plan): void => {
  if (configs.length > 0) return
  const message = `no director of ${topology.name} runs keepalived (${directors.join(', ')}), and nothing is predicted from ipvsadm rules`
  throw new LvslabError('PLAN_NO_CONFIG', message, {
    remedy: `put keepalived.conf at ${directors[0]}/etc/keepalived/ beside topology.yaml, or write a suite: CONTRIBUTING.md, "A scenario"`,
    exitCode: 2,
  })
}

/** Its port is the topology's own affair; httpd listens on all of them when it has become a daemon. */
const answers = ({ name }: Node): Readiness => ({
  title: `httpd runs on ${name}`,
  condition: { kind: 'process', node: name, name: 'apache2', present: true },
  deadlineMs: CONVERGENCE_MARGIN_MS,
})

const locate = (topology: Topology) => (name: string, device: string) => {
  const found = topology.nodes.find(node => node.name === name)?.interfaces.find(i => i.name === device)
  return found && { network: found.network, address: found.address }
}

/** The services of the expected MASTER; both directors of a pair are configured alike. */
const planServices = (
  topology: Topology,
  configs: DirectorConfig[],
  vips: PlannedVip[],
  untested: Untested[],
): PlannedService[] => {
  const planned: PlannedService[] = []
  for (const vip of vips) {
    const config = configs.find(c => c.node === vip.members[0]?.node)
    for (const service of config?.services ?? []) {
      if (service.address !== vip.address) continue
      const why = undriven(service)
      if (why) {
        untested.push({ what: `service ${service.name}`, why })
        continue
      }
      const servers: PlannedServer[] = []
      for (const server of service.realServers) {
        const node = topology.nodes.find(n => n.interfaces.some(i => i.address === server.address))
        if (node) servers.push({ node: node.name, server })
        else untested.push({ what: `real server ${server.address}`, why: 'no node of the topology has this address' })
      }
      const table = `TCP ${service.address}:${service.port}`
      planned.push({ vip, service, table, url: `http://${service.address}:${service.port}/`, servers })
    }
  }
  for (const service of configs.flatMap(c => c.services)) {
    if (service.fwmark !== undefined) {
      untested.push({ what: `service ${service.name}`, why: 'services by firewall mark are not driven yet' })
      continue
    }
    if (planned.some(p => p.service.name === service.name) || untested.some(u => u.what === `service ${service.name}`))
      continue
    untested.push({ what: `service ${service.name}`, why: 'no VRRP instance of this topology holds its address' })
  }
  return planned
}

/** Why no probe can drive a service; undefined where one can. Probes speak HTTP. */
const undriven = ({ protocol, port, realServers }: VirtualService): string | undefined => {
  if (protocol !== 'TCP' || !port) return 'only TCP services with a port are driven'
  const checks = realServers.flatMap(server => server.checks.map(check => check.type))
  const speaksHttp = port === 80 || port === 8080 || checks.includes('HTTP_GET')
  return speaksHttp ? undefined : `only HTTP is spoken, and nothing says that port ${port} serves it`
}

const vipReadiness = (vip: PlannedVip): Readiness => {
  const { address, members } = vip
  const longest = Math.max(...members.map(m => startBound(m.instance, m.startupDelay).maxMs + m.instance.preemptDelay))
  const names = members.map(m => m.node)
  const alone = (node: string): Condition => ({ kind: 'owner', address, node, others: names.filter(n => n !== node) })
  const sure = hasExpectedMaster(vip)
  return {
    title: `${address} is on ${sure ? names[0] : `one of ${names.join(', ')}`} alone`,
    condition: sure ? alone(names[0] ?? '') : { kind: 'any', of: names.map(alone) },
    deadlineMs: CONVERGENCE_MARGIN_MS + longest,
  }
}

const serviceReadiness = (planned: PlannedService, client: string, vips: PlannedVip[]): Readiness[] => {
  const { table, servers, service } = planned
  const master = vips.find(vip => vip.address === service.address)?.members[0]?.node ?? ''
  const alive = servers.filter(({ server }) => server.weight > 0)
  const destinations = alive.map(({ server }) => `${server.address}:${server.port}`)
  return [
    {
      title: `${table} on ${master} has ${alive.map(s => s.node).join(', ')}`,
      condition: { kind: 'pool', node: master, service: table, destinations },
      deadlineMs: CONVERGENCE_MARGIN_MS,
    },
    ...alive.map(({ node, server }) => ({
      title: `${node} listens on port ${server.port}`,
      condition: { kind: 'listening' as const, node: client, address: server.address, port: server.port },
      deadlineMs: CONVERGENCE_MARGIN_MS,
    })),
  ]
}
