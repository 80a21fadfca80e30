import type { LabEvent } from '../history/event.ts'
import { holds } from './addresses.ts'
import { followFile } from './follow-file.ts'
import { snapshotIpvs } from './ipvs.ts'
import { listen } from './journal.ts'
import { runInNode } from './namespace.ts'
import { hasProcess } from './processes.ts'
import type { AgentNode, Condition } from './protocol.ts'

/** How often a condition that no event announces is looked at again; ms of lab time. */
const LOOK_AGAIN_MS = 50

type NodeOf = (name: string) => AgentNode

/** Waits for a condition inside the lab. False when the deadline passes first. */
export const until = async (condition: Condition, deadlineMs: number, nodeOf: NodeOf): Promise<boolean> => {
  const over = new AbortController()
  const timer = setTimeout(() => over.abort(), deadlineMs)
  try {
    return await becomes(condition, nodeOf, over.signal)
  } finally {
    clearTimeout(timer)
    over.abort() // whatever of it is still being looked at
  }
}

/** Resolves to true when the condition holds, to false when the signal aborts first. */
const becomes = (condition: Condition, nodeOf: NodeOf, over: AbortSignal): Promise<boolean> => {
  if (condition.kind === 'any') return Promise.race(condition.of.map(one => becomes(one, nodeOf, over)))
  return new Promise((resolve, reject) => {
    over.addEventListener('abort', () => resolve(false), { once: true })
    if (condition.kind === 'event' || condition.kind === 'transition') {
      const match = condition.kind === 'event' ? condition.match : transitionOf(condition)
      const unlisten = listen(event => matches(event, match) && resolve(true))
      over.addEventListener('abort', unlisten, { once: true })
      return
    }
    if (condition.kind === 'line') {
      const [path, pattern] = [`/proc/${nodeOf(condition.node).pid}/root${condition.file}`, new RegExp(condition.match)]
      const { close } = followFile(path, line => pattern.test(line) && resolve(true), 'end')
      over.addEventListener('abort', close, { once: true })
      return
    }
    if (condition.kind === 'owner' || condition.kind === 'address') {
      // two directors may pass a VIP to and fro within milliseconds
      const look = (): void => void (holdsAddresses(condition) && resolve(true))
      const unlisten = listen(event => event.kind === 'address' && look())
      over.addEventListener('abort', unlisten, { once: true })
      look()
      return
    }
    const look = async (): Promise<void> => {
      if (over.aborted) return
      if (await holdsNow(condition, nodeOf)) resolve(true)
      else setTimeout(() => void look().catch(reject), LOOK_AGAIN_MS)
    }
    look().catch(reject)
  })
}

const transitionOf = ({ node, instance, state }: Extract<Condition, { kind: 'transition' }>) => ({
  kind: 'keepalived',
  node,
  transition: { instance, state },
})

/** Whether an event has all these fields, at these values. */
export const matches = (event: LabEvent, match: Record<string, unknown>): boolean =>
  Object.entries(match).every(([key, value]) => {
    const is = (event as unknown as Record<string, unknown>)[key]
    if (typeof value === 'object' && value !== null && typeof is === 'object' && is !== null)
      return matches(is as LabEvent, value as Record<string, unknown>)
    return is === value
  })

const holdsAddresses = (condition: Extract<Condition, { kind: 'owner' | 'address' }>): boolean =>
  condition.kind === 'address'
    ? holds(condition.node, condition.address) === condition.present
    : holds(condition.node, condition.address) && !condition.others.some(other => holds(other, condition.address))

type State = Extract<Condition, { kind: 'process' | 'pool' | 'listening' }>

const holdsNow = async (condition: State, nodeOf: NodeOf): Promise<boolean> => {
  switch (condition.kind) {
    case 'process':
      return hasProcess(nodeOf(condition.node), condition.name) === condition.present
    case 'pool': {
      // who has waited for it asks the history since when: the log that announces a change may not have been read yet
      const table = await snapshotIpvs(nodeOf(condition.node), 'until', true)
      const service = table?.find(s => s.service === condition.service)
      const active = (service?.destinations ?? []).filter(d => d.weight > 0).map(d => `${d.address}:${d.port}`)
      return table !== undefined && active.sort().join() === [...condition.destinations].sort().join()
    }
    case 'listening': {
      const target = `/dev/tcp/${condition.address}/${condition.port}`
      const result = await runInNode(nodeOf(condition.node), ['bash', '-c', `exec 3<>${target}`], 2000)
      return result.code === 0
    }
  }
}
