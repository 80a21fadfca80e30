import type { RequestEvent } from './event.ts'

/** How each field of a request is kept; a field that `RequestEvent` gets must get its column here. */
const COLUMNS: {
  [F in Exclude<keyof RequestEvent, 'kind'>]-?: NonNullable<RequestEvent[F]> extends number
    ? 'number'
    : NonNullable<RequestEvent[F]> extends string
      ? 'text'
      : never
} = {
  t: 'number',
  probe: 'text',
  n: 'number',
  client: 'text',
  scheduled: 'number',
  done: 'number',
  source: 'text',
  sourcePort: 'number',
  target: 'text',
  outcome: 'text',
  status: 'number',
  server: 'text',
  detail: 'text',
}

type Field = keyof typeof COLUMNS
const FIELDS = Object.keys(COLUMNS) as Field[]

/** Rows of a page; a power of two. Pages are never copied, so that growing needs no more than what is kept. */
const PAGE_ROWS = 4096

/** Numbers, in the order of the rows; NaN where a request has none. */
class NumberColumn {
  readonly #pages: Float64Array[] = []

  set(row: number, value: unknown): void {
    const page = (this.#pages[Math.floor(row / PAGE_ROWS)] ??= new Float64Array(PAGE_ROWS))
    page[row % PAGE_ROWS] = typeof value === 'number' ? value : Number.NaN
  }

  number(row: number): number {
    return this.#pages[Math.floor(row / PAGE_ROWS)]?.[row % PAGE_ROWS] ?? Number.NaN
  }

  get(row: number): number | undefined {
    const value = this.number(row)
    return Number.isNaN(value) ? undefined : value
  }
}

/** Texts, each kept once however many rows have it. */
class TextColumn {
  readonly #pages: Uint32Array[] = []
  readonly #texts: (string | undefined)[] = [undefined]
  readonly #indexes = new Map<string, number>()

  set(row: number, value: unknown): void {
    const page = (this.#pages[Math.floor(row / PAGE_ROWS)] ??= new Uint32Array(PAGE_ROWS))
    page[row % PAGE_ROWS] = typeof value === 'string' ? this.#intern(value) : 0
  }

  get(row: number): string | undefined {
    return this.#texts[this.#pages[Math.floor(row / PAGE_ROWS)]?.[row % PAGE_ROWS] ?? 0]
  }

  #intern(text: string): number {
    const known = this.#indexes.get(text)
    if (known !== undefined) return known
    this.#indexes.set(text, this.#texts.length)
    return this.#texts.push(text) - 1
  }
}

/**
 * Requests by column, about 80 bytes each: an hour at 200 requests/s is 60 MB, where objects would be several times that.
 * Nothing of a request is lost; it is made anew, as a plain object, each time that it is asked for.
 */
export class RequestTable {
  readonly #columns = Object.fromEntries(
    FIELDS.map(field => [field, COLUMNS[field] === 'number' ? new NumberColumn() : new TextColumn()]),
  ) as Record<Field, NumberColumn | TextColumn>
  readonly #t = this.#columns.t as NumberColumn
  readonly #done = this.#columns.done as NumberColumn
  readonly #probe = this.#columns.probe as TextColumn
  #length = 0

  get length(): number {
    return this.#length
  }

  add(request: RequestEvent): void {
    const row = this.#length++
    for (const field of FIELDS) this.#columns[field].set(row, request[field])
  }

  /** The request of a row: rows count from 0, in the order in which requests were added. */
  at(row: number): RequestEvent {
    const request: Record<string, unknown> = { kind: 'request' }
    for (const field of FIELDS) {
      const value = this.#columns[field].get(row)
      if (value !== undefined) request[field] = value
    }
    return request as unknown as RequestEvent
  }

  /** Rows of one probe whose requests were sent from `from` to `until` (ms), in the order of sending. */
  sent(probe: string, from: number, until: number): number[] {
    const rows: number[] = []
    for (let row = 0; row < this.#length; row++) {
      const t = this.#t.number(row)
      if (t >= from && t <= until && this.#probe.get(row) === probe) rows.push(row)
    }
    return rows.sort((a, b) => this.#t.number(a) - this.#t.number(b))
  }

  /** The same rows in the order in which their outcomes were known. */
  byDone(rows: readonly number[]): number[] {
    return rows.toSorted((a, b) => this.#done.number(a) - this.#done.number(b))
  }
}

/**
 * Some requests of a history, in an order. Walking through them makes one object at a time; `[...requests]` makes them all, and
 * is for few.
 */
export class Requests implements Iterable<RequestEvent> {
  readonly #table: RequestTable
  readonly #rows: readonly number[]

  constructor(table: RequestTable, rows: readonly number[]) {
    this.#table = table
    this.#rows = rows
  }

  get length(): number {
    return this.#rows.length
  }

  /** As of an array: -1 is the last. */
  at(index: number): RequestEvent | undefined {
    const row = this.#rows.at(index)
    return row === undefined ? undefined : this.#table.at(row)
  }

  *[Symbol.iterator](): Generator<RequestEvent, void, undefined> {
    for (const row of this.#rows) yield this.#table.at(row)
  }

  filter(keep: (request: RequestEvent) => boolean): Requests {
    return new Requests(
      this.#table,
      this.#rows.filter(row => keep(this.#table.at(row))),
    )
  }

  find(is: (request: RequestEvent) => boolean): RequestEvent | undefined {
    for (const request of this) if (is(request)) return request
    return undefined
  }

  some(is: (request: RequestEvent) => boolean): boolean {
    return this.find(is) !== undefined
  }

  every(is: (request: RequestEvent) => boolean): boolean {
    return !this.some(request => !is(request))
  }

  slice(start: number, end?: number): Requests {
    return new Requests(this.#table, this.#rows.slice(start, end))
  }

  map<T>(make: (request: RequestEvent) => T): T[] {
    return this.#rows.map(row => make(this.#table.at(row)))
  }

  /** The same requests in the order in which their outcomes were known. */
  byDone(): Requests {
    return new Requests(this.#table, this.#table.byDone(this.#rows))
  }
}
