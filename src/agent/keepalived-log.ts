import type { KeepalivedEvent } from '../history/event.ts'
import { now } from './clock.ts'
import { type Followed, followFile } from './follow-file.ts'
import { snapshotAfterLog } from './ipvs.ts'
import { record } from './journal.ts'
import type { AgentNode } from './protocol.ts'

/** Where the director's service script has keepalived write its log. */
const LOG = '/var/log/keepalived.log'

/** How keepalived writes a server or a service: `[10.0.0.10]:tcp:80`. */
const ENDPOINT = String.raw`\[([^\]]+)\]:(\w+):(\d+)`
const MOVED = new RegExp(
  `^(Adding|Removing|Shutting down) service ${ENDPOINT} (?:to|from) VS (?:${ENDPOINT}|FWM (\\d+))`,
)
const CHECKED = new RegExp(`${ENDPOINT}.*?\\b(succe|fail)|\\b(succe|fail)\\w* .*?${ENDPOINT}`)
/** Of one URL among several, of one attempt among several: the check goes on. */
const UNDECIDED = /^HTTP status code|retry|retrying/i
/** What is done, to a service whose group may be called `failover`. */
const DONE = /^(?:Adding|Removing|Enabling|Disabling|Shutting down|Changing weight|Activating|Suspending) /

/** What a line says of a real server; undefined where it says nothing of one. */
const parseChecker = (line: string): KeepalivedEvent['checker'] => {
  const [, verb, address, , port, vip, protocol, vipPort, mark] = MOVED.exec(line) ?? []
  if (verb) {
    const host = vip?.includes(':') ? `[${vip}]` : vip
    const service = mark ? `FWM ${mark}` : `${protocol?.toUpperCase()} ${host}:${vipPort}`
    return { server: `${address}:${port}`, service, result: verb === 'Adding' ? 'added' : 'removed' }
  }
  if (UNDECIDED.test(line) || DONE.test(line)) return undefined
  const [, server, , serverPort, after, before, later, , laterPort] = CHECKED.exec(line) ?? []
  if (!after && !before) return undefined
  return {
    server: `${server ?? later}:${serverPort ?? laterPort}`,
    result: (after ?? before) === 'succe' ? 'up' : 'down',
  }
}

/** `Fri Nov 20 06:00:00 2026: (VI_1) Entering MASTER STATE` */
export const parseLogLine = (text: string): Pick<KeepalivedEvent, 'line' | 'transition' | 'checker'> => {
  const line = text.replace(/^\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}: /, '')
  const [, instance, state] = /^\((.+?)\) Entering (MASTER|BACKUP|FAULT|STOP)/.exec(line) ?? []
  if (instance && state)
    return { line, transition: { instance, state: state as 'MASTER' | 'BACKUP' | 'FAULT' | 'STOP' } }
  const checker = parseChecker(line)
  return checker ? { line, checker } : { line }
}

/**
 * Whether a line may come with a change of the IPVS table. How a check ended does not: what follows from it has a line of its own
 * (`Adding service`, `Disabling service`; ipwrapper.c, perform_svr_state), and of 1000 real servers each says so in the first round.
 */
export const mayChangeTable = ({ checker }: Pick<KeepalivedEvent, 'checker'>): boolean =>
  checker?.result !== 'up' && checker?.result !== 'down'

/** Follows keepalived's log on a director, and looks after a line whether the IPVS table has changed. */
export const watchKeepalivedLog = (node: AgentNode): void => {
  const onLine = (text: string): void => {
    const said = parseLogLine(text)
    record({ kind: 'keepalived', t: now(), node: node.name, ...said })
    if (mayChangeTable(said)) snapshotAfterLog(node)
  }
  followed.set(node, followFile(`/proc/${node.pid}/root${LOG}`, onLine, readTo.get(node)))
}

const followed = new Map<AgentNode, Followed>()
const readTo = new Map<AgentNode, number>()

/** Lets go of a node's log; {@link watchKeepalivedLog} then goes on where this stopped, as the file outlives a restart. */
export const leaveKeepalivedLog = (node: AgentNode): void => {
  const log = followed.get(node)
  if (log) readTo.set(node, log.close())
  followed.delete(node)
}
