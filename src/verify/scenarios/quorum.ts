import type { QuorumStep } from '../../judge/quorum.ts'
import type { Heal } from '../../lab/faults/inject.ts'
import type { Lab } from '../../lab/lab.ts'
import { changePool, type Pool, serverKey } from '../../model/pool.ts'
import type { Bound } from '../../model/types.ts'
import { addressesOf } from '../../topology/addresses.ts'
import type { Plan, PlannedService } from '../plan.ts'
import { PATIENCE_MS, type Scenario, SLACK_MS } from '../scenario.ts'
import { AFTER_MS, BEFORE_MS, crashOf, poolOf, poolWithout, PROBE, receiversOf, startThroughLoss } from './common.ts'
import { crashBounds, unseen } from './seen.ts'

/** Real servers crash until the quorum is lost, and return until it is gained. */
export const quorum = (plan: Plan, planned: PlannedService): Scenario[] => {
  const { service, servers, vip } = planned
  if (service.quorum + service.hysteresis <= 1) return []
  const what = `quorum ${service.quorum}${service.hysteresis > 0 ? `, hysteresis ${service.hysteresis}` : ''} of ${planned.name}`
  const untested = (why: string): Scenario[] => {
    plan.untested.push({ what, why })
    return []
  }
  const { group, protocol } = service
  const own = plan.configs.find(({ node }) => node === vip.members[0]?.node)?.services ?? []
  if (group !== undefined && own.some(other => other.group === group && other.protocol !== protocol))
    return untested(`keepalived's log calls the services of the group ${group} alike, whatever their protocol`)
  const bounds = servers.map(({ server }) => crashBounds(plan, planned, server))
  const [downBound, upBound] = [slowest(bounds.map(one => one.downBound)), slowest(bounds.map(one => one.upBound))]
  if (!downBound || !upBound)
    return untested(unseen(planned, servers) ?? 'no bound is known for the health checks of all its real servers')
  const steps = stepsOf(plan, planned)
  if (typeof steps === 'string') return untested(steps)

  const name = `quorum-${planned.name}`
  const { fault, inject } = crashOf(planned)
  const drive = async (lab: Lab): Promise<void> => {
    const probe = await startThroughLoss(lab, plan, planned)
    await lab.sleep(BEFORE_MS)
    const heals = new Map<string, Heal>()
    let has = ''
    for (const { phase, nodes, destinations } of steps) {
      const doOne = async (node: string): Promise<void> => {
        if (phase === 'inject') heals.set(node, await inject(lab, node))
        else await heals.get(node)?.()
      }
      await Promise.all(nodes.map(doOne))
      const { maxMs } = phase === 'inject' ? downBound : upBound
      // a pool that stays is watched for as long as a change may take
      if (destinations.join() === has) await lab.sleep(maxMs + SLACK_MS)
      else await lab.until(poolOf(planned, destinations), maxMs + PATIENCE_MS)
      has = destinations.join()
      await lab.sleep(AFTER_MS)
    }
    await probe.stop()
  }
  return [
    {
      ...{ name, drive },
      checks: [
        {
          check: name,
          title: `${what} is lost and gained when it must, and the pool follows`,
          rule: 'quorum',
          params: {
            ...{ vip: vip.address, directors: plan.directors, service: planned.table, fault, steps },
            ...{ downBound, upBound, probe: PROBE, slackMs: SLACK_MS },
            ...(group !== undefined && { group }),
          },
        },
      ],
    },
  ]
}

/** Undefined where one of them is. */
const slowest = (bounds: (Bound | undefined)[]): Bound | undefined =>
  bounds.every(bound => bound !== undefined) ? bounds.toSorted((a, b) => b.maxMs - a.maxMs)[0] : undefined

/**
 * As many nodes die at once as the quorum bears, then the one that it does not bear; that one returns first, then the others.
 *
 * @returns why it cannot be done
 */
const stepsOf = (plan: Plan, planned: PlannedService): QuorumStep[] | string => {
  const { service, servers } = planned
  const nodes = [...new Set(servers.map(({ node }) => node))]
  if (!poolWithout(planned, []).quorumUp)
    return 'the nodes of the topology play too few of its real servers to reach it'
  const fatal = nodes.findIndex((_, n) => !poolWithout(planned, nodes.slice(0, n + 1)).quorumUp)
  const borne = nodes.slice(0, fatal)
  const last = nodes.slice(fatal, fatal + 1)
  const steps: QuorumStep[] = []
  let pool = poolWithout(planned, [])
  for (const [phase, changed] of [
    ['inject', borne],
    ['inject', last],
    ['heal', last],
    ['heal', borne],
  ] as const) {
    if (changed.length === 0) continue
    const next = servers
      .filter(({ node }) => changed.includes(node))
      .reduce(
        (now, { server }) => changePool(service, now, { server: serverKey(server), alive: phase === 'heal' }),
        pool,
      )
    steps.push({
      ...{ phase, nodes: changed },
      destinations: receiversOf(service, next),
      answers: answering(plan, service, next),
      ...(next.quorumUp !== pool.quorumUp && { quorum: next.quorumUp ? 'Gained' : 'Lost' }),
    })
    pool = next
  }
  return steps
}

/** The nodes that they are, a farm's by address; 127.0.0.1 is whichever director has the VIP. */
const answering = (plan: Plan, service: PlannedService['service'], pool: Pool): string[] => {
  const table = receiversOf(service, pool)
  const addresses = [...service.realServers, ...(service.sorryServer ? [service.sorryServer] : [])]
    .filter(server => table.includes(serverKey(server)))
    .map(({ address }) => address)
  const named = plan.topology.nodes.flatMap(node => {
    const asked = addressesOf(node).filter(own => addresses.includes(own))
    return node.farm ? asked : asked.length > 0 ? [node.name] : []
  })
  const local = addresses.some(address => address.startsWith('127.') || address === '::1')
  return [...new Set([...named, ...(local ? plan.directors : [])])]
}
