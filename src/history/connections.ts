import type { ConnectionEvent } from './event.ts'
import type { History } from './history.ts'
import { eventsOf } from './queries.ts'

/** One TCP connection of a `tcp` probe that was established, from its beginning to its end. */
export interface Connection {
  /** Number in its probe. */
  n: number
  opened: ConnectionEvent
  /** `broken` or `closed`; undefined where it was still open when the recording ended. */
  ended: ConnectionEvent | undefined
  /** Node at its other end, where it ever said a word. */
  server: string | undefined
}

/** The connections of one probe that were established, in the order of opening. */
export const connectionsOf = (history: History, probe: string): Connection[] => {
  const changes = eventsOf(history, 'connection').filter(event => event.probe === probe)
  return changes
    .filter(event => event.change === 'open')
    .map(opened => {
      const ended = changes.find(
        // numbers begin anew where the name of the probe was used again, when all before had ended
        ({ n, change, t }) => n === opened.n && t >= opened.t && (change === 'broken' || change === 'closed'),
      )
      return { n: opened.n, opened, ended, server: opened.server ?? ended?.server }
    })
}
