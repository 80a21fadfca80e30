import type { PlannedCheck } from '../../judge/rules.ts'
import type { Lab } from '../../lab/lab.ts'
import type { Probe } from '../../lab/probes.ts'
import type { Bound } from '../../model/types.ts'
import { crashBound, startBound } from '../../model/vrrp.ts'
import { type Plan, type PlannedVip, whoeverComesFirst } from '../plan.ts'
import { type Scenario, WATCH_RATE } from '../scenario.ts'
import { AFTER_MS, BEFORE_MS } from './common.ts'

/** Clients of so many VIPs are watched; the VIP and the tables of the others are. */
const MOST_PROBES = 3

/** Something that a director should do without anybody noticing. */
interface Quiet {
  scenario: string
  group: Scenario['group']
  faults: { fault: 'keepalived-reload' | 'keepalived-stop' | 'keepalived-crash'; check: string; title: string }[]
}

/** keepalived of each director that is MASTER of a VIP reads its configuration again, which is what it was. */
export const reload = (plan: Plan): Scenario[] =>
  plan.directors.flatMap(node => {
    const vips = plan.vips.filter(({ members }) => members[0]?.node === node)
    const quiet: Quiet = {
      ...{ scenario: `reload-${node}`, group: 'reload' },
      faults: [{ fault: 'keepalived-reload', check: 'reload', title: `${node} reloads its configuration` }],
    }
    return undisturbed(plan, node, vips, quiet, ({ members: [master, backup] }) => {
      if (!master) return undefined
      const { instance, startupDelay } = master
      return backup ? crashBound(instance, backup.instance) : startBound(instance, startupDelay)
    })
  })

/** keepalived of each director that holds no VIP for the MASTER ends, in order and in a crash, and comes back. */
export const backupLost = (plan: Plan): Scenario[] =>
  plan.directors.flatMap(node => {
    const vips = plan.vips.filter(({ members }) => members.slice(1).some(member => member.node === node))
    const quiet: Quiet = {
      ...{ scenario: `backup-${node}`, group: 'backup' },
      faults: [
        { fault: 'keepalived-stop', check: 'backup-stop', title: `keepalived on ${node} is stopped and returns` },
        { fault: 'keepalived-crash', check: 'backup-crash', title: `keepalived on ${node} crashes and returns` },
      ],
    }
    return undisturbed(plan, node, vips, quiet, ({ members }) => {
      const member = members.find(one => one.node === node)
      return member && startBound(member.instance, member.startupDelay)
    })
  })

const undisturbed = (
  plan: Plan,
  node: string,
  vips: PlannedVip[],
  { scenario, group, faults }: Quiet,
  boundOf: (vip: PlannedVip) => Bound | undefined,
): Scenario[] => {
  const watched = vips.flatMap(vip => {
    const bound = boundOf(vip)
    const why = whoeverComesFirst(vip)
    if (why === undefined && bound) return [{ vip, bound }]
    for (const { title } of faults)
      plan.untested.push({ what: `${title}, and ${vip.address} stays where it is`, why: why ?? 'nobody holds it' })
    return []
  })
  if (watched.length === 0) return []
  const probes = watched
    .flatMap(({ vip }) => plan.services.find(service => service.vip === vip) ?? [])
    .slice(0, MOST_PROBES)
    .map(service => ({ service, probe: `clients of ${service.vip.address}` }))
  const longest = Math.max(...watched.map(({ bound }) => bound.maxMs))
  const checks = faults.flatMap(({ fault, check, title }) =>
    watched.map(({ vip, bound }): PlannedCheck => {
      const probe = probes.find(({ service }) => service.vip === vip)?.probe
      const owner = vip.members[0]?.node ?? ''
      return {
        check: `${check}-${node}`,
        title: `${title}, and the VIP ${vip.address} stays on ${owner}${probe === undefined ? '' : ', its pool is what it was, no request fails'}`,
        rule: 'undisturbed',
        params: {
          ...{ vip: vip.address, directors: plan.directors, owner, fault, node },
          services: [...new Set(plan.services.filter(service => service.vip === vip).map(({ table }) => table))],
          ...(probe !== undefined && { probe }),
          watchBound: { ...bound, name: `${vip.address} would have moved by then` },
        },
      }
    }),
  )
  const drive = async (lab: Lab): Promise<void> => {
    const running: Probe[] = []
    for (const { service, probe } of probes)
      running.push(await lab.http({ probe, client: plan.client, url: service.url, rate: WATCH_RATE }))
    await lab.sleep(BEFORE_MS)
    for (const { fault } of faults) {
      const heal = await lab.inject(fault, node)
      await lab.sleep(AFTER_MS)
      await heal()
      await lab.sleep(longest + AFTER_MS)
      await lab.snapshot()
    }
    for (const probe of running) await probe.stop()
  }
  return [{ name: scenario, group, drive, checks }]
}
