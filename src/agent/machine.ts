import { existsSync } from 'node:fs'
import { forgetAddresses } from './addresses.ts'
import { type Armed, arm, PRELUDE } from './armed-script.ts'
import { docker } from './docker-socket.ts'
import { snapshotIpvs } from './ipvs.ts'
import { runInNode } from './namespace.ts'
import type { AgentNode, NodeStep } from './protocol.ts'
import { leaveNode, watchDirector, watchNode } from './watch.ts'

/** Where a node's main program says that its network is set up and its services are started. */
const READY = '/run/lvslab/ready'

const readyFile = ({ pid }: AgentNode): string => `/proc/${pid}/root${READY}`

/** How often it is looked for, ms of lab time. */
const LOOK_AGAIN_MS = 20

/** Prepares what is to be done to a whole node. @throws Error where it cannot be done */
export const armMachine = async (
  node: AgentNode,
  { machine, prepare }: NodeStep,
  timeoutMs: number,
): Promise<Armed> => {
  // a node that cannot be started again must not be killed
  await docker('GET', `/containers/${node.container}/json`)
  if (prepare !== undefined) {
    const { code, stderr } = await runInNode(node, ['sh', '-c', `${PRELUDE}${prepare}`], timeoutMs)
    if (code !== 0) throw new Error(`${node.name}: ${stderr.trim() || `the preparation ended with ${code}`}`)
  }
  const call = (verb: string, timeout?: number): Promise<unknown> =>
    docker('POST', `/containers/${node.container}/${verb}`, timeout)
  const simple = (go: () => Promise<unknown>): Armed => ({ go: async () => void (await go()), abandon: () => {} })
  switch (machine) {
    case 'pause':
    case 'unpause':
      return simple(() => call(machine))
    case 'start':
      // an earlier heal has started it, and only its proof failed
      if (existsSync(readyFile(node))) return simple(async () => {})
      await call('wait?condition=not-running', timeoutMs) // Docker may still be clearing away what was killed
      return simple(() => start(node, timeoutMs))
    case 'kill':
      return armPowerOff(node, timeoutMs)
    case 'shutdown':
      return armShutdown(node, timeoutMs)
  }
}

/**
 * The end of a machine. Its processes are killed from outside, by way of the first one; its network namespace would live on
 * for as long as Docker needs to notice, and its kernel would go on answering and forwarding, so its links go down with them.
 */
const armPowerOff = async (node: AgentNode, timeoutMs: number): Promise<Armed> => {
  const prepare = "down=$(ip -o link show up | sed -n 's/^[0-9]*: \\([^:@]*\\).*/link set \\1 down/p')"
  const links = await arm(node, { prepare, script: 'echo "$down" | ip -batch -' }, { timeoutMs, namespaces: ['--net'] })
  return {
    go: async () => {
      leaveNode(node)
      process.kill(node.pid, 'SIGKILL')
      await links.go()
      forgetAddresses(node)
      if (node.role === 'director') void snapshotIpvs(node, 'step', true)
    },
    abandon: links.abandon,
  }
}

/** Names of the services that a node has started, the last one first. */
const SERVICES = 's=; for one in $(cat /run/lvslab/services); do s="$one $s"; done'

/** The services are asked to end, which is when they say goodbye; the machine goes down when they have ended. */
const armShutdown = async (node: AgentNode, timeoutMs: number): Promise<Armed> => {
  const each = (action: string): string => `for one in $s; do /usr/lib/lvslab/service "$one" ${action} || :; done` // one may have ended before
  const power = await armPowerOff(node, timeoutMs)
  const services = await arm(node, { prepare: SERVICES, script: each('stop') }, { timeoutMs })
  return {
    go: services.go,
    after: async () => {
      await runInNode(node, ['sh', '-c', `${SERVICES}; ${each('ended')}`], timeoutMs)
      await power.go() // whatever has not ended
    },
    abandon: () => {
      services.abandon()
      power.abandon()
    },
  }
}

/** Boots a node: it has a new first process and new namespaces, and is watched anew. */
const start = async (node: AgentNode, timeoutMs: number): Promise<void> => {
  await docker('POST', `/containers/${node.container}/start`)
  const { State } = (await docker('GET', `/containers/${node.container}/json`)) as { State: { Pid: number } }
  node.pid = State.Pid
  const booted = await ready(node, timeoutMs)
  // the names of its interfaces are right only now; its first advertisements come seconds after keepalived's start
  if (node.role === 'director') watchDirector(node)
  await watchNode(node)
  if (!booted) throw new Error(`${node.name} was started, and did not come up within ${timeoutMs} ms`)
}

const ready = (node: AgentNode, timeoutMs: number): Promise<boolean> =>
  new Promise(resolve => {
    const timer = setTimeout(() => {
      clearInterval(look)
      resolve(false)
    }, timeoutMs)
    const look = setInterval(() => {
      if (!existsSync(readyFile(node))) return
      clearInterval(look)
      clearTimeout(timer)
      resolve(true)
    }, LOOK_AGAIN_MS)
  })
