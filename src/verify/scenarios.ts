import type { Condition } from '../agent/protocol.ts'
import { LvslabError } from '../errors.ts'
import { claims } from '../judge/garp.ts'
import type { PlannedCheck } from '../judge/rules.ts'
import type { Lab } from '../lab/lab.ts'
import type { Probe } from '../lab/probes.ts'
import { seconds, withSlack } from '../model/bound.ts'
import { sorryBound, sorryEndsBound } from '../model/health-check.ts'
import type { GroupMember } from '../model/pair.ts'
import { cycleShares } from '../model/shares.ts'
import { syncedBound } from '../model/sync-group.ts'
import type { Bound } from '../model/types.ts'
import { crashBound, handoverBound, preemptBound, stopBound } from '../model/vrrp.ts'
import {
  movingTogether,
  type Plan,
  type PlannedServer,
  type PlannedService,
  type PlannedVip,
  whoeverComesFirst,
} from './plan.ts'
import {
  AFTER_MS,
  BEFORE_MS,
  PATIENCE_MS,
  PROBE_RATE,
  PROBE_STEP_MS,
  type Scenario,
  SLACK_MS,
  SLOW_PROBE_RATE,
} from './scenario.ts'
import { askedFor, isLarge, onFarms, sampleOf, serversLostTogether, sharesOfAll } from './scenarios/large.ts'
import { refusalsHeldBack, removalOf } from './scenarios/removable.ts'

/** The exact test that keepalived offers for its own configuration. */
const CONFIG_TEST = ['keepalived', '--config-test']

/** What every probe is called; a fork has one. */
const PROBE = 'clients'

/** Every scenario that follows from a plan, the most valuable first; what cannot be judged goes to `plan.untested`. */
export const planScenarios = (plan: Plan): Scenario[] => {
  const large = isLarge(plan)
  const sample = sampleOf(plan)
  return namedApart([
    configuration(plan),
    ...(large ? sharesOfAll(plan) : plan.services.flatMap(service => sharesScenario(plan, service))),
    ...sample.vips.flatMap(vip => [
      ...failover(plan, vip, 'stop', 'keepalived-stop', stopBound),
      ...failover(plan, vip, 'crash', 'keepalived-crash', crashBound),
    ]),
    ...(large
      ? serversLostTogether(plan)
      : plan.services.flatMap(service => service.servers.flatMap(server => serverLost(plan, service, server)))),
    ...sample.services.flatMap(service => sorryPage(plan, service)),
  ])
}

/** The journal knows labs by their names. @throws LvslabError PLAN_SCENARIO_TWICE where two would have the same one */
const namedApart = (scenarios: Scenario[]): Scenario[] => {
  const names = new Set<string>()
  for (const { name } of scenarios) {
    if (names.has(name))
      throw new LvslabError('PLAN_SCENARIO_TWICE', `two scenarios are called ${name}, and so would be their labs`, {
        remedy: 'look for a virtual server, a real server or a VIP that the configuration has twice',
        exitCode: 2,
      })
    names.add(name)
  }
  return scenarios
}

/** What is judged on the journal of the convergence itself, before any fork. */
export const convergenceChecks = (plan: Plan): PlannedCheck[] =>
  plan.vips.map(({ address, members }) => ({
    check: `single-owner-${address}`,
    title: `one director at a time holds the VIP ${address}`,
    rule: 'single-owner',
    params: {
      vip: address,
      directors: members.map(({ node, address: own }) => ({ node, address: own })),
      bound: handoverBound((members[0] as GroupMember).instance),
      causes: plan.dualMaster,
    },
  }))

const configuration = (plan: Plan): Scenario => ({
  name: 'configuration',
  drive: async lab => {
    for (const director of plan.directors) await lab.exec(director, CONFIG_TEST, { record: true })
  },
  checks: plan.directors.map(director => ({
    check: `configuration-${director}`,
    title: `keepalived on ${director} accepts every line of its configuration`,
    rule: 'configuration',
    params: { director, command: CONFIG_TEST.join(' ') },
  })),
})

const startProbe = (lab: Lab, plan: Plan, service: PlannedService, rate: number): Promise<Probe> =>
  lab.http({ probe: PROBE, client: plan.client, url: service.url, rate })

const sharesScenario = (plan: Plan, planned: PlannedService): Scenario[] => {
  const { service, servers } = planned
  const expected = cycleShares(service, server => servers.find(s => s.server === server)?.name ?? server.address)
  if (!expected || expected.cycle === 0) {
    const why = service.persistence ? 'the service is persistent' : `${service.scheduler} has no exact share`
    plan.untested.push({ what: `shares of ${planned.name}`, why })
    return []
  }
  const requests = expected.cycle * Math.ceil(100 / expected.cycle)
  return [
    {
      name: `shares-${planned.name}`,
      drive: async lab => {
        const probe = await lab.http({
          ...{ probe: PROBE, client: plan.client, url: planned.url, rate: PROBE_RATE, count: requests },
        })
        await probe.ended()
      },
      checks: [
        {
          check: `shares-${planned.name}`,
          title: `${service.scheduler} shares the connections to ${planned.name} out to ${Object.keys(expected.shares).join(', ')}`,
          rule: 'shares',
          params: { probe: PROBE, expected },
        },
      ],
    },
  ]
}

