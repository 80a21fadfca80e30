import { isAlias, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument, visit } from 'yaml'
import type { Document, Pair, YAMLMap } from 'yaml'

import type { Position } from '../errors.ts'

/** A place inside a YAML document: keys and indexes from its root. */
export type Path = readonly PropertyKey[]

/** One thing that is wrong, where it stands in the file. */
export interface Problem {
  at: Position
  message: string
}

/** What the reader of yaml says to programmers. */
const SAID_BETTER: Partial<Record<string, string>> = {
  MULTIPLE_DOCS: 'a second document begins here; one file has one topology',
  TAB_AS_INDENT: 'a tab in front; YAML takes spaces alone',
}

// Far above any honest use of anchors, far below what hurts.
const MAX_ALIASES = 1000

/** A YAML file that was read, with the positions of its keys and values, and the problems found in it so far. */
export class YamlSource {
  readonly problems: Problem[] = []
  /** The document as plain data; undefined when its syntax is wrong (the problems say how). */
  readonly data: unknown
  readonly #file: string
  readonly #lines = new LineCounter()
  readonly #document: Document.Parsed | undefined

  /** @param file the path to show in messages */
  constructor(file: string, text: string) {
    this.#file = file
    try {
      const options = { lineCounter: this.#lines, prettyErrors: false, uniqueKeys: true, merge: true }
      this.#document = parseDocument(text, options)
      const errors = [...this.#document.errors, ...this.#document.warnings]
      // The reader of yaml turns its own stack overflow into an error of the document.
      if (errors.some(error => error.message.startsWith('Maximum call stack'))) throw new RangeError()
      // what a tab makes of the lines below it is nothing that anybody wrote
      const tabs = errors.filter(({ code }) => code === 'TAB_AS_INDENT')
      for (const { code, pos, message } of tabs.length > 0 ? tabs : errors) {
        const word = /^[^\s:]*/.exec(text.slice(pos[0]))?.[0] ?? ''
        this.#add(pos[0], code === 'DUPLICATE_KEY' ? `"${word}" stands here already` : (SAID_BETTER[code] ?? message))
      }
      this.#refuseProto()
      if (this.problems.length === 0) this.data = this.#document.toJS({ maxAliasCount: MAX_ALIASES })
    } catch (error) {
      // Nested too deeply, or too many aliases: there is no one place to point at.
      this.#add(0, error instanceof RangeError ? 'nested too deeply' : (error as Error).message)
    }
  }

  /** Records a problem at the value of a path, at its key, or at its parent's key where the path does not exist. */
  report(path: Path, message: string, part: 'key' | 'value' = 'value'): void {
    this.#add(this.#offset(path, part), message)
  }

  /** Where a path's value stands, or its parent's key where the path does not exist. */
  place(path: Path): Position {
    return this.#position(this.#offset(path, 'value'))
  }

  /** The line of a path's value, from 1. */
  line(path: Path): number {
    return this.place(path).line
  }

  #add(offset: number, message: string): void {
    this.problems.push({ at: this.#position(offset), message })
  }

  #position(offset: number): Position {
    const { line, col } = this.#lines.linePos(offset)
    return { file: this.#file, line: Math.max(1, line), column: Math.max(1, col) }
  }

  /** zod passes over a key of this name in silence, and it means no good. */
  #refuseProto(): void {
    visit(this.#document as Document, {
      Pair: (_, pair) => {
        if (isScalar(pair.key) && pair.key.value === '__proto__')
          this.#add(pair.key.range?.[0] ?? 0, 'unknown key "__proto__"')
      },
    })
  }

  #offset(path: Path, part: 'key' | 'value'): number {
    let node: unknown = this.#document?.contents
    let offset = 0
    for (const [index, step] of path.entries()) {
      const found = this.#child(node, step)
      if (found === undefined) return offset
      // What is missing inside a value is reported at that value's key.
      offset = index === path.length - 1 && part === 'value' ? found.value : found.key
      node = found.node
    }
    return offset
  }

  #child(parent: unknown, step: PropertyKey): { key: number; value: number; node: unknown } | undefined {
    const node = this.#resolve(parent)
    if (isSeq(node)) {
      const item = node.items[Number(step)]
      const offset = startOf(item)
      return offset === undefined ? undefined : { key: offset, value: offset, node: item }
    }
    if (!isMap(node)) return undefined
    const pair = this.#pair(node, String(step))
    const key = startOf(pair?.key)
    if (pair === undefined || key === undefined) return undefined
    // An empty value has no place of its own that a person would look at.
    const empty = isScalar(pair.value) && pair.value.value === null
    return { key, value: (empty ? undefined : startOf(pair.value)) ?? key, node: pair.value }
  }

  #pair(map: YAMLMap, name: string): Pair | undefined {
    const named = (wanted: string) => map.items.find(pair => isScalar(pair.key) && String(pair.key.value) === wanted)
    const own = named(name)
    if (own) return own
    const merged = this.#resolve(named('<<')?.value)
    for (const source of isSeq(merged) ? merged.items : [merged]) {
      const node = this.#resolve(source)
      const pair = isMap(node) && node !== map ? this.#pair(node, name) : undefined
      if (pair) return pair
    }
    return undefined
  }

  #resolve(node: unknown): unknown {
    return isAlias(node) && this.#document ? node.resolve(this.#document) : node
  }
}

const startOf = (node: unknown): number | undefined => (isNode(node) ? node.range?.[0] : undefined)
