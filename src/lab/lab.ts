import { connectAgent, type AgentConnection } from './agent-connection.ts'
import type { AgentNode, CommandResult, Condition, HttpProbeOptions } from '../agent/protocol.ts'
import type { SchedulerAnswer, SchedulerCase } from '../agent/scheduler-case.ts'
import type { Engine } from '../engine/engine.ts'
import { LvslabError } from '../errors.ts'
import type { LabEvent } from '../history/event.ts'
import type { Topology } from '../topology/types.ts'
import { type FaultName, FAULTS } from './faults/registry.ts'
import { playCases } from './schedule.ts'
import { AGENT_NODE, containerName, LABEL_LAB, LABEL_NODE } from './names.ts'

/** A probe that is running. */
export interface Probe {
  name: string
  /** Sends no more, waits for the answers that are under way. */
  stop(): Promise<void>
}

/**
 * A running topology. It drives and it records; it never judges. Every wait goes through it, on the lab's own clock.
 */
export interface Lab extends AsyncDisposable {
  name: string
  topology: Topology
  engine: Engine
  /** Everything that happened since the lab was opened, in the order in which it was reported. */
  events: LabEvent[]
  /** ms on the lab's clock */
  now(): Promise<number>
  sleep(ms: number): Promise<number>
  /** Waits inside the lab; says whether the condition was met before the deadline (ms). */
  until(condition: Condition, deadlineMs: number): Promise<boolean>
  mark(label: string): Promise<number>
  /** Has the addresses and IPVS tables of now recorded. */
  snapshot(): Promise<number>
  /** Runs a command in a node, as root; its exit code is returned, not judged. `record`: what it says is evidence. */
  exec(node: string, argv: string[], options?: { timeoutMs?: number; record?: boolean }): Promise<CommandResult>
  /** Open-loop HTTP probe from a client, each request on a connection of its own. */
  http(options: Omit<HttpProbeOptions, 'type' | 'timeoutMs'> & { timeoutMs?: number }): Promise<Probe>
  /** Breaks something; returns what heals it. A fault whose command fails throws FAULT_FAILED. */
  inject(fault: FaultName, node: string): Promise<() => Promise<void>>
  /** Plays sequences into the kernel's schedulers, beside the topology; says who got each connection. */
  schedule(cases: SchedulerCase[]): Promise<SchedulerAnswer[]>
}

/** Time that one request of a probe may take, ms; the client's share in the gap that a failover shows. */
export const REQUEST_TIMEOUT_MS = 1000

const COMMAND_TIMEOUT_MS = 30_000

/**
 * Opens a deployed topology: connects to its agent. The first time (`fresh`) the agent learns of the nodes and starts its
 * watchers; in a fork they run already.
 *
 * @param onEvent called for each event, besides being kept in `events`
 */
export const openLab = async (
  engine: Engine,
  topology: Topology,
  name: string,
  options: { fresh: boolean; onEvent?: (event: LabEvent) => void; signal?: AbortSignal | undefined },
): Promise<Lab> => {
  const events: LabEvent[] = []
  const agent = await connectAgent(
    engine,
    engine.docker.getContainer(containerName(topology, AGENT_NODE)),
    event => {
      events.push(event)
      options.onEvent?.(event)
    },
    options.signal,
  )
  try {
    if (options.fresh) await agent.call('watch', { nodes: await findNodes(engine, topology) })
    else {
      // on the host's clock, what an emulator has to translate anew after a fork is paid for in lab time
      if (engine.kind === 'vm' && engine.clock === 'real') await agent.call('warmUp', {})
      await agent.call('snapshot', {})
    }
  } catch (error) {
    await agent[Symbol.asyncDispose]()
    throw error
  }
  return createLab(engine, topology, name, agent, events)
}

const createLab = (
  engine: Engine,
  topology: Topology,
  name: string,
  agent: AgentConnection,
  events: LabEvent[],
): Lab => {
  const runFault = async (fault: FaultName, node: string, phase: 'inject' | 'heal'): Promise<void> => {
    const steps = FAULTS[fault][phase](node)
    const result = await agent.call('fault', { node, fault, phase, steps, timeoutMs: COMMAND_TIMEOUT_MS })
    if (result.code === 0) return
    const words = result.stderr.trim() || result.stdout.trim()
    throw new LvslabError('FAULT_FAILED', `${fault} on ${node} (${phase}) ended with ${result.code}: ${words}`)
  }
  return {
    name,
    topology,
    engine,
    events,
    now: async () => (await agent.call('now', {})).t,
    sleep: async ms => (await agent.call('sleep', { ms })).t,
    until: async (condition, deadlineMs) => (await agent.call('until', { condition, deadlineMs })).met,
    mark: async label => (await agent.call('mark', { label })).t,
    snapshot: async () => (await agent.call('snapshot', {})).t,
    exec: (node, argv, { timeoutMs = COMMAND_TIMEOUT_MS, record = false } = {}) =>
      agent.call('exec', { node, argv, timeoutMs, record }),
    http: async options => {
      await agent.call('startProbe', { type: 'http', timeoutMs: REQUEST_TIMEOUT_MS, ...options })
      return {
        name: options.probe,
        stop: async () => void (await agent.call('stopProbe', { probe: options.probe })),
      }
    },
    inject: async (fault, node) => {
      await runFault(fault, node, 'inject')
      return () => runFault(fault, node, 'heal')
    },
    schedule: cases => playCases(agent, cases),
    [Symbol.asyncDispose]: () => agent[Symbol.asyncDispose](),
  }
}

/** The nodes as the agent reaches them: by the process ID of their containers. */
const findNodes = async (engine: Engine, topology: Topology): Promise<AgentNode[]> => {
  const filters = { label: [`${LABEL_LAB}=${topology.name}`, LABEL_NODE] }
  const containers = await engine.awake(() => engine.docker.listContainers({ filters }))
  return Promise.all(
    topology.nodes.map(async node => {
      const found = containers.find(c => c.Labels[LABEL_NODE] === node.name)
      if (!found) throw new LvslabError('LAB_INCOMPLETE', `the container of ${node.name} is not running`)
      const { State } = await engine.awake(() => engine.docker.getContainer(found.Id).inspect())
      const interfaces = node.interfaces.map(i => ({ device: i.name, network: i.network }))
      return { name: node.name, role: node.role, pid: State.Pid, interfaces }
    }),
  )
}