/** Why what the directors of a VIP send cannot be read from the wire; undefined where it can. */
const unheardOnWire = (plan: Plan, { address, members }: PlannedVip): string | undefined => {
  const [first, ...others] = members.map(({ instance }) => instance)
  if (others.some(other => other.virtualRouterId !== first?.virtualRouterId)) return 'virtual_router_id differs'
  if (members.some(({ instance }) => instance.authentication?.type === 'AH')) return 'adverts within AH are not read'
  const devices = (name: string): string[] =>
    plan.topology.nodes.find(node => node.name === name)?.interfaces.map(one => one.name) ?? []
  const elsewhere = members.find(({ node, instance }) =>
    instance.addresses.some(vip => vip.address === address && !devices(node).includes(vip.device)),
  )
  return elsewhere && `on ${elsewhere.node} the VIP is on a device that the topology does not name`
}

type BoundOfPair = (master: GroupMember['instance'], backup: GroupMember['instance']) => Bound

/** The bound of VIPs that move together. */
const boundOfAll = (vips: PlannedVip[], boundOf: BoundOfPair): Bound =>
  syncedBound(
    vips.map(({ members: [master, backup] }) =>
      boundOf((master as GroupMember).instance, (backup as GroupMember).instance),
    ) as [Bound, ...Bound[]],
  )

/** keepalived ends on the MASTER in one way or another, and comes back. */
const failover = (
  plan: Plan,
  vip: PlannedVip,
  cause: 'stop' | 'crash',
  fault: 'keepalived-stop' | 'keepalived-crash',
  boundOf: BoundOfPair,
): Scenario[] => {
  const [master, backup] = vip.members
  const service = plan.services.find(s => s.vip === vip)
  const what = cause === 'stop' ? 'a clean stop' : 'a crash'
  if (!master || !backup) {
    plan.untested.push({ what: `failover of ${vip.address} after ${what}`, why: 'only one director may hold it' })
    return []
  }
  const together = movingTogether(plan, vip)
  const why =
    together.map(whoeverComesFirst).find(reason => reason !== undefined) ??
    (together.some(one => one.members[0]?.node !== master.node)
      ? `the instances of the sync group ${master.instance.syncGroup} have their highest priorities on different directors`
      : undefined)
  if (why) {
    plan.untested.push({ what: `failover of ${vip.address} after ${what}`, why })
    return []
  }
  const bound = boundOfAll(together, boundOf)
  // with nopreempt whoever comes first is MASTER, which has been refused
  const preempt = boundOfAll(together, (one, other) => preemptBound(one, other, master.startupDelay) as Bound)
  const directors = vip.members.map(m => m.node)
  const watch = service ? { watch: { probe: PROBE, stepMs: PROBE_STEP_MS } } : {}
  const [from, to] = [master.node, backup.node]
  const owner = (node: string, others: string[]): Condition => ({ kind: 'owner', address: vip.address, node, others })
  const checks: PlannedCheck[] = [
    {
      check: `failover-${cause}`,
      title: `${to} takes over the VIP ${vip.address} after ${what} of keepalived on ${from}`,
      rule: 'failover',
      params: { vip: vip.address, directors, from, to, fault, bound, slackMs: SLACK_MS, ...watch },
    },
    {
      check: `preemption-${cause}`,
      title: `${from} takes the VIP ${vip.address} back when keepalived returns after ${what}`,
      rule: 'preemption',
      params: {
        ...{ vip: vip.address, directors, to: from, fault, bound: preempt, slackMs: SLACK_MS, ...watch },
        gapBound: handoverBound(backup.instance),
      },
    },
    {
      check: `single-owner-${cause}`,
      title: `one live director holds the VIP ${vip.address}, and only one, around ${what}`,
      rule: 'single-owner',
      params: {
        vip: vip.address,
        directors: vip.members.map(({ node, address }) => ({ node, address })),
        bound: withSlack(handoverBound(backup.instance), 'scheduling', SLACK_MS),
        noneBound: withSlack(bound, 'scheduling', SLACK_MS),
        causes: plan.dualMaster,
      },
    },
  ]
  const unheard = unheardOnWire(plan, vip)
  if (unheard)
    plan.untested.push({ what: `adverts and ${claims(vip.address)} of ${vip.address} around ${what}`, why: unheard })
  else {
    checks.push(
      {
        check: `garp-${cause}`,
        title: `whoever takes the VIP ${vip.address} announces it by ${claims(vip.address)}, after ${what}`,
        rule: 'garp',
        // garp_master_repeat may be anything from 1 on
        params: { vip: vip.address, directors, count: 1, slackMs: SLACK_MS },
      },
      {
        check: `silent-backup-${cause}`,
        title: `only the MASTER of ${vip.address} sends adverts, around ${what}`,
        rule: 'silent-backup',
        params: {
          ...{ vip: vip.address, directors, vrid: master.instance.virtualRouterId, network: vip.network },
          slackMs: SLACK_MS,
        },
      },
    )
  }
  return [
    {
      name: `failover-${cause}-${vip.address}`,
      drive: async lab => {
        const probe = service && (await startProbe(lab, plan, service, PROBE_RATE))
        await lab.sleep(BEFORE_MS)
        const heal = await lab.inject(fault, from)
        // a crashed MASTER keeps the VIP, so only the backup is looked at
        await lab.until(owner(to, []), bound.maxMs + PATIENCE_MS)
        await lab.sleep(AFTER_MS)
        await heal()
        await lab.until(owner(from, [to]), preempt.maxMs + PATIENCE_MS)
        await lab.sleep(AFTER_MS)
        await probe?.stop()
      },
      checks,
    },
  ]
}

