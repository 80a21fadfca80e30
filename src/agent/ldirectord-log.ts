import { now } from './clock.ts'
import { type Followed, followFile } from './follow-file.ts'
import { snapshotAfterLog } from './ipvs.ts'
import { record } from './journal.ts'
import type { AgentNode } from './protocol.ts'

/** Where ldirectord writes its log, unless `logfile` says otherwise. */
const LOG = '/var/log/ldirectord.log'

/** `[Fri Nov 20 06:00:00 2026|ldirectord.cf|123] ` */
const STAMP = /^\[[^\]]*\] /

/** Records ldirectord's log on a director; each line is a reason to look whether the IPVS table has changed. */
export const watchLdirectordLog = (node: AgentNode): void => {
  const onLine = (text: string): void => {
    record({ kind: 'log', t: now(), node: node.name, file: LOG, line: text.replace(STAMP, '') })
    snapshotAfterLog(node)
  }
  followed.set(node, followFile(`/proc/${node.pid}/root${LOG}`, onLine, 'end'))
}

const followed = new Map<AgentNode, Followed>()

export const leaveLdirectordLog = (node: AgentNode): void => {
  followed.get(node)?.close()
  followed.delete(node)
}
