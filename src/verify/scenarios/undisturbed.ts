import type { PlannedCheck } from '../../judge/rules.ts'
import type { Lab } from '../../lab/lab.ts'
import type { Probe } from '../../lab/probes.ts'
import { firstChecksBound } from '../../model/health-check.ts'
import type { Bound, RealServer } from '../../model/types.ts'
import { crashBound, handoverBound, startBound } from '../../model/vrrp.ts'
import type { Plan, PlannedVip } from '../plan.ts'
import { whoeverComesFirst } from '../vips.ts'
import { paced, type Scenario, SLACK_MS, WATCH_RATE } from '../scenario.ts'
import { BEFORE_MS, startClients } from './common.ts'

/** Clients of so many VIPs are watched; the VIPs themselves and their tables all are. */
const MOST_PROBES = 3

/** Something that is done to a director, of which nobody should notice anything. */
interface Quiet {
  fault: 'keepalived-reload' | 'keepalived-stop' | 'keepalived-crash'
  check: string
  /** `d1 reloads its configuration` */
  title: string
  /** Healed at once, so that what follows from the return is watched. */
  returns?: true
  /** When a VIP that it moves has moved, or what it changes at one that nothing moves shows; from its end or from that of its heal. */
  boundOf: (vip: PlannedVip) => Bound | undefined
}

/** keepalived of each director that is MASTER of a VIP, or has it for good, reads its configuration again, which is what it was. */
export const reload = (plan: Plan): Scenario[] =>
  plan.directors.flatMap(node => {
    const quiet: Quiet = {
      ...{ fault: 'keepalived-reload', check: 'reload', title: `${node} reloads its configuration`, returns: true },
      boundOf: vip => {
        const [master, backup] = vip.members
        if (plan.fixedVips.includes(vip)) return firstChecksBound(serversAt(plan, vip))
        return master && (backup ? crashBound(master.instance, backup.instance) : startBound(master.instance))
      },
    }
    const fixedVips = plan.configs.some(config => config.node === node) ? plan.fixedVips : []
    const vips = [...plan.vips, ...fixedVips].filter(({ members }) => members[0]?.node === node)
    return undisturbed(plan, { name: `reload-${node}` }, node, vips, [quiet])
  })

/** keepalived of each director that another one is MASTER for ends, in order and in a crash. */
export const backupLost = (plan: Plan): Scenario[] =>
  plan.directors.flatMap(node => {
    const stop: Quiet = {
      ...{ fault: 'keepalived-stop', check: 'backup-stop', returns: true },
      title: `keepalived on ${node} is stopped and returns`,
      // as if it heard nobody
      boundOf: ({ members }) => {
        const member = members.find(one => one.node === node)
        return member && startBound(member.instance, member.startupDelay)
      },
    }
    const crash: Quiet = {
      ...{ fault: 'keepalived-crash', check: 'backup-crash', title: `keepalived on ${node} crashes` },
      boundOf: ({ members: [master] }) => master && handoverBound(master.instance),
    }
    const vips = plan.vips.filter(({ members }) => members.slice(1).some(member => member.node === node))
    return undisturbed(plan, { name: `backup-${node}` }, node, vips, [stop, crash])
  })

const serversAt = ({ services }: Plan, vip: PlannedVip): RealServer[] =>
  services.filter(planned => planned.vip === vip).flatMap(({ service }) => service.realServers)

const undisturbed = (
  plan: Plan,
  scenario: Pick<Scenario, 'name'>,
  node: string,
  vips: PlannedVip[],
  faults: Quiet[],
): Scenario[] => {
  const known = vips.filter(vip => {
    const why = whoeverComesFirst(vip)
    if (why !== undefined)
      plan.untested.push(
        ...faults.map(({ title }) => ({ what: `${title}, and ${vip.address} stays where it is`, why })),
      )
    return why === undefined
  })
  if (known.length === 0) return []
  const probes = known
    .flatMap(vip => plan.services.find(service => service.vip === vip) ?? [])
    .slice(0, MOST_PROBES)
    .map(service => ({ service, probe: `clients of ${service.vip.address}` }))
  const checks = faults.flatMap(({ fault, check, title, boundOf }) =>
    known.flatMap((vip): PlannedCheck[] => {
      const bound = boundOf(vip)
      const owner = vip.members[0]?.node
      if (!bound || owner === undefined) return []
      const services = plan.services.filter(service => service.vip === vip).map(({ table }) => table)
      const probe = probes.find(({ service }) => service.vip === vip)?.probe
      const more = `${services.length > 0 ? ', its pool is what it was' : ''}${probe === undefined ? '' : ', no request fails'}`
      return [
        {
          check: `${check}-${node}-${vip.address}`,
          title: `${title}, and the VIP ${vip.address} stays on ${owner}${more}`,
          rule: 'undisturbed',
          params: {
            ...{ vip: vip.address, directors: plan.directors, owner, fault, node, services },
            ...(probe !== undefined && { probe }),
            watchBound: plan.fixedVips.includes(vip)
              ? bound
              : { ...bound, name: `${vip.address} would have moved by then` },
          },
        },
      ]
    }),
  )
  const drive = async (lab: Lab): Promise<void> => {
    const running: Probe[] = []
    for (const { service, probe } of probes)
      running.push(await startClients(lab, plan, service, { probe, rate: paced(service, WATCH_RATE) }))
    await lab.sleep(BEFORE_MS)
    for (const { fault, returns, boundOf } of faults) {
      const heal = await lab.inject(fault, node)
      if (returns) await heal()
      const longest = Math.max(...known.map(vip => boundOf(vip)?.maxMs ?? 0))
      await lab.sleep(longest + SLACK_MS)
      await lab.snapshot()
    }
    for (const probe of running) await probe.stop()
  }
  return [{ ...scenario, drive, checks }]
}
