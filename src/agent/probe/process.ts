import os from 'node:os'
import type { ConnectionEvent, RequestEvent } from '../../history/event.ts'
import { now } from '../clock.ts'
import type { AgentNode, ProbeOptions } from '../protocol.ts'
import { batched } from '../batch.ts'
import { leaveOffCompiling } from '../compilers.ts'
import { runCurlProbe } from './curl.ts'
import { runHttpProbe } from './http.ts'
import type { ProbeHost, Sent, StopProbe } from './running.ts'
import { runTcpProbe } from './tcp.ts'
import { runUdpProbe } from './udp.ts'
import { steady, warmUp } from './warm-up.ts'
import { wrongOptions } from './wrong-options.ts'

/** What the agent tells a probe process, and hears from it. */
export type ProbeCommand = { start: ProbeOptions; client: AgentNode } | { stop: string } | { warmUp: true }
export type ProbeReport =
  | { warm: true }
  | { started: string; t: number }
  | { refused: string; why: string }
  | { events: (RequestEvent | ConnectionEvent)[] }
  | ({ stopped: string; t: number } & Sent)

/**
 * Flags of Node for the probe process. A pause for garbage takes as long as what it has to look through: of a young generation of 64 MB
 * 50 to 130 ms under emulation, each 27 s at 100 requests/s; of 2 MB 3 to 5 ms. No stack in the errors that undici makes for every
 * connection that ends: with stacks, a request takes twice the time in user mode.
 */
export const PROBE_FLAGS = [
  ...['--expose-gc', '--max-semi-space-size=2', '--min-semi-space-size=2'],
  '--stack-trace-limit=0',
]

/** Requests with which a new process begins; every fork of the lab has what they compiled. */
const FIRST_WARM_UP = 1500

const run = (options: ProbeOptions, host: ProbeHost, client: AgentNode): StopProbe => {
  switch (options.type) {
    case 'http':
      return runHttpProbe(options, host)
    case 'curl':
      return runCurlProbe(options, host, client)
    case 'tcp':
      return runTcpProbe(options, host)
    case 'udp':
      return runUdpProbe(options, host)
  }
}

/** Main of the probe process that lives in a client's network namespace. */
export const probeMain = async (): Promise<void> => {
  const running = new Map<string, StopProbe>()
  const report = (message: ProbeReport): void => void process.send?.(message)
  const start = (options: ProbeOptions, client: AgentNode): void => {
    const { probe } = options
    const why = wrongOptions(options)
    if (why !== undefined) {
      report({ refused: probe, why })
      return
    }
    const events = batched<RequestEvent | ConnectionEvent>(batch => report({ events: batch }))
    const ended = (sent: Sent): void => {
      events.flush()
      report({ stopped: probe, t: now(), ...sent })
    }
    report({ started: probe, t: now() })
    running.set(probe, run(options, { record: events.add, ended }, client))
  }
  process.on('message', (command: ProbeCommand) => {
    if ('warmUp' in command) void steady().then(() => report({ warm: true }))
    else if ('stop' in command) {
      running.get(command.stop)?.()
      running.delete(command.stop)
    } else start(command.start, command.client)
  })
  process.on('disconnect', () => process.exit(0))
  await warmUp(FIRST_WARM_UP)
  leaveOffCompiling() // the path of an http request is compiled by now
  // before whatever else shares the machine: what a probe measures must not wait for its turn. Not sooner: for seconds of
  // warming up the watchers of a new lab had no turn, and its first address was seen 1.2 s after it came
  os.setPriority(os.constants.priority.PRIORITY_HIGHEST)
  report({ warm: true })
}
