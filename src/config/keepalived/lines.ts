import { LvslabError, type Position } from '../../errors.ts'
import type { Notice } from '../../model/types.ts'
import { Budget, LINE_BYTES } from './limits.ts'
import { type OnError, throwIt } from './on-error.ts'
import { type Definition, Parameters, type Rest } from './parameters.ts'
import { PlacedText, skipBlanks } from './placed.ts'
import { readSequence, type Sequence } from './sequences.ts'

/** A file as it is read. */
export interface SourceFile {
  /** Name that positions carry. */
  name: string
  text: string
}

/** What the lines of a configuration depend on beside its text. */
export interface Surroundings {
  /** Name that `@NAME` lines ask for, and `$_INSTANCE`: the node's own, unless keepalived is started with `-i`. */
  instance?: string
  /** Where it does not throw, reading goes on: a NUL byte ends its line, and so does an open quote. */
  onError?: OnError
  /** Folder of a file on the node, for `$_PWD`. */
  folderOf?: (file: string) => string
  /**
   * Files behind an `include`, opened one after the other. Without it, such a line is one like any other.
   *
   * @param open names of the files that are being read, the including one last
   */
  include?: (pattern: PlacedText, kind: string, open: string[]) => Iterable<SourceFile>
}

/** One file of an include, and those that come after it. */
interface Open {
  file: SourceFile
  /** Index of the next character, and where its line starts and ends. */
  next: number
  start: number
  end: number
  line: number
  others: Iterator<SourceFile>
}

const INCLUDE = /^include([rmwba]?)[ \t\v\f\r][ \t]*/
/** How much of a line fits into a piece: `read` characters, which are `written` bytes. */
const pieceOf = (text: string, next: number, end: number): { read: number; written: number } => {
  const length = end - next
  // a character has three bytes at most
  if (length * 3 < LINE_BYTES) return { read: length, written: length }
  return ENCODER.encodeInto(text.slice(next, Math.min(end, next + LINE_BYTES)), PIECE)
}
const ENCODER = new TextEncoder()
const PIECE = new Uint8Array(LINE_BYTES)

/**
 * The lines of a configuration as keepalived's keywords see them (lib/parser.c `read_line`): comments are gone, parameters,
 * sequences, conditions and includes have been obeyed, a brace has a line of its own. Every character still knows where it was
 * typed.
 *
 * keepalived's processes read a copy of the configuration that the first of them writes, comments taken out: `\#` has lost its
 * backslash there, and starts a comment after all.
 */
export class LineReader {
  readonly #notices: Notice[]
  readonly #surroundings: Surroundings
  readonly #budget = new Budget()
  readonly #parameters: Parameters
  readonly #open: Open[] = []
  readonly #sequences: Sequence[] = []
  /** Lines of a multi-line value that is being read, and those of the values around it. */
  #rest: Rest | undefined
  readonly #outer: { rest: Rest; depth: number }[] = []
  /** Sequences that wait for the end of that value. */
  #depth = 0
  #residue: PlacedText | undefined
  /** Version of the parameters with which the line at hand is known to use none. */
  #settled: number | undefined
  /** The line is one of a file, and began with `include` there. */
  #straight = false

  constructor(files: Iterable<SourceFile>, surroundings: Surroundings, notices: Notice[]) {
    this.#surroundings = surroundings
    this.#notices = notices
    const folder = (): string => surroundings.folderOf?.(this.#open.at(-1)?.file.name ?? '') ?? '/etc/keepalived'
    this.#parameters = new Parameters({ instance: surroundings.instance ?? '', folder }, this.#budget)
    this.#openFirst(files[Symbol.iterator]())
  }

  /** @throws LvslabError CONFIG_BINARY, CONFIG_EXPANSION, CONFIG_UNSUPPORTED, and whatever `include` throws */
  next(): PlacedText | undefined {
    for (;;) {
      const line = this.#logicalLine()
      if (!line) return undefined
      const own = this.#upToBrace(line)
      if (own.length > 0) return own
    }
  }

  /** A line with everything obeyed, braces still among its words. */
  #logicalLine(): PlacedText | undefined {
    let defining: Definition | undefined
    for (;;) {
      const taken = this.#take(defining !== undefined)
      if (taken === undefined) return undefined
      if (defining) {
        defining = addLine(defining, taken)
        continue
      }
      if (taken.length === 0) continue
      const read = this.#obey(taken)
      if (read instanceof PlacedText) {
        if (read.length > 0 && !this.#includes(read)) return read
      } else defining = read
    }
  }

  /** What is left of the last line, then what sequences and values still have, then the next line of the file. */
  #take(blankToo: boolean): PlacedText | undefined {
    this.#straight = false
    if (this.#residue) {
      const line = this.#residue
      this.#residue = undefined
      return line
    }
    this.#settled = undefined
    const sequence = this.#sequences.length > this.#depth ? this.#sequences.at(-1) : undefined
    if (sequence) {
      this.#budget.line(sequence.place.at, sequence.text.length)
      for (const [name, value] of sequence.next()) this.#parameters.set(name, value)
      if (sequence.isOver()) this.#sequences.pop()
      return sequence.text
    }
    const rest = this.#rest
    if (rest) {
      const line = rest.lines[rest.next++]?.usedAt(rest.use)
      this.#budget.line(rest.use, line?.length ?? 0)
      if (rest.next >= rest.lines.length) {
        const outer = this.#outer.pop()
        this.#rest = outer?.rest
        this.#depth = outer?.depth ?? 0
      }
      return line
    }
    return this.#fileLine(blankToo)
  }

