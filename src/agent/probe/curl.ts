import { execFile } from 'node:child_process'
import type { RequestEvent } from '../../history/event.ts'
import { now } from '../clock.ts'
import { inNode } from '../namespace.ts'
import type { AgentNode, CurlProbeOptions } from '../protocol.ts'
import { detailOf, outcomeOfCurl, serverOf } from './outcome.ts'
import { inTurn, type ProbeHost, type StopProbe } from './running.ts'

/** A curl counts as late when it was started this long after the pause was over; ms. */
const LATE_AFTER_MS = 50

/** What curl is told to write to standard error when it has ended: which way it went. */
const WAY = '%{stderr}\nway %{local_ip} %{local_port} %{http_code}\n'

/** curl's command line for one request. */
export const curlCommand = (options: CurlProbeOptions, n: number): string[] => {
  const [source, port] = [inTurn(options.sources, n), inTurn(options.ports, n)]
  return [
    ...['curl', '--silent', '--show-error', '--verbose', '--insecure'],
    ...['--max-time', String(options.timeoutMs / 1000), '--write-out', WAY],
    ...(source === undefined ? [] : ['--interface', source]),
    ...(port === undefined ? [] : ['--local-port', String(port)]),
    options.url,
  ]
}

/** What a curl that has ended says of its request. */
export const readCurl = (
  exit: number,
  stdout: string,
  stderr: string,
): Pick<RequestEvent, 'outcome' | 'status' | 'server' | 'detail' | 'source' | 'sourcePort'> => {
  const [, source = '', port, code] = /^way (\S*) (-?\d+) (\d+)$/m.exec(stderr) ?? []
  const complaint = /^curl: \(.*$/m.exec(stderr)?.[0] ?? `curl ended with ${exit}`
  const way = { source, ...(Number(port) > 0 ? { sourcePort: Number(port) } : {}) }
  const outcome = outcomeOfCurl(exit, stderr)
  if (outcome !== 'answered') return { ...way, outcome, detail: detailOf(complaint) }
  return { ...way, outcome, status: Number(code), ...serverOf(stdout), detail: detailOf(stdout) }
}

/**
 * `curl`: the real curl in the client, one after the other. Its pace is its own: the next one is due `pauseMs` after the end
 * of the one before, so a server that answers slowly is asked less often (coordinated omission is in the nature of this
 * loop; the `http` probe has none).
 */
export const runCurlProbe = (options: CurlProbeOptions, host: ProbeHost, client: AgentNode): StopProbe => {
  const { probe, pauseMs, count } = options
  const target = new URL(options.url).host
  let [n, late, running, stopping] = [0, 0, false, false]
  let timer: NodeJS.Timeout | undefined
  const end = (): void => host.ended({ sent: n, late, lateAfterMs: LATE_AFTER_MS })
  const request = (scheduled: number): void => {
    const t = now()
    if (t - scheduled > LATE_AFTER_MS) late++
    const number = n++
    const [command, args] = inNode(client, curlCommand(options, number))
    running = true
    // curl ends by itself at its own timeout
    execFile(command, args, (error, stdout, stderr) => {
      const exit = error === null ? 0 : typeof error.code === 'number' ? error.code : 127
      const { source: seen, ...answer } = readCurl(exit, stdout, stderr)
      const source = seen || (inTurn(options.sources, number) ?? '')
      const done = now()
      host.record({
        ...{ kind: 'request', probe, n: number, client: client.name, scheduled, t, done, source, target },
        ...answer,
      })
      running = false
      if (n === count) stopping = true
      if (stopping) end()
      else timer = setTimeout(request, pauseMs, done + pauseMs)
    })
  }
  request(now())
  return () => {
    if (stopping) return
    stopping = true
    clearTimeout(timer)
    if (!running) end()
  }
}
