import { connect, isIP, type Socket } from 'node:net'
import { connect as connectTls, createSecureContext } from 'node:tls'
import { Client, type Dispatcher } from 'undici'
import type { RequestEvent } from '../../history/event.ts'
import { now } from '../clock.ts'
import type { HttpProbeOptions } from '../protocol.ts'
import { freshPort } from './fresh-port.ts'
import { openLoop } from './open-loop.ts'
import { detailOf, outcomeOfError, serverOf } from './outcome.ts'
import { inTurn, type ProbeHost, type StopProbe } from './running.ts'

type Answer = Pick<RequestEvent, 'outcome' | 'status' | 'server' | 'detail'>

/** Sends request n, due at `scheduled`, and says how it ended. */
export type SendRequest = (n: number, scheduled: number) => Promise<RequestEvent>

/** Where a connection comes from; the address is the kernel's choice where none is given. */
interface From {
  localAddress: string | undefined
  localPort: number
}

/** Begins a connection and calls back when it is there, for https with a full handshake: no session is taken up again. */
type Connector = (from: From, connected: () => void) => Socket

const connectorTo = ({ protocol, hostname, port }: URL): Connector => {
  const host = hostname.replace(/^\[|\]$/g, '')
  const to = { host, port: Number(port) || (protocol === 'https:' ? 443 : 80), autoSelectFamily: false }
  if (protocol !== 'https:') return (from, connected) => connect({ ...to, ...from }, connected)
  // without `ca`, every context would get the roots of the web, which takes longer than the handshake
  const tls = { secureContext: createSecureContext({ ca: [] }), rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] }
  const name = isIP(host) === 0 ? { servername: host } : {}
  return (from, connected) => connectTls({ ...tls, ...name, ...to, ...from }, connected)
}

/** A client of undici, with one request under way at most, on a connection of its own. */
interface Line {
  client: Client
  /** Where the next connection comes from; its address is known when there is one. */
  from: From
  /** The last connection. */
  socket: Socket | undefined
}

const newLine = (origin: string, connector: Connector): Line => {
  const client = new Client(origin, {
    allowH2: false,
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: (_to, done) => {
      const failed = (error: Error): void => done(error, null)
      const socket = connector(line.from, () => {
        line.from.localAddress ??= socket.localAddress
        socket.off('error', failed)
        done(null, socket)
      })
      line.socket = socket.setNoDelay(true).once('error', failed)
    },
  })
  const line: Line = { client, from: { localAddress: undefined, localPort: 0 }, socket: undefined }
  return line
}

/**
 * Requests by undici, each on a connection of its own, over HTTP/1.1, never sent again. Its clients are used again: to make one, and
 * the connector that undici has, took 35 us of 240 for a request (natively).
 */
export const httpRequests = (options: Omit<HttpProbeOptions, 'rate' | 'type'>): SendRequest => {
  const url = new URL(options.url)
  const path = `${url.pathname}${url.search}`
  const connector = connectorTo(url)
  const idle: Line[] = []
  return (n, scheduled) =>
    new Promise(resolve => {
      const line = idle.shift() ?? newLine(url.origin, connector) // the one that has been idle for longest
      const localPort = inTurn(options.ports, n) ?? freshPort()
      const from: From = { localAddress: inTurn(options.sources, n), localPort }
      line.from = from
      line.socket = undefined
      const sent = now()
      const { probe, client: node } = options
      const event = { kind: 'request' as const, probe, n, client: node, scheduled, t: sent, target: url.host }
      let over = false
      const end = (answer: Answer): void => {
        if (over) return // undici takes the end of a connection for that of its answer, even when it was cut off here
        over = true
        clearTimeout(deadline)
        resolve({ ...event, done: now(), source: from.localAddress ?? '', sourcePort: localPort, ...answer })
        // an answer that was read to its end has closed its connection already
        if (answer.outcome === 'answered') return void idle.push(line)
        line.socket?.destroy()
        line.client.destroy().catch(() => {})
      }
      const deadline = setTimeout(
        () => end({ outcome: 'timeout', detail: `no answer within ${options.timeoutMs} ms` }),
        options.timeoutMs,
      )
      line.client.dispatch({ path, method: 'GET', headers: ['connection', 'close'] }, collect(end))
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
