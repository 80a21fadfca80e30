import type { LabEvent } from '../history/event.ts'

type Listener = (event: LabEvent) => void

/** Events kept for a harness that is not attached; more are counted and reported, never dropped in silence. */
const LIMIT = 200_000

const waiting: LabEvent[] = []
const listeners = new Set<Listener>()
let sink: Listener | undefined
let dropped = 0

/** Records an event: to the harness when one is attached, kept for it otherwise. */
export const record = (event: LabEvent): void => {
  if (sink) sink(event)
  else if (waiting.length < LIMIT) waiting.push(event)
  else dropped++
  for (const listener of listeners) listener(event)
}

/** Sends events to the harness from now on, those that waited first. */
export const attach = (to: Listener): void => {
  sink = to
  for (const event of waiting.splice(0)) to(event)
  if (dropped > 0) to({ kind: 'trouble', t: 0, what: `${dropped} events were dropped while no harness was attached` })
  dropped = 0
}

/** Keeps events for who comes next. */
export const detach = (): void => {
  sink = undefined
}

/** Calls back for each event until the returned function is called. */
export const listen = (listener: Listener): (() => void) => {
  listeners.add(listener)
  return () => void listeners.delete(listener)
}
