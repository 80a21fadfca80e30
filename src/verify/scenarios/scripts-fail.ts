import { statSync } from 'node:fs'
import path from 'node:path'
import type { Heal } from '../../lab/faults/inject.ts'
import type { FaultName } from '../../lab/faults/registry.ts'
import type { Lab } from '../../lab/lab.ts'
import { inSequence } from '../../model/bound.ts'
import { type LooksFor, looksFor } from '../../model/looks-for.ts'
import {
  effectivePriority,
  type ScriptFailure,
  scriptDownBound,
  scriptDownName,
  scriptUpBound,
  scriptUpName,
  trackedScriptBackBound,
  trackedScriptBound,
} from '../../model/track.ts'
import type { Bound, TrackedScript, VrrpInstance } from '../../model/types.ts'
import { handoverBound, recoverBound, stopBound } from '../../model/vrrp.ts'
import { OWN_PROCESSES } from '../../topology/processes.ts'
import type { Plan, PlannedVip } from '../plan.ts'
import { configured } from '../vips.ts'
import { boundOfAll, type Cause, type Pair } from './failover.ts'
import { outranked, OWNERLESS } from './outranked.ts'

/** A script with the instance that tracks it. */
interface Tracking {
  tracked: TrackedScript
  instance: VrrpInstance
}

/** The scripts that the MASTER of VIPs tracks by any of their instances, each once. */
export const trackedBy = (plan: Plan, vips: PlannedVip[]): Tracking[] => {
  const found = vips.flatMap(({ members: [master] }) => {
    const instance = master && configured(plan, master)
    return instance?.trackScripts.map(tracked => ({ tracked, instance })) ?? []
  })
  // without a weight it is FAULT for all of a sync group, whatever another instance makes of it
  const all = found.toSorted((a, b) => Number(a.tracked.weight !== 0) - Number(b.tracked.weight !== 0))
  return all.filter((one, n) => all.findIndex(({ tracked }) => tracked.script.name === one.tracked.script.name) === n)
}

/** Each script that the MASTER tracks fails there: what it looks for crashes, or it says so itself. */
export const scriptsFail = (plan: Plan, vip: PlannedVip, pair: Pair, together: PlannedVip[]): Cause[] => {
  const [master, backup] = pair
  const { node } = master
  return trackedBy(plan, together).flatMap(({ tracked, instance }) => {
    const { name, command } = tracked.script
    const target = looksFor(command)
    const what = `${target && 'file' in target ? 'exit code 1' : 'a failure'} of vrrp_script ${name}`
    const untested = (why: string): Cause[] => {
      plan.untested.push({ what: `failover of ${vip.address} after ${what} on ${node}`, why })
      return []
    }
    if (tracked.reverse) return untested('it is tracked with reverse: what makes it succeed is not known here')
    if (!target) return untested('what makes it fail is not known here: a suite has to break it')
    const more = failsToo(plan, together, tracked, target)
    if (more) return untested(more)
    const breaks = breaking(plan, node, target)
    if (typeof breaks === 'string') return untested(breaks)
    const bounds = boundsOf(plan, vip, together, { tracked, instance }, 'process' in target ? 'exits' : 'takes time')
    if (typeof bounds === 'string') return untested(bounds)
    const cause: Cause = {
      ...{ id: `script-${name}`, what, where: `on ${node}`, returns: 'the script succeeds again' },
      ...breaks,
      ...bounds,
      // the health checks have gone on all the time
      gapBound: handoverBound(backup.instance),
    }
    return [cause]
  })
}

/** What else of the instances that move together fails with it, so that nothing is predicted. */
const failsToo = (
  plan: Plan,
  together: PlannedVip[],
  { script }: TrackedScript,
  target: LooksFor,
): string | undefined => {
  const own = together.flatMap(({ members: [master] }) => (master ? [configured(plan, master)] : []))
  const alike = own
    .flatMap(({ trackScripts }) => trackScripts.map(one => one.script))
    .find(other => other.name !== script.name && isSame(looksFor(other.command), target))
  if (alike) return `vrrp_script ${alike.name} looks for the same, and fails with it`
  const object = own
    .flatMap(({ trackObjects = [] }) => trackObjects)
    .find(
      one =>
        'process' in target && one.kind === 'process' && path.basename(one.of.split(' ')[0] ?? '') === target.process,
    )
  return object && `track_process ${object.name} looks for the same, and fails with it`
}

const isSame = (one: LooksFor | undefined, other: LooksFor): boolean =>
  one !== undefined &&
  ('process' in one ? 'process' in other && one.process === other.process : 'file' in other && one.file === other.file)

/** How a script is made to fail; or why it is not. */
const breaking = (
  plan: Plan,
  node: string,
  target: LooksFor,
): { fault: FaultName; inject: (lab: Lab) => Promise<Heal> } | string => {
  const its = plan.topology.nodes.find(one => one.name === node)
  if ('process' in target) {
    const { process, isPart } = target
    const names = isPart ? [...OWN_PROCESSES.director, ...(its?.processes ?? [])] : []
    const other = names.find(one => one !== process && one.includes(process))
    if (other !== undefined) return `it finds any process with ${process} in its name, and there is ${other}`
    if (process !== 'nginx' && OWN_PROCESSES.director.includes(process))
      return `what it looks for, ${process}, is what the lab itself lives by`
    return { fault: 'process-crash', inject: lab => lab.inject('process-crash', node, { process }) }
  }
  const { file, isRead } = target
  const stat = its?.files === undefined ? undefined : statSync(path.join(its.files, file), { throwIfNoEntry: false })
  if (!stat?.isFile()) return `${file} is not in the folder of ${node}: put it there`
  if (!isRead && (stat.mode & 0o100) === 0)
    return `${file} is not executable: keepalived does not track it before chmod +x`
  return { fault: 'script-failure', inject: lab => lab.inject('script-failure', node, { script: file }) }
}

/** When the VIP goes, and comes back; or why it stays, or nobody knows. */
const boundsOf = (
  plan: Plan,
  vip: PlannedVip,
  together: PlannedVip[],
  { tracked, instance }: Tracking,
  failure: ScriptFailure,
): Pick<Cause, 'bound' | 'noneBound' | 'missBound' | 'preempt'> | string => {
  const [from, to] = vip.members.map(member => configured(plan, member)) as [VrrpInstance, VrrpInstance]
  const { script } = tracked
  const left = effectivePriority(instance, { scripts: { [script.name]: false } })
  if (left === 'FAULT') {
    const moves = boundOfAll(together, (one, other) => stopBound(one.instance, other.instance))
    const returns = boundOfAll(together, (one, other) => recoverBound(one.instance, other.instance) as Bound)
    const ownerless = { ...moves, name: OWNERLESS }
    return {
      noneBound: ownerless,
      missBound: ownerless,
      bound: { ...inSequence(scriptDownBound(script, failure), moves), name: scriptDownName(tracked) },
      preempt: { ...inSequence(scriptUpBound(script, failure), returns), name: scriptUpName(tracked) },
    }
  }
  const bounds = outranked(vip, from, left, {
    bound: trackedScriptBound(from, to, tracked, failure),
    preempt: trackedScriptBackBound(from, to, tracked, failure),
  })
  // whoever has the VIP serves
  return typeof bounds === 'string' ? bounds : { ...bounds, missBound: handoverBound(to) }
}
