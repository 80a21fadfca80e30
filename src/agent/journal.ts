import type { LabEvent } from '../history/event.ts'

type Listener = (event: LabEvent) => void

/** Events kept for a harness that is not attached; more are counted and reported, never dropped in silence. */
const LIMIT = 200_000

const waiting: LabEvent[] = []
const listeners = new Set<Listener>()
const sinks = new Map<string, Listener>()
let dropped = 0

/** Records an event: to every conversation that is going on, kept for the next one where there is none. */
export const record = (event: LabEvent): void => {
  for (const sink of sinks.values()) sink(event)
  if (sinks.size === 0) {
    if (waiting.length < LIMIT) waiting.push(event)
    else dropped++
  }
  for (const listener of listeners) listener(event)
}

/** Sends events to a conversation from now on, those that waited first. */
export const attach = (conversation: string, to: Listener): void => {
  sinks.set(conversation, to)
  for (const event of waiting.splice(0)) to(event)
  if (dropped > 0) to({ kind: 'trouble', t: 0, what: `${dropped} events were dropped while no harness was attached` })
  dropped = 0
}

/** Ends a conversation. */
export const detach = (conversation: string): void => void sinks.delete(conversation)

/** Calls back for each event until the returned function is called. */
export const listen = (listener: Listener): (() => void) => {
  listeners.add(listener)
  return () => void listeners.delete(listener)
}
