import type { EventKind, EventOf, LabEvent, RequestEvent } from './event.ts'
import { readJournal, type TornLine } from './journal.ts'
import { RequestTable } from './requests.ts'

type Other = Exclude<LabEvent, RequestEvent>
type OtherKind = Exclude<EventKind, 'request'>

/**
 * What happened in one lab, in the order in which it was reported; it only grows. Requests, of which there are many, are kept
 * by column and made into objects when they are asked for; `queries.ts` asks.
 */
export class History implements Iterable<LabEvent> {
  readonly requests = new RequestTable()
  readonly #others: Other[] = []
  /** Where each of the others stands among all events. */
  readonly #positions: number[] = []
  readonly #byKind = new Map<OtherKind, Other[]>()
  #end = 0

  /** Number of events. */
  get size(): number {
    return this.requests.length + this.#others.length
  }

  /** The last moment that it knows of, ms; 0 for an empty one. A request, fault or command counts until it was over. */
  get end(): number {
    return this.#end
  }

  add(event: LabEvent): void {
    this.#end = Math.max(this.#end, 'done' in event ? event.done : event.t)
    if (event.kind === 'request') {
      this.requests.add(event)
      return
    }
    this.#positions.push(this.size)
    this.#others.push(event)
    const same = this.#byKind.get(event.kind)
    if (same) same.push(event)
    else this.#byKind.set(event.kind, [event])
  }

  /** The events of one kind, in the order of the journal. */
  of<K extends OtherKind>(kind: K): readonly EventOf<K>[] {
    return (this.#byKind.get(kind) ?? []) as unknown as EventOf<K>[]
  }

  /** Every event, in the order of the journal. */
  *[Symbol.iterator](): Generator<LabEvent, void, undefined> {
    let row = 0
    for (const [index, event] of this.#others.entries()) {
      for (const before = (this.#positions[index] ?? 0) - index; row < before; row++) yield this.requests.at(row)
      yield event
    }
    for (; row < this.requests.length; row++) yield this.requests.at(row)
  }
}

/** A history of these events, one after the other: `historyOf(before, events)`. */
export const historyOf = (...parts: Iterable<LabEvent>[]): History => {
  const history = new History()
  for (const part of parts) for (const event of part) history.add(event)
  return history
}

/** What the journal of a run holds. */
export interface Histories {
  /** By the name of the lab. */
  labs: ReadonlyMap<string, History>
  /** Set where the journal ends in half a line. */
  torn: TornLine | undefined
}

/**
 * Reads the journal of a run, line by line: a history for each lab that is in it. A torn last line may have been of any lab that
 * was recorded together with the last one: all of these get the `trouble` event that says so.
 *
 * @param forkOf the lab that a lab is a fork of, by name: its history begins with what has been read of that one
 * @throws LvslabError JOURNAL_INVALID with file and line; JOURNAL_UNREADABLE
 */
export const readHistories = async (
  path: string,
  forkOf: ReadonlyMap<string, string> = new Map(),
): Promise<Histories> => {
  const labs = new Map<string, { history: History; first: number; last: number }>()
  let number = 0
  let torn: TornLine | undefined
  let lastLab: string | undefined
  for await (const { lab, ...event } of readJournal(path, line => (torn = line))) {
    number += 1
    if (torn) break
    let known = labs.get(lab)
    if (!known) {
      const origin = labs.get(forkOf.get(lab) ?? '')
      known = { history: historyOf(origin?.history ?? []), first: number, last: number }
      labs.set(lab, known)
    }
    known.history.add(event)
    known.last = number
    lastLab = lab
  }
  if (torn) {
    const first = labs.get(lastLab ?? '')?.first ?? 0
    for (const { history, last } of labs.values()) {
      if (last >= first) history.add({ kind: 'trouble', t: history.end, what: torn.what })
    }
  }
  return { labs: new Map([...labs].map(([lab, { history }]) => [lab, history])), torn }
}
