import type { EventOf, JournalLine, LabEvent } from '../../history/event.ts'
import { Thinner } from './thinner.ts'

/** Most requests that one panel draws. */
export const MAX_REQUESTS = 20_000

/** Most events of each other kind that one panel draws. */
export const MAX_OTHERS = 5_000

/** Events of one lab as a panel draws them, in order of time, and what had to be left out. */
export interface LabEvents {
  lab: string
  requests: EventOf<'request'>[]
  others: Exclude<LabEvent, EventOf<'request'>>[]
  /** Requests are a sample only. */
  thinned: boolean
  /** What was thinned out, in words for the reader. */
  notes: string[]
}

export interface CollectLimits {
  requests: number
  others: number
}

type Other = Exclude<LabEvent, EventOf<'request'>>

/** A request that got what it asked for: of these a reader misses least. */
const isGood = (event: EventOf<'request'>): boolean => event.outcome === 'answered' && (event.status ?? 200) < 400

class LabCollector {
  readonly #good: Thinner<EventOf<'request'>>
  readonly #bad: Thinner<EventOf<'request'>>
  readonly #others = new Map<string, Thinner<Other>>()
  readonly #limits: CollectLimits

  constructor(limits: CollectLimits) {
    this.#limits = limits
    this.#good = new Thinner(limits.requests)
    this.#bad = new Thinner(Math.floor(limits.requests / 2))
  }

  add(event: LabEvent): void {
    if (event.kind === 'request') {
      const thinner = isGood(event) ? this.#good : this.#bad
      thinner.add(event)
      return
    }
    let thinner = this.#others.get(event.kind)
    if (!thinner) this.#others.set(event.kind, (thinner = new Thinner(this.#limits.others)))
    thinner.add(event)
  }

  finish(lab: string): LabEvents {
    while (this.#good.size > this.#limits.requests - this.#bad.size) this.#good.halve()
    const notes: string[] = []
    const note = (thinner: Thinner<LabEvent>, what: string): void => {
      const { size, seen } = thinner
      if (size < seen) notes.push(`${size} of ${seen} ${what} are drawn, a sample of them all`)
    }
    note(this.#good, 'answered requests')
    note(this.#bad, 'failed requests')
    for (const [kind, thinner] of this.#others) note(thinner, `${kind} events`)
    const byTime = (a: LabEvent, b: LabEvent): number => a.t - b.t
    return {
      lab,
      requests: [...this.#good.items, ...this.#bad.items].sort(byTime),
      others: [...this.#others.values()].flatMap(thinner => thinner.items).sort(byTime),
      thinned: this.#good.size + this.#bad.size < this.#good.seen + this.#bad.seen,
      notes,
    }
  }
}

/**
 * Reads a journal once and keeps, for each lab that is wanted, what its panel draws. Memory is bounded by the limits,
 * whatever the journal's size. Where reading fails, what came before is kept and `failure` says why: a report must
 * still be written for a run whose journal is damaged.
 */
export const collectLabs = async (
  lines: AsyncIterable<JournalLine> | Iterable<JournalLine>,
  labs: readonly string[],
  limits: CollectLimits = { requests: MAX_REQUESTS, others: MAX_OTHERS },
): Promise<{ labs: LabEvents[]; failure?: Error }> => {
  const collectors = new Map([...new Set(labs)].map(lab => [lab, new LabCollector(limits)]))
  let failure: Error | undefined
  try {
    for await (const { lab, ...event } of lines) collectors.get(lab)?.add(event)
  } catch (cause) {
    failure = cause as Error
  }
  return {
    labs: [...collectors].map(([lab, collector]) => collector.finish(lab)),
    ...(failure && { failure }),
  }
}
