import type { FaultEvent, RequestEvent } from '../history/event.ts'

/** `keepalived-crash on d1`, or `the heal of keepalived-crash on d1`. */
export const describeFault = (fault: FaultEvent): string =>
  `${fault.phase === 'heal' ? 'the heal of ' : ''}${fault.fault} on ${fault.node}`

/** `request 12 at 3.214 s (timeout)`, to name one request in a sentence. */
export const describeRequest = (request: RequestEvent): string =>
  `request ${request.n} at ${(request.t / 1000).toFixed(3)} s (${
    request.outcome === 'answered' ? `answered by ${request.server ?? 'an unknown server'}` : request.outcome
  })`