  /** The next line of the files that says something; an empty one too where it ends a definition. */
  #fileLine(blankToo: boolean): PlacedText | undefined {
    for (;;) {
      const open = this.#open.at(-1)
      if (!open) return undefined
      const piece = this.#piece(open)
      if (piece === undefined) {
        this.#open.pop()
        this.#openFirst(open.others)
        continue
      }
      if (piece.length === 0 && blankToo) return piece
      const line = withoutComment(withoutComment(piece))
      this.#straight = line.text.startsWith('include')
      if (line.length > 0) return line
    }
  }

  #openFirst(files: Iterator<SourceFile>): void {
    const { value, done } = files.next()
    if (!done) this.#open.push({ file: value, next: 0, start: 0, end: 0, line: 1, others: files })
  }

  /** keepalived reads a long line in pieces, each of which is a line to it. */
  #piece(open: Open): PlacedText | undefined {
    const { file, next } = open
    if (next >= file.text.length) return undefined
    if (next >= open.end) {
      const newline = file.text.indexOf('\n', next)
      open.start = next
      open.end = newline < 0 ? file.text.length : newline
    }
    const { start, end, line } = open
    const at: Position = { file: file.name, line, column: next - start + 1 }
    const { read, written } = pieceOf(file.text, next, end)
    let text = file.text.slice(next, next + read)
    open.next = next + read
    if (open.next < end && next === start)
      this.#note(
        { ...at, column: at.column + read },
        `the line is longer than ${LINE_BYTES} bytes; keepalived takes what follows from here on for another line`,
      )
    // the newline itself no longer fits into a full piece
    if (open.next === end && written < LINE_BYTES) {
      open.next++
      open.end = open.next
      open.line++
    }
    const nul = text.indexOf('\0')
    if (nul >= 0) {
      const onError = this.#surroundings.onError ?? throwIt
      onError(
        new LvslabError('CONFIG_BINARY', 'this is not a text file: it has a NUL byte', {
          at: { ...at, column: at.column + nul },
          exitCode: 2,
          remedy: 'Save it as plain text, in UTF-8 without NUL bytes.',
        }),
      )
      text = text.slice(0, nul)
    }
    return PlacedText.typed(text.endsWith('\r') ? text.replace(/\r+$/, '') : text, at)
  }

  /** Conditions, definitions, sequences and parameters, until there is none left; empty where nothing is. */
  #obey(typed: PlacedText): PlacedText | Definition {
    let line = typed
    for (;;) {
      if (line.text.startsWith('@')) {
        const rest = this.#conditional(line)
        if (!rest) return line.slice(line.length)
        line = rest
      }
      const definition = this.#parameters.define(line)
      if (definition) return definition.multiline ? definition : line.slice(line.length)
      if (line.text[0] === '~' && /^~(?:SEQ|LST)/.test(line.text)) {
        this.#startSequence(line)
        return line.slice(line.length)
      }
      if (line.text.startsWith('~')) return line
      // else what is left of a line would be searched once for each of its braces
      if (this.#settled === this.#parameters.version) return line
      const replaced = this.#parameters.replace(line, rest => this.#startRest(rest))
      if (replaced === line) {
        this.#settled = this.#parameters.version
        return line
      }
      line = withoutComment(replaced)
      if (!line.text.startsWith('@') && !line.text.includes('$')) return line
    }
  }

  /** `@NAME rest` where the name is the node's, `@^NAME rest` where it is not. */
  #conditional(line: PlacedText): PlacedText | undefined {
    const [all, not, name] = /^@(\^?)([^ \t]*)[ \t]+/.exec(line.text) ?? []
    if (all === undefined) return undefined
    return (name === this.#surroundings.instance) === (not === '') ? line.slice(all.length) : undefined
  }

  #startSequence(line: PlacedText): void {
    let several = false
    const sequence = readSequence(line, (numbers, mostBytes) => {
      const replaced = this.#parameters.replace(numbers, rest => (several ||= rest !== undefined), mostBytes)
      return several ? undefined : replaced
    })
    if (sequence) this.#sequences.push(sequence)
    else this.#note(line.place(0).at, `this ${line.text.slice(0, 4)} is not understood; keepalived ignores the line`)
  }

  #startRest(rest: Rest | undefined): void {
    if (!rest) return
    if (this.#rest) this.#outer.push({ rest: this.#rest, depth: this.#depth })
    this.#depth = this.#sequences.length
    this.#rest = rest
  }

  /** `include PATTERN`: the rest of the line, blanks and all, is the pattern. */
  #includes(line: PlacedText): boolean {
    const { include } = this.#surroundings
    const [all, kind] = INCLUDE.exec(line.text) ?? []
    if (!include || all === undefined || kind === undefined) return false
    const pattern = line.slice(all.length)
    if (!this.#straight)
      this.#note(
        pattern.place(0).at,
        'keepalived reads what this line includes twice, as it does not begin with include',
      )
    const open = this.#open.map(one => one.file.name)
    this.#openFirst(include(pattern, kind, open)[Symbol.iterator]())
    return true
  }

  /** The line up to its first brace outside of quotes, or that brace; what follows comes next. */
  #upToBrace(line: PlacedText): PlacedText {
    const { text } = line
    let brace = 0
    if (!isBrace(text[0])) {
      while (brace < text.length && !isBrace(text[brace])) {
        const next = text[brace] === '"' ? text.indexOf('"', brace + 1) : brace
        if (next < 0) brace = text.length
        else brace = next + 1
      }
    }
    if (brace >= text.length) return line.trim()
    const [, unknown] = /^\{([A-Za-z_]\w*)\}/.exec(text.slice(brace)) ?? []
    if (text[brace - 1] === '$' && unknown !== undefined)
      this.#note(
        line.place(brace - 1).at,
        `there is no parameter ${unknown} that could stand here; keepalived takes its braces for a block`,
      )
    const end = brace === 0 ? skipBlanks(text, 1) : brace
    if (end < text.length) this.#residue = line.slice(end)
    return brace === 0 ? line.slice(0, 1) : line.slice(0, brace).trim()
  }

  #note(at: Position, message: string): void {
    this.#notices.push({ at, message })
  }
}

