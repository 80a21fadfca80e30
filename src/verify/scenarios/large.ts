import type { Condition } from '../../agent/protocol.ts'
import type { PlannedCheck } from '../../judge/rules.ts'
import { FAULT_TIMEOUT_MS } from '../../lab/faults/inject.ts'
import type { Lab } from '../../lab/lab.ts'
import { addressesOf } from '../../topology/addresses.ts'
import type { Plan, PlannedServer, PlannedService, PlannedVip } from '../plan.ts'
import { asksByUdp } from '../reach.ts'
import { paced, PATIENCE_MS, type Scenario, SLACK_MS } from '../scenario.ts'
import { AFTER_MS, BEFORE_MS, startClients, wholePool } from './common.ts'
import { removalOf, type RemovalBounds } from './removable.ts'
import { exactShares } from './shares.ts'

/**
 * Scenarios of a configuration that is too large to have each real server broken in a fork of its own: they act on all services at
 * once, and each service is judged against its own bound.
 */

/** Real servers, counted in each service that has them, above which a configuration is large. */
export const LARGE_ABOVE = 32

/** Requests/s of all probes together. */
const ALL_RATES = 50

/** Requests of all probes together: as many full cycles of every service as these are; where that is none, one up to the second. */
const [ALL_REQUESTS, MOST_REQUESTS] = [500, 3_000]

/** Services that a probe asks while real servers go and come, and how often each, requests/s. */
const WATCHED = 5
const WATCHED_RATE = 2

const pairsOf = (plan: Plan): number => plan.services.reduce((total, { servers }) => total + servers.length, 0)

export const isLarge = (plan: Plan): boolean =>
  pairsOf(plan) > LARGE_ABOVE || plan.topology.nodes.some(node => node.farm)

/** Whether what breaks a node breaks the real servers of other services too. */
export const onFarms = ({ topology }: Plan, servers: PlannedServer[]): boolean =>
  topology.nodes.some(node => node.farm && servers.some(one => one.node === node.name))

/** The addresses by which a real server is asked: its own, and the VIP where its node has that. */
export const askedFor = ({ topology }: Plan, { node, server }: PlannedServer, vip: string): string[] => {
  const own = topology.nodes.filter(one => one.name === node).flatMap(addressesOf)
  return [server.address, vip].filter(address => own.includes(address))
}

/** What stands for the rest where one scenario for each would be too many. */
export interface Sample {
  vips: PlannedVip[]
  /** Services whose persistence, sorry server and quorum are tried. */
  persistent: PlannedService[]
  sorry: PlannedService[]
  quorum: PlannedService[]
}

/**
 * All of a plan; of a large one a VIP of each MASTER, as what ends keepalived there moves all of them, and a service of each
 * kind. What is left out goes to `plan.untested`.
 */
export const sampleOf = (plan: Plan): Sample => {
  const { vips, services, untested } = plan
  if (!isLarge(plan)) return { vips, persistent: services, sorry: services, quorum: services }
  const byMaster = new Map<string, PlannedVip>()
  const served = new Set(services.map(service => service.vip))
  for (const vip of [...vips.filter(one => served.has(one)), ...vips]) {
    const order = vip.members.map(member => member.node).join()
    if (!byMaster.has(order)) byMaster.set(order, vip)
  }
  const sampled = [...byMaster.values()]
  const left = vips.length - sampled.length
  if (left > 0) {
    const names = sampled.map(vip => vip.address).join(', ')
    untested.push({ what: `failover of ${left} of ${vips.length} VIPs`, why: `sampled: ${names} is looked at` })
  }
  const first = (what: string, has: (service: PlannedService) => boolean): PlannedService[] => {
    const [one, ...others] = services.filter(has)
    if (one && others.length > 0)
      untested.push({ what: `${what} of ${others.length} services`, why: `sampled: that of ${one.name} is tried` })
    return one ? [one] : []
  }
  return {
    vips: sampled,
    persistent: first('persistence', ({ service }) => service.persistence !== undefined),
    sorry: first('sorry server', ({ service }) => service.sorryServer !== undefined),
    quorum: first('quorum', ({ service }) => service.quorum + service.hysteresis > 1),
  }
}

const probeOf = ({ name }: PlannedService): string => `clients of ${name}`

/** Full cycles of connections to every service, all of them at the same time. */
export const sharesOfAll = (plan: Plan): Scenario[] => {
  const all = plan.services.flatMap(planned => {
    const expected = planned.service.persistence
      ? 'its clients are shared out, not its connections'
      : exactShares(planned)
    if (typeof expected !== 'string') return [{ planned, expected }]
    const why = `${expected}, and of a large configuration nothing else is judged`
    plan.untested.push({ what: `shares of ${planned.name}`, why })
    return []
  })
  let cycle = 0
  const affordable = new Set<(typeof all)[number]>()
  for (const one of all.toSorted((a, b) => a.expected.cycle - b.expected.cycle)) {
    if (cycle + one.expected.cycle > MOST_REQUESTS) break
    cycle += one.expected.cycle
    affordable.add(one)
  }
  const driven = all.filter(one => affordable.has(one))
  const left = all.length - driven.length
  if (left > 0)
    plan.untested.push({
      what: `shares of ${left} of ${all.length} services`,
      why: `sampled: a full cycle of each would be more than ${MOST_REQUESTS} connections`,
    })
  if (driven.length === 0) return []
  const cycles = Math.max(1, Math.floor(ALL_REQUESTS / cycle))
  return [
    {
      name: 'shares-of-all',
      drive: async lab => {
        const probes = []
        for (const { planned, expected } of driven) {
          const rate = paced(planned, (ALL_RATES * expected.cycle) / cycle)
          const [probe, count] = [probeOf(planned), expected.cycle * cycles]
          probes.push(await startClients(lab, plan, planned, { probe, rate, count }))
          // side by side, and not all in the same moment
          await lab.sleep(1000 / ALL_RATES)
        }
        await Promise.all(probes.map(probe => probe.ended()))
      },
      checks: driven.map(({ planned, expected }) => ({
        check: `shares-${planned.name}`,
        title: `${planned.service.scheduler} shares the connections to ${planned.name} out to its ${Object.keys(expected.shares).length} real servers`,
        rule: 'shares',
        params: { probe: probeOf(planned), expected },
      })),
    },
  ]
}

