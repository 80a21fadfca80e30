import { connectAgent, type AgentConnection } from './agent-connection.ts'
import type { AgentNode, CaptureOptions, CommandResult, Condition } from '../agent/protocol.ts'
import type { SchedulerAnswer, SchedulerCase } from '../agent/scheduler-case.ts'
import type { Engine } from '../engine/engine.ts'
import { LvslabError } from '../errors.ts'
import type { LabEvent } from '../history/event.ts'
import { History } from '../history/history.ts'
import type { Node, Topology } from '../topology/types.ts'
import { checkCondition, checkDuration, checkMoment } from './checks.ts'
import { createFaults, type Faults } from './faults/inject.ts'
import { playCases } from './schedule.ts'
import { AGENT_NODE, containerName, LABEL_LAB, LABEL_NODE } from './names.ts'
import { type LabProbes, labProbes } from './probes.ts'

/**
 * A running topology. It drives and it records; it never judges. Every wait goes through it, on the lab's own clock.
 */
export interface Lab extends LabProbes, AsyncDisposable {
  name: string
  topology: Topology
  engine: Engine
  /**
   * ms on the lab's clock at which this lab began. On the virtual clock a fork begins when its template was saved, so that
   * what is done at `origin + 5_000` is done at the same moment of every fork; on the real one when it was opened.
   */
  origin: number
  /** Everything that happened to the lab, that of which it is a fork included, in the order in which it was reported. */
  history: History
  /** ms on the lab's clock */
  now(): Promise<number>
  /**
   * Has the first thing that `step` asks of this lab begin at a moment of the lab's clock. It is handed over at once and
   * waits inside, so that nothing of the host reaches its time; several steps may wait side by side:
   *
   *     await Promise.all([
   *       lab.at(lab.origin + 5_000, () => lab.inject('keepalived-crash', 'd1')),
   *       lab.at(lab.origin + 9_000, () => lab.mark('over')),
   *     ])
   *
   * @param t ms on the lab's clock; one before `origin` throws LAB_MOMENT, one that is past AGENT_REFUSED
   * @returns what the step returns
   */
  at<T>(t: number, step: () => Promise<T>): Promise<T>
  sleep(ms: number): Promise<number>
  /** Waits inside the lab; says whether the condition was met before the deadline (ms). */
  until(condition: Condition, deadlineMs: number): Promise<boolean>
  mark(label: string): Promise<number>
  /**
   * Has the addresses and IPVS tables of now recorded, with the counters of each real server. The kernel adds those up every
   * 2 s (ip_vs_est.c): what passed later may be missing.
   */
  snapshot(): Promise<number>
  /** Runs a command in a node, as root; its exit code is returned, not judged. `record`: what it says is evidence. */
  exec(node: string, argv: string[], options?: { timeoutMs?: number; record?: boolean }): Promise<CommandResult>
  /**
   * Records the packets that pass an interface of a node as `packet` events, stamped by the kernel. A filter that lets
   * every packet of a probe through costs the emulated machine more than the probe itself: take what you need.
   *
   * @returns what ends it
   */
  capture(options: CaptureOptions): Promise<() => Promise<void>>
  /** Breaks something; returns what heals it, see {@link Faults.inject}. */
  inject: Faults['inject']
  /** What is broken now, and the way to heal all of it. */
  faults: Pick<Faults, 'open' | 'healAll'>
  /** Plays sequences into the kernel's schedulers, beside the topology; says who got each connection. */
  schedule(cases: SchedulerCase[]): Promise<SchedulerAnswer[]>
}

const COMMAND_TIMEOUT_MS = 30_000

/**
 * Opens a deployed topology: connects to its agent. The first time the agent learns of the nodes and starts its
 * watchers; in a fork they run already.
 *
 * @param history what happened to it before; the lab's own events are added
 * @param onEvent called for each event, besides being added to the history
 */
export const openLab = async (
  engine: Engine,
  topology: Topology,
  name: string,
  options: {
    /** What was done to it before: just deployed, forked from a saved one, or opened by somebody else. */
    was: 'deployed' | 'forked' | 'running'
    history?: History
    /** ms on the lab's clock; now where it is left out */
    origin?: number
    onEvent?: ((event: LabEvent) => void) | undefined
    signal?: AbortSignal | undefined
  },
): Promise<Lab> => {
  const { history = new History() } = options
  const onEvent = (event: LabEvent): void => {
    history.add(event)
    options.onEvent?.(event)
  }
  const agent = await connectAgent(engine, agentOf(engine, topology), onEvent, options.signal)
  try {
    if (options.was === 'deployed') await watch(agent, engine, topology, topology.nodes)
    else {
      // on the host's clock, what an emulator has to translate anew after a fork is paid for in lab time
      if (options.was === 'forked' && engine.clock === 'real') await agent.call('warmUp', {})
      await agent.call('snapshot', {})
    }
    const origin = options.origin ?? (await agent.call('now', {})).t
    const { accelerator } = engine.facts // of somebody's Docker Engine nobody knows
    if (accelerator !== undefined)
      onEvent({
        ...{ kind: 'machine', t: origin, clock: engine.clock },
        processor: accelerator === 'tcg' ? 'emulated' : 'native',
      })
    return createLab(engine, topology, name, scheduling(agent), history, origin)
  } catch (error) {
    await agent[Symbol.asyncDispose]()
    throw error
  }
}

