import { rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import readline from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { snapshotAddresses, watchAddresses } from './addresses.ts'
import { now } from './clock.ts'
import { snapshotIpvs } from './ipvs.ts'
import { attach, detach, record } from './journal.ts'
import { watchKeepalivedLog } from './keepalived-log.ts'
import { runInNode } from './namespace.ts'
import { probeMain } from './probe.ts'
import { startProbe, startProbeProcess, stopProbe, warmUpProbes } from './probes.ts'
import {
  AGENT_SOCKET,
  type AgentNode,
  type CommandResult,
  type Operation,
  type Operations,
  type Reply,
  type Request,
} from './protocol.ts'
import { schedule } from './schedule.ts'
import { schedulerMain, type SchedulerRole } from './scheduler-process.ts'
import { until } from './until.ts'
import { watchWire } from './wire.ts'

/** The agent: one process in the engine's own network and process namespaces. It drives and records; it never judges. */
const nodes = new Map<string, AgentNode>()

const nodeOf = (name: string): AgentNode => {
  const node = nodes.get(name)
  if (!node) throw new Error(`no node ${name} in this lab; its nodes are ${[...nodes.keys()].join(', ')}`)
  return node
}

const directors = (): AgentNode[] => [...nodes.values()].filter(node => node.role === 'director')

/** Longest output that the journal keeps of one command, characters. */
const OUTPUT_LIMIT = 8000

type Handlers = { [O in Operation]: (args: Operations[O]['args']) => Promise<Operations[O]['result'] | void> }

const handlers: Handlers = {
  async watch({ nodes: list }) {
    for (const node of list) nodes.set(node.name, node)
    // the first advertisements come seconds after keepalived starts: nothing that takes time goes before these
    for (const node of directors()) {
      watchKeepalivedLog(node)
      for (const { device, network } of node.interfaces) watchWire(node, device, network)
      snapshotIpvs(node, 'start', false)
    }
    await Promise.all([
      ...list.map(watchAddresses),
      ...list.filter(node => node.role === 'client').map(startProbeProcess),
    ])
  },
  async snapshot() {
    snapshotAddresses()
    for (const node of directors()) snapshotIpvs(node, 'start', false)
  },
  async warmUp() {
    await warmUpProbes()
  },
  async now() {},
  async sleep({ ms }) {
    await sleep(ms)
  },
  async until({ condition, deadlineMs }) {
    const met = await until(condition, deadlineMs, nodeOf)
    return { t: now(), met }
  },
  async mark({ label }) {
    record({ kind: 'mark', t: now(), label })
  },
  async exec({ node, argv, timeoutMs, record: evidence }) {
    const result = await runInNode(nodeOf(node), argv, timeoutMs)
    if (evidence) {
      const { started: t, ended: done, code } = result
      const output = `${result.stdout}${result.stderr}`.slice(0, OUTPUT_LIMIT)
      record({ kind: 'command', t, node, command: argv.join(' '), done, code, output })
    }
    return result
  },
  async fault({ node, fault, params, phase, steps, timeoutMs }) {
    for (const director of directors()) snapshotIpvs(director, 'step', true)
    const started = now()
    let result: CommandResult = { started, ended: started, code: 0, stdout: '', stderr: '' }
    for (const step of steps) {
      result = await runInNode(nodeOf(step.node), step.argv, timeoutMs)
      if (result.code !== 0) break
    }
    record({
      ...{ kind: 'fault', t: started, phase, fault, node, done: result.ended },
      ...(params && { params }),
      ...(result.code !== 0 && { detail: `exit code ${result.code}: ${result.stderr.trim()}` }),
    })
    return result
  },
  startProbe: options =>
    options.type === 'http'
      ? startProbe(options)
      : Promise.reject(new Error(`a ${options.type} probe is not there yet`)),
  stopProbe: ({ probe }) => stopProbe(probe),
  async schedule({ cases }) {
    return { answers: await schedule(cases) }
  },
}

const serve = (socket: Socket): void => {
  const send = (reply: Reply): void => void (socket.writable && socket.write(`${JSON.stringify(reply)}\n`))
  const onEvent = (event: Extract<Reply, { event: unknown }>['event']): void => send({ event })
  attach(onEvent)
  socket.on('close', () => detach(onEvent))
  socket.on('error', () => {})
  readline.createInterface({ input: socket }).on('line', line => {
    const request = JSON.parse(line) as Request
    const handler = handlers[request.op] as (args: unknown) => Promise<unknown>
    handler(request.args).then(
      result => send({ id: request.id, result: result ?? { t: now() } }),
      (error: unknown) => send({ id: request.id, error: error instanceof Error ? error.message : String(error) }),
    )
  })
}

if (process.argv[2] === 'probe') void probeMain()
else if (process.argv[2] === 'scheduler') schedulerMain(process.argv[3] as SchedulerRole)
else {
  rmSync(AGENT_SOCKET, { force: true })
  createServer(serve).listen(AGENT_SOCKET, () => console.log('lvslab-agent-ready'))
}
