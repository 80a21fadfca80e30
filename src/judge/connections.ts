import type { History } from '../history/history.ts'
import { type Connection, connectionsOf } from '../history/connections.ts'
import { endOf, eventsOf, lastFault } from '../history/queries.ts'
import { inconclusive, inOrder, starved } from './guard.ts'
import type { Verdict } from './verdict.ts'
import { describeConnection, describeFault } from './words.ts'

export interface ConnectionsParams {
  /** A `tcp` probe, which holds its connections open and talks on them. */
  probe: string
  /** Name in the fault registry; the last time that it was injected into the node is judged. */
  fault: string
  node: string
  /** Servers whose connections may break; those of every other server must survive. Default: none may. */
  mayBreak?: string[]
  /** A connection has survived when it was answered this long after the fault took effect, ms; default 0. */
  afterMs?: number
  /** A connection that was silent for longer when its probe closed it may have been broken by then, ms; default 1000. */
  quietMs?: number
}

/**
 * Established TCP connections survive a fault, except those of servers that it may cost. Judged up to the next thing that
 * is done to the lab, or to the end; a connection that fell silent before that, and was given up after it, belongs to
 * neither.
 */
export const checkConnections = (history: History, params: ConnectionsParams): Verdict => {
  const { probe, fault, node, mayBreak = [], afterMs = 0, quietMs = QUIET_MS } = params
  const cause = lastFault(history, 'inject', fault, node)
  if (!cause) return inconclusive(`${fault} was never injected into ${node}, so no connection could break of it.`)
  const until = eventsOf(history, 'fault').find(event => event.t > cause.done)?.t ?? endOf(history)
  const held = connectionsOf(history, probe).filter(
    ({ opened, ended }) => opened.t <= cause.t && (ended === undefined || ended.t > cause.t),
  )
  const judged = held.filter(({ server = '' }) => !mayBreak.includes(server))
  const what = describeFault(cause)
  if (judged.length === 0)
    return inconclusive(
      held.length === 0
        ? `The probe ${probe} held no connection when ${what} began.`
        : `The probe ${probe} held ${held.length} connections, all of them to ${mayBreak.join(', ')}, which may break.`,
      [cause],
    )

  const broken = judged.filter(({ ended }) => ended?.change === 'broken' && ended.t <= until)
  const spared = broken.filter(connection => connection.server !== undefined || mayBreak.length === 0)
  const measurements = [
    { name: 'connections held', value: held.length, unit: 'connections' as const },
    { name: 'broken', value: held.filter(one => brokenBy(one, until)).length, unit: 'connections' as const },
    { name: 'broken that must survive', value: spared.length, unit: 'connections' as const },
  ]
  if (spared.length > 0) {
    const hungry = starved(history, probe)
    if (hungry) return inconclusive(hungry, [cause])
    return {
      outcome: 'FAIL',
      reason:
        `${spared.length} of ${judged.length} connections that had to survive ${what} broke: ` +
        `${spared.map(one => describeConnection(one, cause.t)).join('; ')}.`,
      measurements,
      proof: inOrder([cause, ...spared.slice(0, 3).flatMap(({ opened, ended }) => [opened, ended])]),
    }
  }
  const unknown = judged.filter(connection => !livedOn(connection, cause.done + afterMs, until, quietMs))
  const [one] = unknown
  if (one)
    return {
      ...inconclusive(
        `${unknown.length} of ${judged.length} connections cannot be told to have survived ${what}: ` +
          `${describeConnection(one, cause.t)}.`,
        [cause, one.opened, one.ended],
      ),
      measurements,
    }
  const excused = held.length - judged.length
  return {
    outcome: 'PASS',
    reason:
      `All ${judged.length} connections survived ${what}` +
      `${excused > 0 ? `; ${excused} to ${mayBreak.join(', ')} were free to break` : ''}.`,
    measurements,
    proof: inOrder([cause, judged[0]?.opened, judged[0]?.ended]),
  }
}

const brokenBy = ({ ended }: Connection, until: number): boolean => ended?.change === 'broken' && ended.t <= until

/** Default of `quietMs`. */
export const QUIET_MS = 1000

/**
 * Whether a connection is known to have been alive from one moment to another: it was answered after the first, and up to the
 * second or to its orderly end.
 */
export const livedOn = ({ ended }: Connection, after: number, until: number, quietMs: number): boolean => {
  if (ended?.lastAnswer === undefined || ended.lastAnswer <= after) return false
  return ended.lastAnswer >= until || (ended.change === 'closed' && ended.t - ended.lastAnswer <= quietMs)
}
