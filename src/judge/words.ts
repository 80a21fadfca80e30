import type { Connection } from '../history/connections.ts'
import type { FaultEvent, RequestEvent } from '../history/event.ts'
import { seconds } from '../model/bound.ts'

/** `keepalived-crash on d1`, or `the heal of keepalived-crash on d1`. */
export const describeFault = (fault: FaultEvent): string =>
  `${fault.phase === 'heal' ? 'the heal of ' : ''}${fault.fault} on ${fault.node}`

/** `request 12 at 3.214 s (timeout)`, to name one request in a sentence. */
export const describeRequest = (request: RequestEvent): string =>
  `request ${request.n} at ${(request.t / 1000).toFixed(3)} s (${
    request.outcome === 'answered' ? `answered by ${request.server ?? 'an unknown server'}` : request.outcome
  })`

/** `connection 3 to rs1 broke 2.1 s after (reset, last answer 2 s after)`: one connection, in ms after a moment. */
export const describeConnection = ({ n, server, ended }: Connection, since: number): string => {
  const name = `connection ${n} to ${server ?? 'an unknown server'}`
  if (!ended) return `${name} had no end in the recording`
  const last =
    ended.lastAnswer === undefined ? 'never answered' : `last answer ${seconds(ended.lastAnswer - since)} after`
  const how =
    ended.change === 'broken'
      ? `broke ${seconds(ended.t - since)} after (${ended.outcome ?? 'error'}, `
      : 'was closed ('
  return `${name} ${how}${last})`
}
