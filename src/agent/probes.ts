import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { ProbeEvent } from '../history/event.ts'
import { holds } from './addresses.ts'
import { now } from './clock.ts'
import { record } from './journal.ts'
import { inNode, runInNode } from './namespace.ts'
import { PROBE_FLAGS, type ProbeCommand, type ProbeReport } from './probe/process.ts'
import { EXAMPLES, wrongOptions } from './probe/wrong-options.ts'
import { AGENT_PROGRAM, type AgentNode, type ProbeOptions } from './protocol.ts'
import { Refusal } from './refusal.ts'

/** One process for each client, started once and kept: a new one would be slow for its first requests. */
const processes = new Map<string, { node: AgentNode; child: ChildProcess }>()

interface Probe {
  options: ProbeOptions
  started: () => void
  refused: (why: string) => void
  /** Resolves when it has ended, by itself or because it was told to. */
  stopped: Promise<void>
  ended: () => void
  over: () => boolean
}

const probes = new Map<string, Probe>()

/** Names of those that are about to start: taken before the first wait, as a second one may be asked for meanwhile. */
const starting = new Set<string>()

/** Resolves when a probe process says that it is fast. */
const warm = (child: ChildProcess): Promise<unknown> =>
  Promise.race([
    once(child, 'warm'),
    once(child, 'exit').then(([code]) => Promise.reject(new Error(`the probe process ended with code ${code}`))),
  ])

/** Starts the probe process of a client, and waits until it is fast. */
export const startProbeProcess = async (node: AgentNode): Promise<void> => {
  const [command, args] = inNode(node, [process.execPath, ...PROBE_FLAGS, AGENT_PROGRAM, 'probe'], ['--net'])
  const child = spawn(command, args, { stdio: ['ignore', 2, 2, 'ipc'] })
  processes.set(node.name, { node, child })
  child.on('message', (message: ProbeReport) => {
    if ('warm' in message) child.emit('warm')
    else if ('events' in message) for (const event of message.events) record(event)
    else if ('started' in message) onStarted(message)
    else if ('refused' in message) probes.get(message.refused)?.refused(message.why)
    else onStopped(message)
  })
  child.on('error', () => {}) // a message that came too late for it
  child.on('exit', code => {
    if (processes.get(node.name)?.child !== child) return // ended as planned
    processes.delete(node.name)
    record({ kind: 'trouble', t: now(), node: node.name, what: `the probe process ended with code ${code}` })
    cutProbes(node, 'its process ended')
  })
  await warm(child)
}

/** requests/s; of a loop that waits for its answers, as if they came at once */
const rateOf = (options: ProbeOptions): number => {
  if (options.type === 'curl') return options.pauseMs > 0 ? 1000 / options.pauseMs : 0
  if (options.type === 'tcp') return (options.connections * 1000) / options.everyMs
  return options.rate
}

const describe = (options: ProbeOptions): Omit<ProbeEvent, 't' | 'phase'> => ({
  kind: 'probe',
  probe: options.probe,
  type: options.type,
  client: options.client,
  target: 'url' in options ? options.url : options.target,
  rate: rateOf(options),
  ...(options.sources && { sources: options.sources.length }),
})

/** Ends a client's probe process with the client; its probes end there, and nobody has to wait for their answers. */
export const endProbeProcess = (node: AgentNode): void => {
  const child = processes.get(node.name)?.child
  processes.delete(node.name)
  child?.kill('SIGKILL')
  cutProbes(node, 'its client went down')
}

/** What such a probe had under way, nobody will know: a gap in the recording. */
const cutProbes = (node: AgentNode, why: string): void => {
  for (const { options, refused, ended, over } of probes.values()) {
    if (options.client !== node.name || over()) continue
    record({ kind: 'trouble', t: now(), node: node.name, what: `the probe ${options.probe} was cut off: ${why}` })
    refused(why)
    ended()
  }
}

