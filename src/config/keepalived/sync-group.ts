import type { Notice, VrrpInstance } from '../../model/types.ts'
import { keyword, type Statement } from './parse.ts'
import { NOTIFY } from './track.ts'
import { all, argument, note } from './values.ts'

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
  notices: Notice[],
): VrrpInstance[] => {
  const groupOf = new Map<string, string>()
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
    for (const line of all(block, ...TRACKING))
      note(notices, line, `${keyword(line)} of ${group} is obeyed by keepalived; the predictions do not know it`)
    const [notify] = all(block, ...NOTIFY)
    if (notify) note(notices, notify, `whether keepalived runs the notify scripts of ${group} is not judged`)
  }
  return instances.map(instance => {
    const syncGroup = groupOf.get(instance.name)
    return syncGroup === undefined ? instance : { ...instance, syncGroup }
  })
}
