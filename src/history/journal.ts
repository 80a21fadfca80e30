import { createReadStream } from 'node:fs'
import { type FileHandle, open, truncate } from 'node:fs/promises'
import { dirname } from 'node:path'
import { LvslabError } from '../errors.ts'
import type { EventKind, EventOf, JournalLine, LabEvent } from './event.ts'
import { makeFolder } from './make-folder.ts'
import { type Masker, maskDeep } from './mask.ts'

/** An open `journal.ndjson`. Lines only ever go to its end, in the order of the calls. */
export interface Journal extends AsyncDisposable {
  readonly path: string
  /**
   * Masks a line and adds it. Resolves when the kernel has it: from then on a crash of the harness does not lose it.
   * Await it to let a slow disk slow the writer down. The promise may also be left alone: a failure is then thrown by
   * `close`. @throws LvslabError JOURNAL_WRITE, JOURNAL_CLOSED
   */
  write(line: JournalLine): Promise<void>
  /** Waits for everything written and closes the file; a second call does nothing. @throws LvslabError JOURNAL_WRITE */
  close(): Promise<void>
}

const writeError = (path: string, cause: unknown): LvslabError =>
  new LvslabError('JOURNAL_WRITE', `cannot write ${path}: ${(cause as Error).message}`, {
    remedy: 'Check that the folder exists, is writable and has space left (df -h).',
    cause,
  })

/** Node's file writes may be short; a line that is written in part is followed by its rest. */
const writeAll = async (file: FileHandle, data: Buffer): Promise<void> => {
  for (let offset = 0; offset < data.length; ) offset += (await file.write(data, offset)).bytesWritten
}

/** A journal whose writer died may end in half a line. Cut it off, and tell each lab in it so, so that what follows can be read. */
const mendTail = async (path: string, file: FileHandle): Promise<void> => {
  const { size } = await file.stat()
  if (size === 0) return
  const last = Buffer.alloc(1)
  await file.read(last, 0, 1, size - 1)
  if (last[0] === 0x0a) return
  const scan: Scan = { whole: 0 }
  let trouble: JournalLine | undefined
  const labs = new Set<string>()
  for await (const line of scanJournal(path, scan)) {
    labs.add(line.lab)
    trouble = line
  }
  // the last line may be whole but for its line feed
  if (scan.whole === size) await file.write('\n')
  else {
    await truncate(path, scan.whole)
    // which of them it was a line of, nobody knows
    for (const lab of labs) await file.write(`${JSON.stringify({ ...trouble, lab })}\n`)
  }
}

/**
 * Opens a journal for adding lines, and makes it and its folder where they are missing. Every line goes through `mask`
 * before it is formatted. @throws LvslabError JOURNAL_WRITE, and JOURNAL_INVALID for a file that ends in something else
 */
export const openJournal = async (path: string, mask: Masker): Promise<Journal> => {
  let file: FileHandle
  try {
    await makeFolder(dirname(path))
    file = await open(path, 'a+')
  } catch (cause) {
    throw writeError(path, cause)
  }
  try {
    await mendTail(path, file)
  } catch (cause) {
    await file.close()
    throw cause instanceof LvslabError ? cause : writeError(path, cause)
  }

  let waiting: string[] = []
  let flushing: Promise<void> | undefined
  let failure: LvslabError | undefined
  let closing: Promise<void> | undefined

  // everything that came while the last write was under way goes out in one write
  const flush = async (): Promise<void> => {
    await Promise.resolve()
    const batch = Buffer.from(waiting.join(''))
    waiting = []
    flushing = undefined
    await writeAll(file, batch)
  }

  let last: Promise<void> = Promise.resolve()
  const write = (line: JournalLine): Promise<void> => {
    if (closing) return Promise.reject(new LvslabError('JOURNAL_CLOSED', `${path} is closed; a line came too late`))
    waiting.push(`${JSON.stringify(maskDeep(line, mask))}\n`)
    if (!flushing) {
      const next = last.then(() => {
        if (failure) throw failure
        return flush()
      })
      flushing = next.catch(cause => {
        flushing = undefined
        failure ??= writeError(path, cause)
        throw failure
      })
      last = flushing.catch(() => {})
    }
    // a caller that does not wait must not bring the process down; `close` throws the failure
    flushing.catch(() => {})
    return flushing
  }

  const close = (): Promise<void> => {
    closing ??= (async () => {
      await last
      await file.close()
      if (failure) throw failure
    })()
    return closing
  }

  return { path, write, close, [Symbol.asyncDispose]: close }
}

type Always<T> = { [F in keyof T]-?: object extends Pick<T, F> ? never : F }[keyof T]
type Sort<V> = V extends number ? 'number' : V extends string ? 'string' : V extends readonly unknown[] ? 'list' : never

