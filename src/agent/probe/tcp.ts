import { connect } from 'node:net'
import type { ConnectionEvent, Outcome } from '../../history/event.ts'
import { now } from '../clock.ts'
import type { TcpProbeOptions } from '../protocol.ts'
import { detailOf, outcomeOfError, serverOf } from './outcome.ts'
import { inTurn, parseTarget, type ProbeHost, type StopProbe } from './running.ts'

/** What all connections of a probe count together. */
interface Lines {
  sent: number
  late: number
}

/**
 * `tcp`: opens connections, evenly spread over the first `everyMs`, and says a line on each every `everyMs`, whether or not
 * the line before was answered. One that has ended is not opened again.
 */
export const runTcpProbe = (options: TcpProbeOptions, host: ProbeHost): StopProbe => {
  const { connections, everyMs } = options
  const lines: Lines = { sent: 0, late: 0 }
  const start = now()
  const open = new Map<number, StopProbe>()
  const timers = Array.from({ length: connections }, (_, n) => {
    const due = start + (n * everyMs) / connections
    return setTimeout(() => open.set(n, talk(options, host, lines, n)), Math.max(0, due - now()))
  })
  let stopped = false
  return () => {
    if (stopped) return
    stopped = true
    timers.forEach(clearTimeout)
    for (const close of open.values()) close()
    host.ended({ ...lines, lateAfterMs: everyMs })
  }
}

/** Opens connection n and talks on it until it ends. */
const talk = (options: TcpProbeOptions, host: ProbeHost, lines: Lines, n: number): StopProbe => {
  const { probe, client, target, everyMs, timeoutMs } = options
  const [localAddress, localPort] = [inTurn(options.sources, n), inTurn(options.ports, n)]
  const socket = connect({
    ...parseTarget(target),
    noDelay: true,
    ...(localAddress === undefined ? {} : { localAddress }),
    ...(localPort === undefined ? {} : { localPort }),
  })
  let [source, sourcePort] = [localAddress ?? '', localPort ?? 0]
  let server: { server?: string } = {}
  let [exchanges, lastAnswer]: [number, number | undefined] = [0, undefined]
  /** When each line that has no answer yet was said. */
  const unanswered: number[] = []
  let [heard, over] = ['', false]
  let next: NodeJS.Timeout | undefined

  const tell = (change: ConnectionEvent['change'], how: { outcome?: Outcome; detail?: string } = {}): void =>
    host.record({
      ...{ kind: 'connection', t: now(), probe, n, client, source, sourcePort, target, change, ...server, exchanges },
      ...(lastAnswer === undefined ? {} : { lastAnswer }),
      ...how,
    })
  const end = (change: 'lost' | 'closed', how?: { outcome: Outcome; detail: string }): void => {
    if (over) return
    over = true
    clearTimeout(next)
    clearTimeout(silence)
    tell(change === 'closed' ? change : exchanges > 0 ? 'broken' : 'failed', how)
    socket.destroy()
  }
  // the oldest line without an answer decides, also where others were said after it
  const listen = (): void => {
    const oldest = unanswered[0]
    const left = oldest === undefined ? timeoutMs : oldest + timeoutMs - now()
    if (oldest !== undefined && left <= 0)
      end('lost', { outcome: 'timeout', detail: `no answer within ${timeoutMs} ms` })
    else silence = setTimeout(listen, left)
  }
  const connecting = (): void => {
    if (socket.connecting) end('lost', { outcome: 'timeout', detail: `no connection within ${timeoutMs} ms` })
    else listen()
  }
  let silence = setTimeout(connecting, timeoutMs)
  const say = (due: number): void => {
    const t = now()
    if (t - due > everyMs) lines.late++
    socket.write(`${lines.sent++}\n`)
    unanswered.push(t)
    next = setTimeout(say, Math.max(0, due + everyMs - now()), due + everyMs)
  }
  socket.setEncoding('utf8')
  socket.on('connect', () => {
    source = socket.localAddress ?? source
    sourcePort = socket.localPort ?? sourcePort
    clearTimeout(silence)
    say(now())
    listen()
  })
  socket.on('data', (chunk: string) => {
    heard += chunk
    for (let stop = heard.indexOf('\n'); stop >= 0; stop = heard.indexOf('\n')) {
      const line = heard.slice(0, stop)
      heard = heard.slice(stop + 1)
      unanswered.shift()
      exchanges++
      lastAnswer = now()
      if (exchanges > 1) continue
      server = serverOf(line)
      tell('open', { detail: detailOf(line) })
    }
  })
  socket.on('error', error => end('lost', outcomeOfError(error)))
  socket.on('close', () => end('lost', { outcome: 'reset', detail: `the other side closed it` }))
  return () => end('closed')
}
