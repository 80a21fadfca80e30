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

/** Rows of a page. Pages are never copied, so that growing needs no more than what is kept. */
const PAGE_ROWS = 4096

/** A number for each row, only ever added to its end. A page on which all are equal is that one number. */
class Pages {
  readonly #make: () => Float64Array | Uint32Array
  readonly #pages: (Float64Array | Uint32Array | number)[] = []

  constructor(make: () => Float64Array | Uint32Array) {
    this.#make = make
  }

  add(row: number, value: number): void {
    const [index, at] = [Math.floor(row / PAGE_ROWS), row % PAGE_ROWS]
    let page = this.#pages[index] ?? value
    if (typeof page === 'number' && !Object.is(page, value)) page = this.#make().fill(page, 0, at)
    if (typeof page !== 'number') page[at] = value
    this.#pages[index] = page
  }

  get(row: number): number {
    const page = this.#pages[Math.floor(row / PAGE_ROWS)] ?? Number.NaN
    return typeof page === 'number' ? page : (page[row % PAGE_ROWS] ?? Number.NaN)
  }
}

/** Numbers; NaN where a request has none. */
class NumberColumn {
  readonly #numbers = new Pages(() => new Float64Array(PAGE_ROWS))

  add(row: number, value: unknown): void {
    this.#numbers.add(row, typeof value === 'number' ? value : Number.NaN)
  }

  number(row: number): number {
    return this.#numbers.get(row)
  }

  get(row: number): number | undefined {
    const value = this.#numbers.get(row)
    return Number.isNaN(value) ? undefined : value
  }
}

/** Texts, each kept once however many rows have it. */
class TextColumn {
  readonly #indexes = new Pages(() => new Uint32Array(PAGE_ROWS))
  readonly #texts: (string | undefined)[] = [undefined]
  readonly #known = new Map<string, number>()

  add(row: number, value: unknown): void {
    this.#indexes.add(row, typeof value === 'string' ? this.#intern(value) : 0)
  }

  get(row: number): string | undefined {
    return this.#texts[this.#indexes.get(row)]
  }

  #intern(text: string): number {
    const known = this.#known.get(text)
    if (known !== undefined) return known
    this.#known.set(text, this.#texts.length)
    return this.#texts.push(text) - 1
  }
}

type Rows = Uint32Array<ArrayBuffer>

const isSorted = (rows: Rows, by: NumberColumn): boolean =>
  rows.every((row, index) => index === 0 || by.number(rows[index - 1] ?? 0) <= by.number(row))

/** Sorts rows in place; most are in order already, and sorting copies. */
const sorted = (rows: Rows, by: NumberColumn): Rows =>
  isSorted(rows, by) ? rows : rows.sort((a, b) => by.number(a) - by.number(b))

/** One request after the other, read from the columns. */
class Cursor {
  readonly kind = 'request'
  readonly columns: Record<Field, NumberColumn | TextColumn>
  row = 0

  constructor(columns: Record<Field, NumberColumn | TextColumn>) {
    this.columns = columns
  }
}
for (const field of FIELDS) {
  Object.defineProperty(Cursor.prototype, field, {
    get(this: Cursor) {
      return this.columns[field].get(this.row)
    },
  })
}

/**
 * Requests by column, some 50 bytes each: an hour at 200 requests/s is 40 MB, where objects would be several times that.
 * Nothing of a request is lost; it is made anew, as a plain object, each time that it is asked for.
 */
