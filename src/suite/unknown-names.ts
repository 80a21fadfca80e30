import type { LabEvent } from '../history/event.ts'
import type { History } from '../history/history.ts'
import { hint } from '../topology/did-you-mean.ts'

type Kind = 'probe' | 'fault' | 'node'

/** What the parameters of a rule are called, and what they name. */
const NAMING: Record<string, Kind> = {
  probe: 'probe',
  fault: 'fault',
  from: 'node',
  to: 'node',
  node: 'node',
  director: 'node',
  directors: 'node',
}

const namesIn = (history: History): Record<Kind, Set<string>> => {
  const names = { probe: new Set<string>(), fault: new Set<string>(), node: new Set<string>() }
  for (const event of history as Iterable<Partial<Record<Kind, string>> & LabEvent>) {
    for (const kind of ['probe', 'fault', 'node'] as const) if (event[kind] !== undefined) names[kind].add(event[kind])
  }
  return names
}

/** The names among parameters, however deep, with what each names. A window's ends are called so too, and are numbers. */
const named = (params: unknown, kind?: Kind): [Kind, string][] => {
  if (typeof params === 'string') return kind ? [[kind, params]] : []
  if (typeof params !== 'object' || params === null) return []
  if (Array.isArray(params)) return params.flatMap(one => named(one, kind))
  return Object.entries(params).flatMap(([key, value]) =>
    named(value, Object.hasOwn(NAMING, key) ? NAMING[key] : undefined),
  )
}

/** What a check is told of that its history has never heard of, a sentence for each, with the names that there are. */
export const unknownNames = (history: History, params: unknown): string[] => {
  const known = namesIn(history)
  const unknown = new Map(
    named(params).flatMap(([kind, name]) => (known[kind].has(name) ? [] : [[name, kind] as const])),
  )
  return [...unknown].map(([name, kind]) => {
    const there = hint(name, [...known[kind]], `its ${kind}s are`) || `: it has no ${kind}`
    return `No ${kind} "${name}" is in this history${there}`
  })
}