const agentOf = (engine: Engine, topology: Topology) => engine.docker.getContainer(containerName(topology, AGENT_NODE))

const watch = async (agent: AgentConnection, engine: Engine, topology: Topology, nodes: Node[]): Promise<void> => {
  await agent.call('watch', { nodes: await findNodes(engine, topology, nodes), clock: engine.clock })
}

/** Talks to the agent of a lab that nobody has open; what it has to tell meanwhile is added to the history. */
const withAgent = async <T>(
  { engine, topology, history, signal }: ClosedLab,
  run: (agent: AgentConnection) => Promise<T>,
): Promise<T> => {
  const agent = await connectAgent(engine, agentOf(engine, topology), event => history.add(event), signal)
  try {
    return await run(agent)
  } finally {
    await agent[Symbol.asyncDispose]()
  }
}

interface ClosedLab {
  engine: Engine
  topology: Topology
  /** The lab is opened with it later. */
  history: History
  signal?: AbortSignal | undefined
}

/** Has the agent watch nodes that run already, and their probes be fast, before the others of a topology start. */
export const watchFirst = (lab: ClosedLab, nodes: Node[]): Promise<void> =>
  withAgent(lab, agent => watch(agent, lab.engine, lab.topology, nodes))

/**
 * Stops the lab's Docker Engine until somebody connects to it: the nodes of a lab that is about to be saved are what shall run in its
 * forks. No connection may be open.
 *
 * @returns ms on the lab's clock
 */
export const restDocker = (lab: ClosedLab): Promise<number> =>
  withAgent(lab, async agent => (await agent.call('restDocker', {})).t)

/** A connection whose calls can be put off to a moment of the lab's clock. */
interface Scheduling extends AgentConnection {
  at: Lab['at']
}

const scheduling = (agent: AgentConnection): Scheduling => {
  let moment: number | undefined // of the step that is being asked for its first call
  return {
    call: (op, args) => {
      const at = moment
      moment = undefined
      return agent.call(op, args, at)
    },
    at: async (t, step) => {
      moment = t
      let result: ReturnType<typeof step>
      let asked: boolean
      try {
        result = step() // its first call is made before this returns
      } finally {
        asked = moment === undefined
        moment = undefined
      }
      const value = await result
      if (asked) return value
      throw new LvslabError('LAB_AT_NOTHING', `the step for ${t} ms asked nothing of the lab before its first await`, {
        remedy: "begin with a call of the lab: lab.at(t, () => lab.inject('keepalived-crash', 'd1'))",
      })
    },
    [Symbol.asyncDispose]: () => agent[Symbol.asyncDispose](),
  }
}

const createLab = (
  engine: Engine,
  topology: Topology,
  name: string,
  agent: Scheduling,
  history: History,
  origin: number,
): Lab => {
  const faults = createFaults(topology, args => agent.call('fault', args))
  return {
    name,
    topology,
    engine,
    history,
    origin,
    at: async (t, step) => {
      checkMoment(t, origin)
      return agent.at(t, step)
    },
    now: async () => (await agent.call('now', {})).t,
    sleep: async ms => {
      checkDuration('lab.sleep', ms)
      return (await agent.call('sleep', { ms })).t
    },
    until: async (condition, deadlineMs) => {
      checkCondition(topology, condition)
      checkDuration('lab.until', deadlineMs)
      return (await agent.call('until', { condition, deadlineMs })).met
    },
    mark: async label => (await agent.call('mark', { label })).t,
    snapshot: async () => (await agent.call('snapshot', { counters: true })).t,
    exec: (node, argv, { timeoutMs = COMMAND_TIMEOUT_MS, record = false } = {}) =>
      agent.call('exec', { node, argv, timeoutMs, record }),
    capture: async options => {
      await agent.call('startCapture', options)
      return async () => void (await agent.call('stopCapture', { capture: options.capture }))
    },
    ...labProbes(agent, topology, history),
    inject: faults.inject,
    faults,
    schedule: cases => playCases(agent, cases),
    [Symbol.asyncDispose]: () => agent[Symbol.asyncDispose](),
  }
}

/** The nodes as the agent reaches them: by the process ID of their containers. */
const findNodes = async (engine: Engine, topology: Topology, nodes: Node[]): Promise<AgentNode[]> => {
  const filters = { label: [`${LABEL_LAB}=${topology.name}`, LABEL_NODE] }
  const containers = await engine.awake(() => engine.docker.listContainers({ filters }))
  return Promise.all(
    nodes.map(async node => {
      const found = containers.find(c => c.Labels[LABEL_NODE] === node.name)
      if (!found) throw new LvslabError('LAB_INCOMPLETE', `the container of ${node.name} is not running`)
      const { State } = await engine.awake(() => engine.docker.getContainer(found.Id).inspect())
      const interfaces = node.interfaces.map(i => ({ device: i.name, network: i.network }))
      return { name: node.name, role: node.role, pid: State.Pid, container: found.Id, interfaces }
    }),
  )
}
