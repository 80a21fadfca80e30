import { Socket } from 'node:net'
import readline from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { snapshotAddresses } from './addresses.ts'
import { releasedBrake, startBrake } from './brake.ts'
import { startCapture, stopCapture } from './capture.ts'
import { now, reach, refusePast } from './clock.ts'
import { leaveOffCompiling } from './compilers.ts'
import { restDocker } from './docker-rest.ts'
import { evidenceOf } from './evidence.ts'
import { runFault } from './faults.ts'
import { snapshotCounters, snapshotIpvs } from './ipvs.ts'
import { attach, detach, record } from './journal.ts'
import { runInNode } from './namespace.ts'
import { openPort, type Streams } from './port.ts'
import { probeMain } from './probe/process.ts'
import { endedProbe, startProbe, stopProbe, warmUpProbes } from './probes.ts'
import type { AgentNode, Operation, Operations, Request } from './protocol.ts'
import { Refusal } from './refusal.ts'
import { sayer } from './sayer.ts'
import { schedule } from './schedule.ts'
import { schedulerMain, type SchedulerRole } from './scheduler-process.ts'
import { until } from './until.ts'
import { watchDirector, watchNode } from './watch.ts'

/** The agent: one process in the engine's own network and process namespaces. It drives and records; it never judges. */
const nodes = new Map<string, AgentNode>()

const nodeOf = (name: string): AgentNode => {
  const node = nodes.get(name)
  if (!node) throw new Refusal(`no node ${name} in this lab`, `one of ${[...nodes.keys()].join(', ')}`)
  return node
}

const directors = (): AgentNode[] => [...nodes.values()].filter(node => node.role === 'director')

/** A fault that is scheduled is armed so long before its moment, ms of lab time. */
const ARMING_MS = 500

/** `at` is for those alone that wait for their moment by themselves. */
type Handlers = {
  [O in Operation]: (args: Operations[O]['args'], at?: number) => Promise<Operations[O]['result'] | void>
}

const handlers: Handlers = {
  async watch({ nodes: list, clock }) {
    if (clock === 'virtual' && nodes.size === 0) startBrake()
    const unknown = list.filter(node => !nodes.has(node.name))
    for (const node of unknown) nodes.set(node.name, node)
    // the first advertisements come seconds after keepalived starts: nothing that takes time goes before these
    for (const node of unknown) if (node.role === 'director') watchDirector(node)
    await Promise.all(unknown.map(watchNode))
  },
  async snapshot({ counters }) {
    snapshotAddresses()
    if (counters) await Promise.all(directors().map(snapshotCounters))
    else await Promise.all(directors().map(node => snapshotIpvs(node, 'start', false)))
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
    if (evidence) record(evidenceOf(node, argv, result))
    return result
  },
  async fault(args, at) {
    const among = { nodeOf, directors: directors() }
    if (at === undefined) return runFault(args, among)
    refusePast(at)
    // not earlier: what it finds when it is armed may be another's doing until then
    await reach(at - ARMING_MS)
    return runFault(args, among, () => reach(at))
  },
  startProbe: options => startProbe(options),
  stopProbe: ({ probe }) => stopProbe(probe),
  endedProbe: ({ probe }) => endedProbe(probe),
  startCapture: options => startCapture(nodeOf(options.node), options),
  stopCapture: ({ capture }) => stopCapture(capture),
  async restDocker() {
    await restDocker()
  },
  async attach() {},
  async detach({ conversation }) {
    detach(conversation)
  },
  async schedule({ cases }) {
    return { answers: await schedule(cases) }
  },
}

/** Standard input and output, the latter without blocking on a slow reader: `process.stdout` would, as it is a pipe. */
const standard = (): Streams => ({
  input: process.stdin,
  output: new Socket({ fd: 1, readable: false, writable: true }),
})

/**
 * A request. What is none is half of one, by a harness that was killed: each conversation begins with a line feed, which ends it,
 * and nobody waits for its answer.
 */
const parse = (line: string): Request | undefined => {
  try {
    return JSON.parse(line) as Request
  } catch {
    return undefined
  }
}

/** Serves whoever is at the other end, one line for each request and reply. */
const serve = ({ input, output }: Streams): void => {
  const send = sayer(text => void output.write(text))
  readline.createInterface({ input }).on('line', line => {
    const request = parse(line)
    if (!request) return
    const { id, op, args, at } = request
    if (op === 'attach') attach(args.conversation, event => send({ event, to: args.conversation }))
    const handler = handlers[op] as (args: unknown, at?: number) => Promise<unknown>
    const begin = async (): Promise<unknown> => {
      if (at !== undefined && op !== 'fault') {
        refusePast(at)
        await reach(at)
      }
      return handler(args, at)
    }
    releasedBrake(begin).then(
      result => send({ id, result: result ?? { t: now() } }),
      (error: unknown) => {
        const remedy = error instanceof Refusal ? { remedy: error.remedy } : {}
        send({ id, error: error instanceof Error ? error.message : String(error), ...remedy })
      },
    )
  })
}

if (process.argv[2] === 'probe') void probeMain()
else if (process.argv[2] === 'scheduler') schedulerMain(process.argv[3] as SchedulerRole)
else {
  leaveOffCompiling()
  serve(standard())
  const [, , port] = process.argv
  if (port !== undefined) serve(openPort(port))
}