const isBrace = (char: string | undefined): boolean => char === '{' || char === '}'

/** Adds a line to a definition; undefined where it is the last. */
const addLine = (definition: Definition, line: PlacedText): Definition | undefined => {
  const more = line.text.endsWith('\\')
  const added = more ? line.slice(0, -1).trim() : line
  if (added.length > 0) definition.lines.push(added)
  if (!more && definition.lines.length === 0) definition.multiline = false
  return more ? definition : undefined
}

/**
 * Takes out a comment, the backslash before `#` or `!` outside of quotes, and the blanks around the rest (lib/parser.c
 * `decomment`). A backslash at the very end stays where it is, even one in a comment: it goes on with a definition.
 */
const withoutComment = (line: PlacedText): PlacedText => {
  const { text } = line
  if (!/[!#"\\]/.test(text)) return line.trim()
  const kept: PlacedText[] = []
  let from = 0
  let end = text.length
  let quoted = false
  let continues = false
  for (let i = 0; i < text.length; i++) {
    const char = text[i]
    if (char === '"' && end === text.length) quoted = !quoted
    else if (char === '\\') {
      const next = text[i + 1]
      if (next === undefined) continues = true
      else if (!quoted && end === text.length && (next === '#' || next === '!')) {
        kept.push(line.slice(from, i))
        from = i + 1
      }
      i++
    } else if ((char === '#' || char === '!') && !quoted && end === text.length) end = i
  }
  const last = continues ? text.length - 1 : text.length
  kept.push(line.slice(from, Math.min(end, last)))
  const rest = (kept[0] as PlacedText).concat(...kept.slice(1)).trim()
  return continues ? rest.concat(line.slice(last)) : rest
}
