import { type Followed, followFile } from './follow-file.ts'
import { snapshotAfterLog } from './ipvs.ts'
import type { AgentNode } from './protocol.ts'

/** Where ldirectord writes its log, unless `logfile` says otherwise. */
const LOG = '/var/log/ldirectord.log'

/** Follows ldirectord's log on a director; each line is a reason to look whether the IPVS table has changed. */
export const watchLdirectordLog = (node: AgentNode): void => {
  followed.set(
    node,
    followFile(`/proc/${node.pid}/root${LOG}`, () => snapshotAfterLog(node), 'end'),
  )
}

const followed = new Map<AgentNode, Followed>()

export const leaveLdirectordLog = (node: AgentNode): void => {
  followed.get(node)?.close()
  followed.delete(node)
}