const onStarted = ({ started, t }: Extract<ProbeReport, { started: string }>): void => {
  const probe = probes.get(started)
  if (!probe) return
  record({ ...describe(probe.options), t, phase: 'start' })
  probe.started()
}

const onStopped = ({ stopped, t, ...sent }: Extract<ProbeReport, { stopped: string }>): void => {
  const probe = probes.get(stopped)
  if (!probe) return
  record({ ...describe(probe.options), t, phase: 'stop', ...sent })
  probe.ended()
}

/** Starts a probe on its client's process. */
export const startProbe = async (options: ProbeOptions): Promise<void> => {
  const { probe, client } = options
  const process = processes.get(client)
  if (!process)
    throw new Refusal(`${client} is not a client of this lab`, `client: ${[...processes.keys()].join(' or ')}`)
  if (probes.has(probe) || starting.has(probe))
    throw new Refusal(
      `a probe ${probe} is running already`,
      'give it another name, or await its stop() or ended() first',
    )
  const wrong = wrongOptions(options)
  if (wrong !== undefined) throw new Refusal(wrong, EXAMPLES[options.type])
  starting.add(probe)
  try {
    await refuseSources(process.node, options)
  } finally {
    starting.delete(probe) // nothing waits from here to where it is among the probes
  }
  if (processes.get(client) !== process)
    throw new Refusal(`${client} went down`, 'start its probes when it is up again')
  const { promise: stopped, resolve } = Promise.withResolvers<void>()
  let isOver = false
  const ended = (): void => {
    isOver = true
    resolve()
  }
  const over = (): boolean => isOver
  try {
    await new Promise<void>((started, refused) => {
      probes.set(probe, { options, started, refused: why => refused(new Error(why)), stopped, ended, over })
      process.child.send({ start: options, client: process.node } satisfies ProbeCommand)
    })
  } catch (error) {
    probes.delete(probe)
    throw error
  }
}

/** What can be used as a source is an address of the client's own, or one that a route makes local. */
const refuseSources = async (node: AgentNode, { sources = [] }: ProbeOptions): Promise<void> => {
  const unseen = sources.filter(source => !holds(node.name, source))
  if (unseen.length === 0) return
  // the kernel knows of those that were given to it just now
  const asked = unseen.map(source => `route get ${source}`).join('\n')
  const { stdout } = await runInNode(node, ['sh', '-c', `ip -o -force -batch - <<END\n${asked}\nEND`], 10_000)
  const own = new Set([...stdout.matchAll(/^local (\S+) /gm)].map(([, address]) => address))
  const foreign = unseen.find(source => !own.has(source))
  if (foreign === undefined) return
  const remedy = `give it one: await lab.addSources('${node.name}', { count: 250, from: '10.9.0.1' }) returns what it adds`
  throw new Refusal(`sources ${foreign}: ${node.name} does not hold it`, remedy)
}

const notRunning = (name: string): Refusal =>
  new Refusal(`no probe ${name} is running`, `running are ${[...probes.keys()].join(', ') || 'none'}`)

/** Stops a probe and waits for the answers that are under way; their timeout bounds the wait. */
export const stopProbe = async (name: string): Promise<void> => {
  const probe = probes.get(name)
  if (!probe) throw notRunning(name)
  if (!probe.over()) processes.get(probe.options.client)?.child.send({ stop: name } satisfies ProbeCommand)
  await endedProbe(name)
}

/** Waits until a probe has ended; its name is free then. */
export const endedProbe = async (name: string): Promise<void> => {
  const probe = probes.get(name)
  if (!probe) throw notRunning(name)
  await probe.stopped
  probes.delete(name)
}

/** Has every probe process run against itself until it is fast. */
export const warmUpProbes = async (): Promise<void> => {
  await Promise.all(
    [...processes.values()].map(async ({ child }) => {
      child.send({ warmUp: true } satisfies ProbeCommand)
      await warm(child)
    }),
  )
}
