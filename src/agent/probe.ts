import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buildConnector, Client } from 'undici'
import type { Outcome, RequestEvent } from '../history/event.ts'
import { now } from './clock.ts'
import type { HttpProbeOptions } from './protocol.ts'

/** What the agent tells a probe process, and hears from it. */
export type ProbeCommand = { start: HttpProbeOptions } | { stop: string } | { warmUp: true }
export type ProbeReport =
  | { warm: true }
  | { started: string; t: number }
  | { requests: RequestEvent[] }
  | { stopped: string; t: number; sent: number; late: number }

/** A request counts as late when it left after its own slot, the time until the next one, was over; ms. */
export const lateAfterMs = (rate: number): number => 1000 / rate

/** Longest part of a body, or of an error, that the journal keeps. */
const DETAIL = 120

const OUTCOMES: Record<string, Outcome> = {
  ECONNREFUSED: 'refused',
  ECONNRESET: 'reset',
  EPIPE: 'reset',
  UND_ERR_SOCKET: 'reset',
  UND_ERR_CONNECT_TIMEOUT: 'timeout',
  UND_ERR_ABORTED: 'timeout',
  ETIMEDOUT: 'timeout',
  ABORT_ERR: 'timeout',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
}

/** Sends one request on a connection of its own and says how it ended. */
const request = async (options: HttpProbeOptions, n: number, scheduled: number): Promise<RequestEvent> => {
  const url = new URL(options.url)
  const event = {
    kind: 'request' as const,
    probe: options.probe,
    n,
    client: options.client,
    scheduled,
    source: '',
    target: url.host,
  }
  const sent = now()
  let local: { source: string; sourcePort?: number } = { source: '' }
  const connector = buildConnector({ timeout: options.timeoutMs, rejectUnauthorized: false, allowH2: false })
  const client = new Client(url.origin, {
    pipelining: 1,
    connect: (how, done) =>
      connector(how, (...outcome) => {
        const socket = outcome[1]
        if (socket?.localAddress) local = { source: socket.localAddress, sourcePort: socket.localPort ?? 0 }
        done(...outcome)
      }),
  })
  const deadline = new AbortController()
  const timer = setTimeout(() => deadline.abort(), options.timeoutMs)
  try {
    const response = await client.request({
      path: url.pathname,
      method: 'GET',
      headers: { connection: 'close' },
      signal: deadline.signal,
    })
    const text = await response.body.text()
    const server = /^\s*(\S+)/.exec(text)?.[1]
    return {
      ...event,
      ...local,
      t: sent,
      done: now(),
      outcome: 'answered',
      status: response.statusCode,
      ...(server === undefined ? {} : { server }),
      detail: text.trim().slice(0, DETAIL),
    }
  } catch (error) {
    const code = deadline.signal.aborted ? 'ABORT_ERR' : ((error as { code?: string }).code ?? '')
    const detail = `${code} ${error instanceof Error ? error.message : String(error)}`.trim().slice(0, DETAIL)
    return { ...event, ...local, t: sent, done: now(), outcome: OUTCOMES[code] ?? 'error', detail }
  } finally {
    clearTimeout(timer)
    client.destroy().catch(() => {})
  }
}

/** One open loop: request n leaves at start + n / rate, whatever became of those before it. */
const runProbe = (options: HttpProbeOptions, report: (message: ProbeReport) => void): (() => void) => {
  const interval = lateAfterMs(options.rate)
  const start = now()
  let [n, late, stopping, open] = [0, 0, false, 0]
  let finished: RequestEvent[] = []
  let timer: NodeJS.Timeout
  const flush = (): void => {
    if (finished.length) report({ requests: finished })
    finished = []
  }
  const end = (): void => {
    if (!stopping || open > 0) return
    flush()
    report({ stopped: options.probe, t: now(), sent: n, late })
  }
  const tick = (): void => {
    while (!stopping && start + n * interval <= now()) {
      const due = start + n * interval
      if (now() - due > interval) late++
      open++
      void request(options, n, due).then(event => {
        finished.push(event)
        open--
        if (finished.length >= 10) flush()
        end()
      })
      n++
      if (n === options.count) stop()
    }
    if (!stopping) timer = setTimeout(tick, Math.max(0, start + n * interval - now()))
  }
  const stop = (): void => {
    if (stopping) return
    stopping = true
    clearTimeout(timer)
    end()
  }
  report({ started: options.probe, t: start })
  tick()
  return stop
}

/** Requests of each kind that a new process sends to itself; the first hundreds of a cold JIT take half a second each. */
const WARM_UP = { answered: 400, refused: 100, timeout: 100 }

/**
 * Runs the whole path of a request, with each of its ends, until it is compiled: against servers of its own on the loopback,
 * so that nothing of the lab is touched. Then the young generation is emptied: with the size that the agent starts this
 * process with, minutes pass until it is full again.
 */
const warmUp = async (): Promise<void> => {
  const answering = createServer((_request, response) => response.end('warm up'))
  const silent = createServer(() => {})
  const ports: number[] = []
  for (const server of [answering, silent]) {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    ports.push((server.address() as AddressInfo).port)
  }
  const send = (count: number, port: number | undefined, timeoutMs: number): Promise<unknown> => {
    const options = {
      type: 'http' as const,
      probe: 'warm-up',
      client: '',
      url: `http://127.0.0.1:${port}/`,
      rate: 1,
      timeoutMs,
    }
    return Promise.all(Array.from({ length: count }, (_, n) => request(options, n, now())))
  }
  for (let n = 0; n < WARM_UP.answered; n += 4) await send(4, ports[0], 10_000)
  for (let n = 0; n < WARM_UP.refused; n += 4) await send(4, 1, 10_000)
  for (let n = 0; n < WARM_UP.timeout; n += 20) await send(20, ports[1], 20)
  for (const server of [answering, silent]) server.close().closeAllConnections()
  globalThis.gc?.()
}

/** Flags of Node for the probe process: no pause for garbage in the middle of a measurement. */
export const PROBE_FLAGS = ['--expose-gc', '--max-semi-space-size=64', '--min-semi-space-size=64']

/** Main of the probe process that lives in a client's network namespace. */
export const probeMain = async (): Promise<void> => {
  const running = new Map<string, () => void>()
  const report = (message: ProbeReport): void => void process.send?.(message)
  process.on('message', (command: ProbeCommand) => {
    if ('warmUp' in command) void warmUp().then(() => report({ warm: true }))
    else if ('stop' in command) {
      running.get(command.stop)?.()
      running.delete(command.stop)
    } else running.set(command.start.probe, runProbe(command.start, report))
  })
  process.on('disconnect', () => process.exit(0))
  await warmUp()
  report({ warm: true })
}
