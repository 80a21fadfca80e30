import type { Condition } from '../../agent/protocol.ts'
import type { TableConfig } from '../../config/table.ts'
import { seconds, withSlack } from '../../model/bound.ts'
import { ldirectordDownBound, ldirectordFailed, ldirectordUpBound } from '../../model/ldirectord.ts'
import { serverKey } from '../../model/pool.ts'
import type { Bound } from '../../model/types.ts'
import { addressesOf } from '../../topology/addresses.ts'
import type { FixedService } from '../fixed.ts'
import type { Plan, PlannedServer } from '../plan.ts'
import { asksByUdp } from '../reach.ts'
import { paced, PATIENCE_MS, PROBE_RATE, type Scenario, SLACK_MS } from '../scenario.ts'
import { expectedService } from './expected-service.ts'
import { AFTER_MS, BEFORE_MS, crashAndReturn, crashOf, PROBE, startThroughLoss } from './common.ts'

/** What follows from an ldirectord.cf or an ipvsadm-save file, beside what is the same whoever makes the table. */
export const fixedScenarios = (plan: Plan): Scenario[] => [
  ...plan.tables.flatMap(table => tableScenario(plan, table)),
  ...plan.fixed.flatMap(service => service.servers.flatMap(server => serverLost(plan, service, server))),
  ...plan.fixed.flatMap(service => fallback(plan, service)),
]

/** What is restored is in the table; ldirectord puts there who passes its check, as all do of a service that is driven. */
const tableScenario = (plan: Plan, { node, services, ldirectord }: TableConfig): Scenario[] => {
  const expected = ldirectord ? services.filter(one => plan.fixed.some(({ service }) => service === one)) : services
  if (expected.length === 0) return []
  const check = `table-${node}`
  return [
    {
      name: check,
      drive: async lab => {
        await lab.snapshot()
      },
      checks: [
        {
          check,
          title: `the IPVS table of ${node} is what its ${ldirectord ? 'ldirectord.cf' : 'ipvsadm.rules'} says`,
          rule: 'table',
          params: { director: node, services: expected.map(service => expectedService(service, service.realServers)) },
        },
      ],
    },
  ]
}

/** Why a server that is gone is not taken out; undefined where ldirectord takes it out in time. */
const unseen = (planned: FixedService): string | undefined => {
  const { section, check } = planned
  if (!section) return 'with ipvsadm alone nobody checks it: it stays in the table'
  // connect is a ping then, and of negotiate most protocols are asked by TCP (ldirectord _check_real)
  if (asksByUdp(planned)) return 'whether ldirectord sees that what answers by UDP is gone is not predicted'
  if (section.checkType === 'negotiate' && section.protocol === 'none')
    return 'with service none ldirectord checks nobody'
  if (!check) return `nothing is predicted of checktype ${section.checkType}`
  return ldirectordDownBound(check, 'refused')
    ? undefined
    : `checktype ${check.type} does not see that what serves it is gone`
}

/** How long ldirectord takes to see that what serves a server is gone, and that it is back. It checks one server after the other. */
const boundsOf = ({ check, others }: FixedService): [down?: Bound | undefined, up?: Bound | undefined] => {
  if (!check) return []
  const othersMs = others * SLACK_MS
  return [ldirectordDownBound(check, 'refused', othersMs), ldirectordUpBound(check, 'refused', othersMs)]
}

/** What serves one real server crashes: its port refuses, and ldirectord sees that at its next look. */
const serverLost = (plan: Plan, planned: FixedService, { node, server }: PlannedServer): Scenario[] => {
  const { vip, servers, director, table, check } = planned
  const { program, fault } = crashOf(planned)
  const what = `removal and return of ${node} (${planned.name})`
  const why =
    unseen(planned) ??
    (server.weight === 0 ? 'its weight is 0' : servers.length < 2 ? 'it is the only real server' : undefined)
  const [downBound, upBound] = boundsOf(planned)
  if (why !== undefined || !check || !downBound || !upBound) {
    plan.untested.push({ what, why: why ?? 'no bound is known' })
    return []
  }
  const alive = (without?: string): string[] =>
    servers.filter(one => one.server.weight > 0 && one.node !== without).map(one => serverKey(one.server))
  const alike = servers.filter(other => other.node === node && other.server.port === server.port)
  const name = `server-${planned.name}-${node}:${server.port}${alike.length > 1 ? ` (${server.address})` : ''}`
  return [
    {
      name,
      drive: crashAndReturn(plan, planned, node, { without: alive(node), whole: alive() }, { downBound, upBound }),
      checks: [
        {
          check: name,
          title: `${node} leaves ${planned.name} when its ${program} crashes, and comes back when it returns`,
          rule: 'pool',
          params: {
            ...{ vip: vip.address, directors: [director], service: table, downBound, upBound, slackMs: SLACK_MS },
            server: { node, address: server.address, port: server.port },
            inhibit: ldirectordFailed(check) !== 'gone',
            ...{ fault, probe: PROBE },
          },
        },
      ],
    },
  ]
}

/** All real servers crash: the fallback answers, until they return. */
const fallback = (plan: Plan, planned: FixedService): Scenario[] => {
  const { section, servers, vip, director, table, service } = planned
  if (!section?.fallback) return []
  const { address } = section.fallback
  const what = `fallback of ${planned.name}`
  const [downBound, upBound] = boundsOf(planned)
  const own = plan.topology.nodes.find(node => node.name === director)
  const isOwn = address.startsWith('127.') || (own && addressesOf(own).includes(address))
  const why =
    unseen(planned) ??
    (isOwn ? undefined : `it is ${address}, and only what the director itself answers can be told from a real server`)
  if (why !== undefined || !downBound || !upBound) {
    plan.untested.push({ what, why: why ?? 'no bound is known' })
    return []
  }
  const stepMs = 1000 / paced(planned, PROBE_RATE)
  const bound = {
    ...withSlack(downBound, 'for one request', stepMs),
    name: `fallback answers for ${service.name}`,
    // the first of several may have been found before the last one fails
    minMs: 0,
  }
  const endsBound = {
    ...withSlack(upBound, 'for one request', stepMs),
    name: `a real server answers for ${service.name}`,
  }
  const answeredBy = (nodes: string[]): Condition => ({
    kind: 'any',
    of: nodes.map(server => ({ kind: 'event', match: { kind: 'request', outcome: 'answered', server } })),
  })
  const nodes = [...new Set(servers.map(one => one.node))]
  const { fault, inject } = crashOf(planned)
  return [
    {
      name: `fallback-${planned.name}`,
      drive: async lab => {
        const probe = await startThroughLoss(lab, plan, planned)
        await lab.sleep(BEFORE_MS)
        const heals = await Promise.all(nodes.map(node => inject(lab, node)))
        await lab.until(answeredBy([director]), bound.maxMs + PATIENCE_MS)
        await lab.sleep(AFTER_MS)
        await Promise.all(heals.map(heal => heal()))
        await lab.until(answeredBy(nodes), endsBound.maxMs + PATIENCE_MS)
        await lab.sleep(AFTER_MS)
        await probe.stop()
      },
      checks: [
        {
          check: `fallback-${planned.name}`,
          title: `the fallback answers when every real server of ${planned.name} is dead (${seconds(bound.maxMs)}), and only then`,
          rule: 'sorry',
          params: {
            ...{ vip: vip.address, directors: [director], service: table, fault, probe: PROBE },
            servers: servers.map(({ node, server }) => ({ node, address: server.address })),
            ...{ bound, endsBound, overlapMs: SLACK_MS, slackMs: SLACK_MS },
          },
        },
      ],
    },
  ]
}
