import { buildConnector, Client } from 'undici'
import type { Outcome, RequestEvent } from '../history/event.ts'
import { now } from './clock.ts'
import type { ProbeOptions } from './protocol.ts'

/** What the agent tells a probe process, and hears from it. */
export type ProbeCommand = { start: ProbeOptions } | { stop: string }
export type ProbeReport =
  | { ready: true }
  | { started: string; t: number }
  | { requests: RequestEvent[] }
  | { stopped: string; t: number; sent: number; late: number }

/** A request counts as late when it left this much after it was due; ms. */
export const LATE_AFTER_MS = 5

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
const request = async (options: ProbeOptions, n: number, scheduled: number): Promise<RequestEvent> => {
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
        done(...(outcome as Parameters<typeof done>))
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
const runProbe = (options: ProbeOptions, report: (message: ProbeReport) => void): (() => void) => {
  const interval = 1000 / options.rate
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
      if (now() - due > LATE_AFTER_MS) late++
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

/** Main of the probe process that lives in a client's network namespace. */
export const probeMain = (): void => {
  const running = new Map<string, () => void>()
  const report = (message: ProbeReport): void => void process.send?.(message)
  process.on('message', (command: ProbeCommand) => {
    if ('stop' in command) {
      running.get(command.stop)?.()
      running.delete(command.stop)
    } else running.set(command.start.probe, runProbe(command.start, report))
  })
  process.on('disconnect', () => process.exit(0))
  report({ ready: true })
}
