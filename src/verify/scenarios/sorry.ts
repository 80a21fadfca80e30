import type { Condition } from '../../agent/protocol.ts'
import { seconds } from '../../model/bound.ts'
import { sorryBound, sorryEndsBound } from '../../model/health-check.ts'
import { addressesOf } from '../../topology/addresses.ts'
import type { Plan, PlannedService } from '../plan.ts'
import { paced, PATIENCE_MS, PROBE_RATE, type Scenario, SLACK_MS } from '../scenario.ts'
import { asksByUdp, isHttp } from '../reach.ts'
import { AFTER_MS, BEFORE_MS, crashOf, PROBE, startThroughLoss } from './common.ts'
import { askedFor, onFarms } from './large.ts'
import { unseen, withItsChecks, withKnownChecks, withServers } from './seen.ts'

/** Whose page the sorry server's is: that of the directors themselves, or of a host of its own; else why it cannot be told. */
const whoHasIt = (plan: Plan, planned: PlannedService): string[] | string => {
  const { topology, directors } = plan
  const address = planned.service.sorryServer?.address ?? ''
  const isOwn = address.startsWith('127.') || address === '::1'
  const node = topology.nodes.find(one => addressesOf(one).includes(address))
  if (asksByUdp(planned) && (isOwn || (node && directors.includes(node.name))))
    return 'what answers datagrams on a director was started before the VIP was there: one on a host of its own is tried'
  if (!node && !isOwn) return `no node of the topology has ${address}`
  const unheard = unanswered(plan, planned, isOwn ? (planned.vip.members[0]?.address ?? '') : address)
  if (unheard) return `nothing says that ${isOwn ? directors.join(' or ') : address} speaks ${unheard}`
  if (!node || isOwn || directors.includes(node.name)) return directors
  if (planned.servers.some(one => one.node === node.name)) return `${node.name} is a real server of the service as well`
  return [node.farm ? address : node.name]
}

/** What clients speak, where nothing says that the sorry server at this address does; plain HTTP is spoken by everybody. */
const unanswered = ({ spokenTo }: Plan, planned: PlannedService, address: string): string | undefined => {
  const { sorryServer, forwarding } = planned.service
  const { url, port } = planned
  const scheme = new URL(url).protocol.slice(0, -1)
  const asked = (forwarding === 'NAT' && sorryServer?.port) || port
  if (scheme === 'http' && isHttp(asked)) return undefined
  const speaks = spokenTo({ address, port: asked, forwarding }, asked, asksByUdp(planned) ? 'UDP' : 'TCP')
  return speaks === scheme ? undefined : `${scheme} on port ${asked}`
}

/** All real servers crash: the sorry server answers, until they return. */
export const sorryPage = (plan: Plan, planned: PlannedService): Scenario[] => {
  const { service, servers, vip, table } = planned
  if (!service.sorryServer) return []
  const stepMs = 1000 / paced(planned, PROBE_RATE)
  const bound = sorryBound(withServers(planned, withKnownChecks), 'refused', stepMs)
  const endsBound = sorryEndsBound(withServers(planned, withItsChecks), 'refused', stepMs, plan.keepalived)
  const what = `sorry server of ${planned.name}`
  if (!bound || !endsBound) {
    const why = 'no bound is known for the health checks of its real servers'
    plan.untested.push({ what, why: unseen(planned, servers) ?? why })
    return []
  }
  const pages = whoHasIt(plan, planned)
  if (typeof pages === 'string') {
    plan.untested.push({ what, why: pages })
    return []
  }
  const crash = crashOf(planned)
  const fault = onFarms(plan, servers) ? 'httpd-refuse' : crash.fault
  const answeredBy = (names: string[]): Condition => ({
    kind: 'any',
    of: names.map(server => ({ kind: 'event', match: { kind: 'request', outcome: 'answered', server } })),
  })
  return [
    {
      name: `sorry-${planned.name}`,
      drive: async lab => {
        const probe = await startThroughLoss(lab, plan, planned)
        await lab.sleep(BEFORE_MS)
        const heals = await Promise.all(
          fault === 'httpd-refuse'
            ? servers.map(s => lab.inject(fault, s.node, { addresses: askedFor(plan, s, vip.address) }))
            : [...new Set(servers.map(s => s.node))].map(node => crash.inject(lab, node)),
        )
        await lab.until(answeredBy(pages), bound.maxMs + PATIENCE_MS)
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
            ...{ vip: vip.address, directors: plan.directors, pages, service: table, fault, probe: PROBE },
            servers: servers.map(({ node, name, server }) => ({ node, name, address: server.address })),
            ...{ bound, endsBound, slackMs: SLACK_MS },
          },
        },
      ],
    },
  ]
}
