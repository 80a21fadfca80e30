import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { now } from './clock.ts'
import { record } from './journal.ts'
import { inNode } from './namespace.ts'
import { lateAfterMs, PROBE_FLAGS, type ProbeCommand, type ProbeReport } from './probe.ts'
import { AGENT_PROGRAM, type AgentNode, type HttpProbeOptions } from './protocol.ts'

/** One process for each client, started once and kept: a new one would be slow for its first requests. */
const processes = new Map<string, ChildProcess>()
const probes = new Map<
  string,
  { options: HttpProbeOptions; started: () => void; stopped: Promise<void>; stop: () => void }
>()

/** Resolves when a probe process says that it is fast. */
const warm = (child: ChildProcess): Promise<unknown> =>
  Promise.race([
    once(child, 'warm'),
    once(child, 'exit').then(([code]) => Promise.reject(new Error(`the probe process ended with code ${code}`))),
  ])

/** Starts the probe process of a client, and waits until it is fast. */
export const startProbeProcess = async (node: AgentNode): Promise<void> => {
  const [command, args] = inNode(node, [process.execPath, ...PROBE_FLAGS, AGENT_PROGRAM, 'probe'], ['--net'])
  const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  processes.set(node.name, child)
  child.on('message', (message: ProbeReport) => {
    if ('warm' in message) child.emit('warm')
    else if ('requests' in message) for (const event of message.requests) record(event)
    else if ('started' in message) onStarted(message)
    else onStopped(message)
  })
  child.on('exit', code => {
    if (processes.get(node.name) !== child) return // ended as planned
    record({ kind: 'trouble', t: now(), node: node.name, what: `the probe process ended with code ${code}` })
  })
  await warm(child)
}

/** Ends a client's probe process with the client; its probes end there, and nobody has to wait for their answers. */
export const endProbeProcess = (node: AgentNode): void => {
  const child = processes.get(node.name)
  processes.delete(node.name)
  child?.kill('SIGKILL')
  for (const probe of probes.values()) if (probe.options.client === node.name) probe.stop()
}

const describe = ({ probe, client, url, rate }: HttpProbeOptions) => ({
  kind: 'probe' as const,
  probe,
  client,
  target: url,
  rate,
})

const onStarted = ({ started, t }: { started: string; t: number }): void => {
  const probe = probes.get(started)
  if (!probe) return
  record({ ...describe(probe.options), t, phase: 'start' })
  probe.started()
}

const onStopped = ({ stopped, t, sent, late }: { stopped: string; t: number; sent: number; late: number }): void => {
  const probe = probes.get(stopped)
  if (!probe) return
  record({ ...describe(probe.options), t, phase: 'stop', sent, late, lateAfterMs: lateAfterMs(probe.options.rate) })
  probe.stop()
}

/** Starts a probe on its client's process. */
export const startProbe = async (options: HttpProbeOptions): Promise<void> => {
  const child = processes.get(options.client)
  if (!child) throw new Error(`${options.client} is not a client of this lab`)
  if (probes.has(options.probe)) throw new Error(`a probe ${options.probe} is running already`)
  let stop: () => void = () => {}
  const stopped = new Promise<void>(resolve => {
    stop = resolve
  })
  await new Promise<void>(resolve => {
    probes.set(options.probe, { options, started: resolve, stopped, stop })
    child.send({ start: options } satisfies ProbeCommand)
  })
}

/** Stops a probe and waits for the answers that are under way; their timeout bounds the wait. */
export const stopProbe = async (name: string): Promise<void> => {
  const probe = probes.get(name)
  if (!probe) throw new Error(`no probe ${name} is running`)
  processes.get(probe.options.client)?.send({ stop: name } satisfies ProbeCommand)
  await probe.stopped
  probes.delete(name)
}

/** Has every probe process run against itself until it is fast. */
export const warmUpProbes = async (): Promise<void> => {
  await Promise.all(
    [...processes.values()].map(async child => {
      child.send({ warmUp: true } satisfies ProbeCommand)
      await warm(child)
    }),
  )
}
