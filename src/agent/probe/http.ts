import type { Socket } from 'node:net'
import { createSecureContext } from 'node:tls'
import { buildConnector, Client, type Dispatcher } from 'undici'
import type { RequestEvent } from '../../history/event.ts'
import { now } from '../clock.ts'
import type { HttpProbeOptions } from '../protocol.ts'
import { freshPort } from './fresh-port.ts'
import { openLoop } from './open-loop.ts'
import { detailOf, outcomeOfError, serverOf } from './outcome.ts'
import { inTurn, type ProbeHost, type StopProbe } from './running.ts'

type Connector = ReturnType<typeof buildConnector>
type Answer = Pick<RequestEvent, 'outcome' | 'status' | 'server' | 'detail'>

/** Sends request n, due at `scheduled`, and says how it ended. */
export type SendRequest = (n: number, scheduled: number) => Promise<RequestEvent>

/**
 * Requests by undici, each on a connection of its own, over HTTP/1.1, never sent again. For https each makes a full handshake:
 * no session is taken up again.
 */
export const httpRequests = (options: Omit<HttpProbeOptions, 'rate' | 'type'>): SendRequest => {
  const url = new URL(options.url)
  const path = `${url.pathname}${url.search}`
  const connectors = new Map<number, Connector>()
  const tls =
    url.protocol === 'https:'
      ? // without `ca`, every context would get the roots of the web, which takes longer than the handshake
        { secureContext: createSecureContext({ ca: [] }), rejectUnauthorized: false, maxCachedSessions: 0 }
      : {}
  const connectorFrom = (localPort: number): Connector => {
    const connector =
      connectors.get(localPort) ??
      buildConnector({ ...tls, localPort, timeout: 0, allowH2: false, autoSelectFamily: false })
    if (options.ports) connectors.set(localPort, connector) // others come once
    return connector
  }
  return (n, scheduled) =>
    new Promise(resolve => {
      const [address, port] = [inTurn(options.sources, n), inTurn(options.ports, n) ?? freshPort()]
      const connector = connectorFrom(port)
      let socket: Socket | undefined
      let source = address ?? ''
      const sent = now()
      const client = new Client(url.origin, {
        allowH2: false,
        headersTimeout: 0,
        bodyTimeout: 0,
        connect: (how, done) => {
          const connecting = connector({ ...how, localAddress: address ?? null }, (...outcome) => {
            const [, connected] = outcome
            if (connected) source = connected.localAddress ?? source
            done(...outcome)
          })
          socket = connecting as unknown as Socket
        },
      })
      const { probe, client: node } = options
      const event = { kind: 'request' as const, probe, n, client: node, scheduled, t: sent, target: url.host }
      const end = (answer: Answer): void => {
        clearTimeout(deadline)
        resolve({ ...event, done: now(), source, sourcePort: port, ...answer })
        // an answer that was read to its end has closed its connection already
        if (answer.outcome === 'answered') return
        socket?.destroy()
        client.destroy().catch(() => {})
      }
      const deadline = setTimeout(
        () => end({ outcome: 'timeout', detail: `no answer within ${options.timeoutMs} ms` }),
        options.timeoutMs,
      )
      client.dispatch({ path, method: 'GET', headers: ['connection', 'close'] }, collect(end))
    })
}

/** Reads an answer to its end, or to its error. */
const collect = (end: (answer: Answer) => void): Dispatcher.DispatchHandler => {
  let status = 0
  let text = ''
  return {
    onRequestStart: () => {},
    onResponseStart: (_controller, code) => {
      status = code
    },
    onResponseData: (_controller, chunk) => {
      if (text.length < 200) text += chunk.toString()
    },
    onResponseEnd: () => end({ outcome: 'answered', status, ...serverOf(text), detail: detailOf(text) }),
    onResponseError: (_controller, error) => end(outcomeOfError(error)),
  }
}

/** `http` and `https`: an open loop of requests. */
export const runHttpProbe = (options: HttpProbeOptions, host: ProbeHost): StopProbe => {
  const request = httpRequests(options)
  return openLoop({
    ...options,
    send: async (n, scheduled) => host.record(await request(n, scheduled)),
    ended: sent => host.ended(sent),
  })
}