/** What a line of each kind has at least. One that nobody can use must not be passed over in silence. */
const FIELDS: { [K in EventKind]: { [F in Exclude<Always<EventOf<K>>, 'kind' | 't'>]: Sort<EventOf<K>[F]> } } = {
  request: {
    ...{ probe: 'string', n: 'number', client: 'string', source: 'string', target: 'string', outcome: 'string' },
    ...{ scheduled: 'number', done: 'number' },
  },
  connection: {
    ...{ probe: 'string', n: 'number', client: 'string', source: 'string', sourcePort: 'number', target: 'string' },
    ...{ change: 'string', exchanges: 'number' },
  },
  probe: { phase: 'string', probe: 'string', client: 'string', target: 'string', rate: 'number' },
  fault: { phase: 'string', fault: 'string', node: 'string', done: 'number' },
  advert: {
    ...{ network: 'string', source: 'string', destination: 'string', version: 'number', vrid: 'number' },
    ...{ priority: 'number', interval: 'number', addresses: 'list' },
  },
  garp: { network: 'string', address: 'string', mac: 'string' },
  packet: {
    ...{ capture: 'string', node: 'string', device: 'string', protocol: 'string', source: 'string' },
    ...{ destination: 'string', length: 'number' },
  },
  address: { change: 'string', node: 'string', device: 'string', address: 'string', prefix: 'number' },
  keepalived: { node: 'string', line: 'string' },
  log: { node: 'string', file: 'string', line: 'string' },
  ipvs: { node: 'string', reason: 'string', services: 'list' },
  command: { node: 'string', command: 'string', done: 'number', code: 'number', output: 'string' },
  machine: { processor: 'string', clock: 'string' },
  mark: { label: 'string' },
  trouble: { what: 'string' },
}

const CHECKS = Object.fromEntries(Object.entries(FIELDS).map(([kind, fields]) => [kind, Object.entries(fields)]))

/** Whether a value that somebody read has all that an event of its kind has. */
export const isEvent = (value: unknown): value is LabEvent => {
  if (typeof value !== 'object' || value === null) return false
  const event = value as Record<string, unknown>
  const { kind, t } = event
  if (typeof kind !== 'string' || !Object.hasOwn(CHECKS, kind) || !Number.isFinite(t)) return false
  return (CHECKS[kind] ?? []).every(([field, sort]) =>
    sort === 'list' ? Array.isArray(event[field]) : typeof event[field] === sort,
  )
}

const isLine = (value: unknown): value is JournalLine =>
  isEvent(value) && 'lab' in value && typeof value.lab === 'string'

const parse = (text: string): JournalLine | undefined => {
  try {
    const value: unknown = JSON.parse(text)
    return isLine(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** The last line of a journal whose writer ended in the middle of it. */
export interface TornLine {
  /** From 1. */
  line: number
  /** For people. */
  what: string
}

/** More than any event is long, bytes; lines are read whole. */
const LONGEST_LINE = 16 * 2 ** 20

interface Scan {
  /** Bytes up to the end of the last line that can be read. */
  whole: number
  onTorn?: ((torn: TornLine) => void) | undefined
}

async function* scanJournal(path: string, scan: Scan): AsyncGenerator<JournalLine> {
  let number = 0
  let last: JournalLine | undefined
  let parts: Buffer[] = []
  let length = 0

  const invalid = (text: string): LvslabError =>
    new LvslabError('JOURNAL_INVALID', `not a journal line: ${JSON.stringify(text.slice(0, 80))}`, {
      remedy:
        'A journal is written by lvslab alone, one JSON object per line; was the file edited, or cut in the middle?',
      at: { file: path, line: number, column: 1 },
      exitCode: 2,
    })
  const keep = (part: Buffer): void => {
    length += part.length
    if (length > LONGEST_LINE) {
      number += 1
      throw invalid(Buffer.concat([...parts, part], 100).toString())
    }
    parts.push(part)
  }

  // node:readline also splits on U+2028 and a lone CR, which JSON leaves alone inside a string: split on LF only
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    let start = 0
    for (let end = chunk.indexOf(0x0a); end !== -1; end = chunk.indexOf(0x0a, start)) {
      keep(chunk.subarray(start, end))
      start = end + 1
      const bytes = Buffer.concat(parts)
      parts = []
      length = 0
      number += 1
      scan.whole += bytes.length + 1
      if (bytes.length === 0) continue
      const text = bytes.toString('utf8')
      const line = parse(text)
      if (!line) throw invalid(text)
      last = line
      yield line
    }
    if (start < chunk.length) keep(chunk.subarray(start))
  }

  const rest = Buffer.concat(parts)
  if (rest.length === 0) return
  number += 1
  const line = parse(rest.toString('utf8'))
  if (line) {
    scan.whole += rest.length
    yield line
    return
  }
  const what = `line ${number} of the journal is torn after ${rest.length} bytes: its writer ended in the middle of it`
  scan.onTorn?.({ line: number, what })
  yield { kind: 'trouble', t: last?.t ?? 0, lab: last?.lab ?? '', what }
}

/**
 * Reads a journal line by line, whatever its size. A torn last line (the writer crashed) is a `trouble` event at the
 * time of the last whole line, in its lab. @throws LvslabError JOURNAL_INVALID with file and line; JOURNAL_UNREADABLE
 *
 * @param onTorn called before that event is given
 */
export async function* readJournal(path: string, onTorn?: (torn: TornLine) => void): AsyncGenerator<JournalLine> {
  try {
    yield* scanJournal(path, { whole: 0, onTorn })
  } catch (cause) {
    if (!(cause instanceof Error && 'syscall' in cause)) throw cause
    throw new LvslabError('JOURNAL_UNREADABLE', `cannot read ${path}: ${cause.message}`, {
      remedy: 'A run writes its journal beside its reports; check the path.',
      exitCode: 2,
      cause,
    })
  }
}
