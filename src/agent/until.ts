import type { LabEvent } from '../history/event.ts'
import { holds } from './addresses.ts'
import { ipvsTable } from './ipvs.ts'
import { listen } from './journal.ts'
import { runInNode } from './namespace.ts'
import type { AgentNode, Condition } from './protocol.ts'

/** How often a condition that no event announces is looked at again; ms of lab time. */
const LOOK_AGAIN_MS = 50

/** Waits for a condition inside the lab. False when the deadline passes first. */
export const until = async (
  condition: Condition,
  deadlineMs: number,
  nodeOf: (name: string) => AgentNode,
): Promise<boolean> => {
  let unlisten = (): void => {}
  let timer: NodeJS.Timeout | undefined
  const deadline = new Promise<false>(resolve => {
    timer = setTimeout(() => resolve(false), deadlineMs)
  })
  const met = new Promise<true>(resolve => {
    if (condition.kind === 'event') {
      unlisten = listen(event => matches(event, condition.match) && resolve(true))
      return
    }
    let ended = false
    const look = async (): Promise<void> => {
      if (ended) return
      if (await holdsNow(condition, nodeOf)) resolve(true)
      else setTimeout(() => void look(), LOOK_AGAIN_MS)
    }
    unlisten = () => {
      ended = true
    }
    void look()
  })
  try {
    return await Promise.race([met, deadline])
  } finally {
    unlisten()
    clearTimeout(timer)
  }
}

/** Whether an event has all these fields, at these values. */
export const matches = (event: LabEvent, match: Record<string, unknown>): boolean =>
  Object.entries(match).every(([key, value]) => {
    const is = (event as unknown as Record<string, unknown>)[key]
    if (typeof value === 'object' && value !== null && typeof is === 'object' && is !== null)
      return matches(is as LabEvent, value as Record<string, unknown>)
    return is === value
  })

const holdsNow = async (
  condition: Exclude<Condition, { kind: 'event' }>,
  nodeOf: (name: string) => AgentNode,
): Promise<boolean> => {
  switch (condition.kind) {
    case 'owner':
      return (
        holds(condition.node, condition.address) && !condition.others.some(other => holds(other, condition.address))
      )
    case 'pool': {
      const service = ipvsTable(nodeOf(condition.node)).find(s => s.service === condition.service)
      const active = (service?.destinations ?? []).filter(d => d.weight > 0).map(d => `${d.address}:${d.port}`)
      return active.sort().join() === [...condition.destinations].sort().join()
    }
    case 'listening': {
      const target = `/dev/tcp/${condition.address}/${condition.port}`
      const result = await runInNode(nodeOf(condition.node), ['bash', '-c', `exec 3<>${target}`], 2000)
      return result.code === 0
    }
  }
}