/** A real server that is to be broken, with the service that it is looked at in. */
interface Broken extends RemovalBounds {
  planned: PlannedService
  one: PlannedServer
}

/**
 * One real server of each service crashes and returns, those of all services at once: the httpd of a node which is one of each, a
 * farm's or that of a real server which all services share. As many nodes as it takes, one after the other.
 */
export const serversLostTogether = (plan: Plan): Scenario[] => {
  const candidates = new Map<string, Broken[]>()
  const missing = new Map<PlannedService, string>()
  for (const planned of plan.services) {
    if (asksByUdp(planned)) {
      missing.set(planned, 'of a large configuration only what httpd serves is broken')
      continue
    }
    missing.set(planned, planned.servers.length === 0 ? 'it has no real server here' : 'its real servers are one node')
    for (const one of planned.servers) {
      const bounds = removalOf(plan, planned, one)
      if ('why' in bounds) missing.set(planned, bounds.why)
      else if (planned.servers.some(other => other.node !== one.node && other.server.weight > 0))
        candidates.set(one.node, [...(candidates.get(one.node) ?? []), { planned, one, ...bounds }])
    }
  }
  const scenarios: Scenario[] = []
  const done = new Set<PlannedService>()
  const openOf = (all: Broken[]): Broken[] => [
    ...new Map(all.filter(({ planned }) => !done.has(planned)).map(one => [one.planned, one])).values(),
  ]
  for (;;) {
    const best = [...candidates].map(([node, all]) => ({ node, broken: openOf(all) }))
    const next = best.reduce((most, one) => (one.broken.length > most.broken.length ? one : most), {
      node: '',
      broken: [],
    })
    if (next.broken.length === 0) break
    for (const { planned } of next.broken) done.add(planned)
    scenarios.push(lostTogether(plan, next.node, next.broken))
  }
  for (const [planned, why] of missing)
    if (!done.has(planned))
      plan.untested.push({ what: `removal and return of the real servers of ${planned.name}`, why })
  const all = [...done].reduce((total, { servers }) => total + servers.length, 0)
  if (done.size > 0)
    plan.untested.push({
      what: `removal and return of ${all - done.size} of ${all} real servers`,
      why: `sampled: one of each of ${done.size} services is broken`,
    })
  return scenarios
}

const lostTogether = (plan: Plan, node: string, broken: Broken[]): Scenario => {
  const watched = new Set(broken.slice(0, WATCHED).map(({ planned }) => planned))
  return {
    name: `servers-of-${node}`,
    drive: async lab => {
      const probes = []
      for (const service of watched)
        probes.push(await startClients(lab, plan, service, { probe: probeOf(service), rate: WATCHED_RATE }))
      await lab.sleep(BEFORE_MS)
      const gone = allSaid(lab, broken, 'removed')
      const heal = await lab.inject('httpd-crash', node)
      await gone
      await lab.sleep(AFTER_MS)
      const back = allSaid(lab, broken, 'added')
      await heal()
      await back
      await lab.sleep(AFTER_MS)
      // a large table is read at times: that of each MASTER once more, now that all of them are back
      const masters = new Map(broken.map(({ planned }) => [planned.vip.members[0]?.node, planned]))
      await Promise.all([...masters.values()].map(planned => lab.until(wholePool(planned), PATIENCE_MS)))
      for (const probe of probes) await probe.stop()
    },
    checks: broken.map((one): PlannedCheck => {
      const { planned, downBound, upBound } = one
      const { name, server } = one.one
      return {
        check: `server-${planned.name}-${name}:${server.port}`,
        title: `${name} leaves ${planned.name} when the httpd of ${node} crashes, and comes back when it returns`,
        rule: 'pool',
        params: {
          ...{ vip: planned.vip.address, directors: plan.directors, service: planned.table, downBound, upBound },
          server: { node, name, address: server.address, port: server.port },
          ...{ fault: 'httpd-crash', slackMs: SLACK_MS },
          ...(watched.has(planned) ? { probe: probeOf(planned) } : {}),
        },
      }
    }),
  }
}

/**
 * Waits until the MASTER of each service says that the server went or came: its log costs nothing, and a table of this size a process
 * for each look. What it never says is judged by its tables all the same. It is called before the fault, so as to miss no line, and
 * that may take its time to come.
 */
const allSaid = async (lab: Lab, broken: Broken[], result: 'removed' | 'added'): Promise<void> => {
  const waits = broken.map(({ planned, one: { server }, downBound, upBound }) => {
    const checker = { server: `${server.address}:${server.port}`, service: planned.table, result }
    const match = { kind: 'keepalived', node: planned.vip.members[0]?.node, checker }
    // with inhibit_on_failure only the weight changes
    const said: Condition = server.inhibitOnFailure
      ? {
          kind: 'event',
          match: { ...match, checker: { server: checker.server, result: result === 'added' ? 'up' : 'down' } },
        }
      : { kind: 'event', match }
    return lab.until(said, FAULT_TIMEOUT_MS + (result === 'removed' ? downBound : upBound).maxMs + PATIENCE_MS)
  })
  await Promise.all(waits)
}