export class RequestTable {
  readonly #columns = Object.fromEntries(
    FIELDS.map(field => [field, COLUMNS[field] === 'number' ? new NumberColumn() : new TextColumn()]),
  ) as Record<Field, NumberColumn | TextColumn>
  readonly #t = this.#columns.t as NumberColumn
  readonly #done = this.#columns.done as NumberColumn
  readonly #probe = this.#columns.probe as TextColumn
  /** Rows of each probe that was asked for, when the table had so many rows. */
  readonly #sent = new Map<string, { of: number; rows: Rows }>()
  #length = 0

  get length(): number {
    return this.#length
  }

  add(request: RequestEvent): void {
    const row = this.#length++
    for (const field of FIELDS) this.#columns[field].add(row, request[field])
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

  /**
   * Shows one request after the other, until `look` says true. It is shown one object that stands for each of them in turn, so
   * that looking through all of them makes no garbage: it must not be kept.
   *
   * @returns the index of the last one that was shown in `rows`, -1 where `look` never said true
   */
  look(rows: Rows, look: (request: RequestEvent, index: number) => boolean): number {
    const cursor = new Cursor(this.#columns)
    return rows.findIndex((row, index) => {
      cursor.row = row
      return look(cursor as unknown as RequestEvent, index)
    })
  }

  /** Rows of one probe whose requests were sent from `from` to `until` (ms), in the order of sending; not to be changed. */
  sent(probe: string, from: number, until: number): Rows {
    const rows = this.#sentBy(probe)
    const first = rows.findIndex(row => this.#t.number(row) >= from)
    const last = rows.findLastIndex(row => this.#t.number(row) <= until)
    return first < 0 ? rows.subarray(0, 0) : rows.subarray(first, last + 1)
  }

  /** All rows of a probe; a judge asks for them again and again. */
  #sentBy(probe: string): Rows {
    const known = this.#sent.get(probe)
    if (known?.of === this.#length) return known.rows
    const rows = new Uint32Array(this.#length)
    let found = 0
    for (let row = 0; row < this.#length; row++) {
      if (this.#probe.get(row) === probe) rows[found++] = row
    }
    const sent = sorted(rows.subarray(0, found), this.#t)
    this.#sent.set(probe, { of: this.#length, rows: sent })
    return sent
  }

  /** The same rows in the order in which their outcomes were known. */
  byDone(rows: Rows): Rows {
    return isSorted(rows, this.#done) ? rows : sorted(rows.slice(), this.#done)
  }
}

/**
 * Some requests of a history, in an order. Walking through them makes one object for each, `[...requests]` makes them all at once,
 * and is for few; `forEach`, `filter` and `find` make none.
 */
export class Requests implements Iterable<RequestEvent> {
  readonly #table: RequestTable
  readonly #rows: Rows

  constructor(table: RequestTable, rows: Rows) {
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

  /** What `visit` is given stands for one request after the other: it must not be kept; `at(index)` may be. */
  forEach(visit: (request: RequestEvent, index: number) => void): void {
    this.#table.look(this.#rows, (request, index) => {
      visit(request, index)
      return false
    })
  }

  /** What `keep` is given stands for one request after the other: it must not be kept. */
  filter(keep: (request: RequestEvent) => boolean): Requests {
    const kept = new Uint32Array(this.#rows.length)
    let length = 0
    this.forEach((request, index) => {
      if (keep(request)) kept[length++] = this.#rows[index] ?? 0
    })
    return new Requests(this.#table, kept.slice(0, length))
  }

  find(is: (request: RequestEvent) => boolean): RequestEvent | undefined {
    const index = this.#table.look(this.#rows, is)
    return index < 0 ? undefined : this.at(index)
  }

  some(is: (request: RequestEvent) => boolean): boolean {
    return this.#table.look(this.#rows, is) >= 0
  }

  every(is: (request: RequestEvent) => boolean): boolean {
    return !this.some(request => !is(request))
  }

  slice(start: number, end?: number): Requests {
    return new Requests(this.#table, this.#rows.slice(start, end))
  }

  /** Those that are not among `others`, which are of the same history. */
  without(others: Requests): Requests {
    const taken = new Uint8Array(this.#table.length)
    for (const row of others.#rows) taken[row] = 1
    return new Requests(
      this.#table,
      this.#rows.filter(row => taken[row] === 0),
    )
  }

  map<T>(make: (request: RequestEvent) => T): T[] {
    return Array.from(this.#rows, row => make(this.#table.at(row)))
  }

  /** The same requests in the order in which their outcomes were known. */
  byDone(): Requests {
    return new Requests(this.#table, this.#table.byDone(this.#rows))
  }
}
