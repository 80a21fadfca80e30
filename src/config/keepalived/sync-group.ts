import type { Position } from '../../errors.ts'
import type { Notice, TrackedScript, VrrpInstance } from '../../model/types.ts'
import { keyword, type Statement } from './parse.ts'
import { NOTIFY, readTrackedInterfaces, readTrackedScripts } from './track.ts'
import { readUnpredicted } from './unpredicted.ts'
import { all, argument, note } from './values.ts'
import type { VrrpDefaults } from './vrrp-instance.ts'

/** What a group may track for all of its members, and how. */
const TRACKING = [
  ...['track_interface', 'track_script', 'track_file', 'track_process', 'track_bfd'],
  ...['global_tracking', 'sync_group_tracking_weight'],
]

/**
 * The instances with the `vrrp_sync_group` that each is in (keepalived vrrp_sync.c `vrrp_sync_set_group`): a name that is no
 * instance's is left out, and an instance stays in the first group that names it.
 */
export const withSyncGroups = (
  statements: Statement[],
  instances: VrrpInstance[],
  defined: Pick<VrrpDefaults, 'scripts' | 'tracked'>,
  notices: Notice[],
): VrrpInstance[] => {
  const groupOf = new Map<string, string>()
  const floating = new Set<string>()
  const weighted = new Set<string>()
  const ofAll = new Map<string, TrackedScript[]>()
  const weighing = new Map<string, TrackedScript[]>()
  for (const statement of all(statements, 'vrrp_sync_group')) {
    const group = argument(statement)
    const block = statement.block ?? []
    for (const line of all(block, 'group').flatMap(members => members.block ?? [])) {
      for (const { text: member } of line.words) {
        if (!instances.some(instance => instance.name === member))
          note(notices, line, `${member} of vrrp_sync_group ${group} is no vrrp_instance; keepalived leaves it out`)
        else if (groupOf.has(member))
          note(
            notices,
            line,
            `${member} is in vrrp_sync_group ${groupOf.get(member)} already; keepalived leaves it there`,
          )
        else groupOf.set(member, group)
      }
    }
    const own = new Map(
      instances.filter(({ name }) => groupOf.get(name) === group).map(one => [one.interface, one.name]),
    )
    for (const line of all(block, 'track_interface').flatMap(tracked => tracked.block ?? [])) {
      const member = own.get(keyword(line))
      if (member === undefined) continue
      note(
        notices,
        line,
        `${keyword(line)}, which ${group} tracks, is the interface of ${member} itself; keepalived refuses it`,
      )
    }
    const scripts = readTrackedScripts(all(block, 'track_script'), defined.scripts, group, [])
    // one without a weight takes all of them along, as one that a member tracks
    ofAll.set(
      group,
      scripts.filter(one => one.weight === 0),
    )
    const heavy = scripts.filter(one => one.weight !== 0)
    if (heavy.length > 0) weighing.set(group, heavy)
    const isKnown = (line: Statement): boolean => keyword(line) === 'track_script' && heavy.length === 0
    for (const line of all(block, ...TRACKING).filter(one => !isKnown(one)))
      note(notices, line, `${keyword(line)} of ${group} is obeyed by keepalived; the predictions do not know it`)
    if (all(block, 'sync_group_tracking_weight', 'global_tracking').length > 0) floating.add(group)
    const tracked = [
      ...scripts,
      ...readTrackedInterfaces(all(block, 'track_interface'), { name: group, interface: '' }, []),
      ...(readUnpredicted(block, defined.tracked, group, []).trackObjects ?? []),
    ]
    if (tracked.some(({ weight }) => weight !== 0)) weighted.add(group)
    const [notify] = all(block, ...NOTIFY)
    if (notify) note(notices, notify, `whether keepalived runs the notify scripts of ${group} is not judged`)
  }
  return instances.map(instance => {
    const syncGroup = groupOf.get(instance.name)
    if (syncGroup === undefined) return instance
    const own = floating.has(syncGroup) ? instance : withoutWeights(instance, syncGroup, notices)
    const names = new Set(own.trackScripts.map(({ script }) => script.name))
    const heavy = weighing.get(syncGroup)
    const more = (ofAll.get(syncGroup) ?? []).filter(({ script }) => !names.has(script.name))
    return {
      ...own,
      trackScripts: [...own.trackScripts, ...more],
      syncGroup,
      ...(weighted.has(syncGroup) && { weightsOfGroup: true as const }),
      ...(heavy && { scriptsOfGroup: heavy }),
    }
  })
}

/**
 * Priorities do not float in a sync group that does not say so (keepalived vrrp.c `vrrp_complete_instance`), but for the weight of an
 * interface: it is in the interface's own list by then, and stays in force.
 */
const withoutWeights = (instance: VrrpInstance, group: string, notices: Notice[]): VrrpInstance => {
  const ignored = (what: string, at: Position): void =>
    void notices.push({ at, message: `${instance.name} is in vrrp_sync_group ${group}: keepalived ignores ${what}` })
  const { trackScripts, trackObjects = [], ...rest } = instance
  for (const { weight, script, at } of trackScripts)
    if (weight !== 0) ignored(`vrrp_script ${script.name}, as it has a weight`, at)
  for (const one of instance.trackInterfaces)
    if (one.weight !== 0)
      notices.push({
        at: one.at,
        message: `${instance.name} is in vrrp_sync_group ${group}: keepalived says that it ignores the weight of track_interface ${one.interface}, and counts it all the same`,
      })
  const objects = trackObjects.flatMap(one => {
    if (one.kind !== 'file' || one.weight === 0) return [one]
    ignored(`${one.weight === 1 ? 'the weight of ' : ''}track_file ${one.name}`, one.at)
    return one.weight === 1 ? [{ ...one, weight: 0 }] : []
  })
  return {
    ...rest,
    trackScripts: trackScripts.filter(one => one.weight === 0),
    ...(objects.length > 0 && { trackObjects: objects }),
  }
}
