import { createSocket, type Socket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import type { RequestEvent } from '../../history/event.ts'
import { now } from '../clock.ts'
import { UDP_PAYLOAD, type UdpProbeOptions } from '../protocol.ts'
import { freshPort } from './fresh-port.ts'
import { openLoop } from './open-loop.ts'
import { detailOf, outcomeOfError, serverOf } from './outcome.ts'
import { inTurn, parseTarget, type ProbeHost, type StopProbe } from './running.ts'

/** A socket, and the datagrams that left through it and are waited for, by number. */
interface Path {
  socket: Socket
  /** Resolves when it is bound and connected, rejects when that failed. */
  ready: Promise<void>
  waiting: Map<number, Waiting>
}

interface Waiting {
  answered: (text: string) => void
  failed: (error: unknown) => void
}

/** A datagram carries its number as the last word, and so does the reply: `rs1 lvslab 17`. */
export const numberOf = (text: string): number => Number(/(\d+)\s*$/.exec(text)?.[1] ?? Number.NaN)

/**
 * `udp`: an open loop of datagrams. A socket takes replies from the address that it asked and from no other, as programs that
 * connect their socket do: a server behind a VIP that replies from its own address has not answered.
 *
 * Whoever did not answer in time is listened to for as long again; a reply that comes then is told in `detail`, the outcome
 * stays `timeout`.
 */
export const runUdpProbe = (options: UdpProbeOptions, host: ProbeHost): StopProbe => {
  const { probe, client, target, timeoutMs, payload = UDP_PAYLOAD } = options
  const paths = new Map<string, Path>()
  const pathOf = (n: number, source: string | undefined, port: number | undefined): Path => {
    const key = options.newPorts ? String(n) : `${source} ${port}`
    const path = paths.get(key) ?? openPath(target, source, port)
    paths.set(key, path)
    // a path that could not be opened is tried anew for its next datagram
    path.ready.catch(() => paths.delete(key))
    return path
  }
  const send = async (n: number, scheduled: number): Promise<void> => {
    const source = inTurn(options.sources, n)
    const port = options.newPorts ? freshPort() : inTurn(options.ports, n)
    const path = pathOf(n, source, port)
    let t = now()
    const event = (): Omit<RequestEvent, 'outcome'> => ({
      ...{ kind: 'request', probe, n, client, scheduled, t, done: now(), target },
      ...localOf(path.socket, source, port),
    })
    try {
      await path.ready
      t = now()
      const reply = new Promise<string>((answered, failed) => path.waiting.set(n, { answered, failed }))
      path.socket.send(`${payload} ${n}`)
      const text = await within(timeoutMs, reply)
      if (text !== undefined) {
        host.record({ ...event(), outcome: 'answered', ...serverOf(text), detail: detailOf(text) })
        return
      }
      const timedOut = event()
      const late = await within(timeoutMs, reply)
      const detail =
        late === undefined
          ? `no reply within ${timeoutMs} ms`
          : `too late, ${(now() - t).toFixed(0)} ms after it was sent: ${late}`
      host.record({ ...timedOut, outcome: 'timeout', detail: detailOf(detail) })
    } catch (error) {
      host.record({ ...event(), ...outcomeOfError(error) })
    } finally {
      path.waiting.delete(n)
      if (options.newPorts) {
        paths.delete(String(n))
        close(path)
      }
    }
  }
  const ended: typeof host.ended = sent => {
    for (const path of paths.values()) close(path)
    host.ended(sent)
  }
  return openLoop({ ...options, send, ended })
}

/** Resolves to what the promise gives, or to undefined after so many ms. */
const within = async <T>(ms: number, promise: Promise<T>): Promise<T | undefined> => {
  let timer: NodeJS.Timeout | undefined
  const over = new Promise<undefined>(resolve => {
    timer = setTimeout(() => resolve(undefined), ms)
  })
  try {
    return await Promise.race([promise, over])
  } finally {
    clearTimeout(timer)
  }
}

const openPath = (target: string, source: string | undefined, port: number | undefined): Path => {
  const { host, port: to } = parseTarget(target)
  const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4')
  const waiting = new Map<number, Waiting>()
  const ready = new Promise<void>((resolve, reject) => {
    socket.once('error', reject)
    socket.bind({ ...(source === undefined ? {} : { address: source }), port: port ?? 0 }, () => {
      socket.connect(to, host, (error?: Error) => (error ? reject(error) : resolve()))
    })
  })
  ready.catch(() => socket.close())
  // an ICMP error does not say which datagram it is about: it comes at once, so it is about the one that left last
  socket.on('error', error => [...waiting.values()].at(-1)?.failed(error))
  socket.on('message', message => {
    const text = message.toString()
    waiting.get(numberOf(text))?.answered(text)
  })
  return { socket, ready, waiting }
}

/** One that could not be opened is closed already. */
const close = ({ socket, ready }: Path): void =>
  void ready.then(
    () => socket.close(),
    () => {},
  )

const localOf = (
  socket: Socket,
  source: string | undefined,
  port: number | undefined,
): { source: string; sourcePort?: number } => {
  try {
    const { address, port: sourcePort } = socket.address()
    if (sourcePort > 0) return { source: address, sourcePort }
  } catch {} // not bound
  return { source: source ?? '', ...(port === undefined ? {} : { sourcePort: port }) }
}
