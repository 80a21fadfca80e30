import { existsSync } from 'node:fs'
import path from 'node:path'
import type { Heal } from '../../lab/faults/inject.ts'
import type { FaultName } from '../../lab/faults/registry.ts'
import type { Lab } from '../../lab/lab.ts'
import { inSequence } from '../../model/bound.ts'
import { looksFor } from '../../model/looks-for.ts'
import type { GroupMember } from '../../model/pair.ts'
import {
  effectivePriority,
  scriptDownBound,
  scriptUpBound,
  trackedScriptBackBound,
  trackedScriptBound,
} from '../../model/track.ts'
import type { Bound, TrackedScript } from '../../model/types.ts'
import { handoverBound, preemptBound, stopBound } from '../../model/vrrp.ts'
import type { Plan, PlannedVip } from '../plan.ts'
import { boundOfAll, type Cause, type Pair } from './failover.ts'
import { configured, outranked, OWNERLESS } from './outranked.ts'

/** The scripts that the instance of a member tracks. */
export const trackedBy = (plan: Plan, member: GroupMember | undefined): TrackedScript[] =>
  member ? configured(plan, member).trackScripts : []

/** Each script that the MASTER tracks fails there: what it looks for crashes, or it says so itself. */
export const scriptsFail = (plan: Plan, vip: PlannedVip, pair: Pair, together: PlannedVip[]): Cause[] => {
  const [master, backup] = pair
  const { node } = master
  return trackedBy(plan, master).flatMap(tracked => {
    const { name } = tracked.script
    const what = `a failure of vrrp_script ${name}`
    const untested = (why: string): Cause[] => {
      plan.untested.push({ what: `failover of ${vip.address} after ${what} on ${node}`, why })
      return []
    }
    const breaks = breaking(plan, node, tracked)
    if (typeof breaks === 'string') return untested(breaks)
    const bounds = boundsOf(plan, pair, together, tracked)
    if (typeof bounds === 'string') return untested(bounds)
    const cause: Cause = {
      ...{
        id: `script-${name}`,
        what,
        where: `on ${node}`,
        returns: 'the script succeeds again',
        ...breaks,
        ...bounds,
      },
      // the health checks have gone on all the time
      gapBound: handoverBound(backup.instance),
    }
    return [cause]
  })
}

/** How a script is made to fail; or why nobody knows. */
const breaking = (
  plan: Plan,
  node: string,
  { script }: TrackedScript,
): { fault: FaultName; inject: (lab: Lab) => Promise<Heal> } | string => {
  const target = looksFor(script.command)
  if (!target) return 'what makes it fail is not known here: a suite has to break it'
  const others = plan.configs
    .filter(config => config.node === node)
    .flatMap(({ instances }) => instances.flatMap(({ trackScripts }) => trackScripts.map(one => one.script)))
  const alike = others.find(
    other => other.name !== script.name && JSON.stringify(looksFor(other.command)) === JSON.stringify(target),
  )
  if (alike) return `vrrp_script ${alike.name} looks for the same, and fails with it`
  if ('process' in target)
    return { fault: 'process-crash', inject: lab => lab.inject('process-crash', node, { process: target.process }) }
  const folder = plan.topology.nodes.find(one => one.name === node)?.files
  if (folder === undefined || !existsSync(path.join(folder, target.file)))
    return `${target.file} is not in the folder of ${node}`
  return { fault: 'script-failure', inject: lab => lab.inject('script-failure', node, { script: target.file }) }
}

/** When the VIP goes, and comes back; or why it stays, or nobody knows. */
const boundsOf = (
  plan: Plan,
  [master, backup]: Pair,
  together: PlannedVip[],
  tracked: TrackedScript,
): Pick<Cause, 'bound' | 'noneBound' | 'preempt'> | string => {
  const [from, to] = [configured(plan, master), configured(plan, backup)]
  const { name } = tracked.script
  const left = effectivePriority(from, { scripts: { [name]: false } })
  if (left === 'FAULT') {
    const moves = boundOfAll(together, stopBound)
    const down = inSequence(scriptDownBound(tracked.script, 'exits'), moves)
    const up = boundOfAll(together, (one, other) => preemptBound(one, other) as Bound)
    return {
      noneBound: { ...moves, name: OWNERLESS },
      bound: { ...down, name: `VIP failover after ${name} failed` },
      preempt: { ...inSequence(scriptUpBound(tracked.script, 'exits'), up), name: `VIP back after ${name} succeeded` },
    }
  }
  return outranked([master, backup], from, left, {
    bound: trackedScriptBound(from, to, tracked, 'exits'),
    preempt: trackedScriptBackBound(from, to, tracked, 'exits'),
  })
}