/** The web server of one real server crashes: its port refuses, and its health check sees that at the next look. */
const serverLost = (plan: Plan, planned: PlannedService, one: PlannedServer): Scenario[] => {
  const { node, server } = one
  const { vip, table, servers } = planned
  const what = `removal and return of ${node} (${planned.name})`
  const alike = servers.filter(other => other.node === node && other.server.port === server.port)
  const name = `server-${planned.name}-${node}:${server.port}${alike.length > 1 ? ` (${server.address})` : ''}`
  const bounds = removalOf(planned, one)
  if ('why' in bounds) {
    plan.untested.push({ what, why: bounds.why })
    return []
  }
  const { downBound, upBound } = bounds
  const pool = (without: string[]): Condition => ({
    kind: 'pool',
    node: vip.members[0]?.node ?? '',
    service: table,
    destinations: servers
      .filter(s => s.server.weight > 0 && !without.includes(s.node))
      .map(s => `${s.server.address}:${s.server.port}`),
  })
  return [
    {
      name,
      drive: async lab => {
        const probe = await startProbe(lab, plan, planned, SLOW_PROBE_RATE)
        await lab.sleep(BEFORE_MS)
        const heal = await lab.inject('httpd-crash', node)
        await lab.until(pool([node]), downBound.maxMs + PATIENCE_MS)
        await lab.sleep(AFTER_MS)
        await heal()
        await lab.until(pool([]), upBound.maxMs + PATIENCE_MS)
        await lab.sleep(AFTER_MS)
        await probe.stop()
      },
      checks: [
        {
          check: name,
          title: `${node} leaves ${planned.name} when its httpd crashes, and comes back when it returns`,
          rule: 'pool',
          params: {
            ...{ vip: vip.address, directors: plan.directors, service: table, downBound, upBound, slackMs: SLACK_MS },
            server: { node, address: server.address, port: server.port },
            ...{ fault: 'httpd-crash', probe: PROBE },
          },
        },
      ],
    },
  ]
}

/** All real servers crash: the sorry server answers, until they return. */
const sorryPage = (plan: Plan, planned: PlannedService): Scenario[] => {
  const { service, servers, vip, table } = planned
  if (!service.sorryServer) return []
  const bound = sorryBound(service, 'refused', 1000 / SLOW_PROBE_RATE)
  const endsBound = sorryEndsBound(service, 'refused', 1000 / SLOW_PROBE_RATE)
  const what = `sorry server of ${planned.name}`
  if (!bound || !endsBound) {
    const why = 'no bound is known for the health checks of its real servers'
    plan.untested.push({ what, why: refusalsHeldBack(servers) ?? why })
    return []
  }
  const fault = onFarms(plan, servers) ? 'httpd-refuse' : 'httpd-crash'
  const answeredBy = (names: string[]): Condition => ({
    kind: 'any',
    of: names.map(server => ({ kind: 'event', match: { kind: 'request', outcome: 'answered', server } })),
  })
  return [
    {
      name: `sorry-${planned.name}`,
      drive: async lab => {
        const probe = await startProbe(lab, plan, planned, SLOW_PROBE_RATE)
        await lab.sleep(BEFORE_MS)
        const heals = await Promise.all(
          fault === 'httpd-refuse'
            ? servers.map(s => lab.inject(fault, s.node, { addresses: askedFor(plan, s, vip.address) }))
            : [...new Set(servers.map(s => s.node))].map(node => lab.inject(fault, node)),
        )
        await lab.until(answeredBy(plan.directors), bound.maxMs + PATIENCE_MS)
        await lab.sleep(AFTER_MS)
        await Promise.all(heals.map(heal => heal()))
        await lab.until(answeredBy(servers.map(s => s.name)), endsBound.maxMs + PATIENCE_MS)
        await lab.sleep(AFTER_MS)
        await probe.stop()
      },
      checks: [
        {
          check: `sorry-${planned.name}`,
          title: `the sorry server answers when every real server of ${planned.name} is dead (${seconds(bound.maxMs)}), and only then`,
          rule: 'sorry',
          params: {
            ...{ vip: vip.address, directors: plan.directors, service: table, fault, probe: PROBE },
            servers: servers.map(({ node, name, server }) => ({ node, name, address: server.address })),
            ...{ bound, endsBound, slackMs: SLACK_MS },
          },
        },
      ],
    },
  ]
}
