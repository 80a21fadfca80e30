import { LvslabError, type Position } from '../../errors.ts'
import { type Budget, LINE_BYTES } from './limits.ts'
import { isBlank, PlacedText, skipBlanks } from './placed.ts'

/** A parameter, `$NAME=value`. */
export interface Definition {
  name: string
  /** Lines of its value; one, unless it is typed with a backslash at the end of each but the last. */
  lines: PlacedText[]
  multiline: boolean
}

/** What follows the first line of a multi-line value that is used. */
export interface Rest {
  lines: readonly PlacedText[]
  /** Index of the next line. */
  next: number
  use: Position
}

/** What keepalived knows without a definition (lib/parser.c `set_std_definitions`). */
export interface Predefined {
  /** `-i`, or the node's name up to the first dot: what `@NAME` lines are compared with, and `$_INSTANCE`. */
  instance: string
  /** `$_PWD`: the folder of the file that is being read, on the node. */
  folder: () => string
}

/** A use: `$NAME`, `${NAME}` or `${_RANDOM 1 6}`. */
interface Use {
  definition: Definition
  /** Index after it. */
  end: number
}

const NAME = /[A-Za-z_][A-Za-z0-9_]*/y
const nameAt = (text: string, index: number): string => {
  NAME.lastIndex = index
  return NAME.exec(text)?.[0] ?? ''
}

/**
 * The parameters of a configuration (lib/parser.c `check_definition`, `find_definition`, `replace_param`). A later definition
 * of a name takes the place of the earlier, and a use takes the definition that stands when the line is read.
 */
export class Parameters {
  readonly #definitions = new Map<string, Definition>()
  readonly #predefined: Predefined
  readonly #budget: Budget
  /** Counts the definitions. */
  version = 0

  constructor(predefined: Predefined, budget: Budget) {
    this.#predefined = predefined
    this.#budget = budget
  }

  /** Takes a line `$NAME=value`; undefined where it is none. */
  define(line: PlacedText): Definition | undefined {
    const name = line.text[0] === '$' ? nameAt(line.text, 1) : ''
    if (name === '' || line.text[name.length + 1] !== '=') return undefined
    const value = line.slice(skipBlanks(line.text, name.length + 2))
    const multiline = value.text.endsWith('\\')
    const first = multiline ? value.slice(0, -1).trim() : value
    const definition = { name, lines: first.length === 0 ? [] : [first], multiline }
    this.#definitions.set(name, definition)
    this.version++
    return definition
  }

  /** Sets the variable of a sequence. */
  set(name: string, value: PlacedText): void {
    this.#definitions.set(name, { name, lines: [value], multiline: false })
    this.version++
  }

  /**
   * Puts values in the place of the uses, from left to right, those within a value too.
   *
   * @param startRest told of each multi-line value what follows its first line
   * @returns the same object where nothing is replaced
   * @throws LvslabError CONFIG_EXPANSION, CONFIG_UNSUPPORTED
   */
  replace(line: PlacedText, startRest: (rest: Rest | undefined) => void, mostBytes = LINE_BYTES): PlacedText {
    const done: PlacedText[] = []
    let doneBytes = 0
    let rest = line
    const joined = (): PlacedText => (done.length === 0 ? rest : (done[0] as PlacedText).concat(...done.slice(1), rest))
    const keep = (length: number): void => {
      if (length === 0) return
      const part = rest.slice(0, length)
      done.push(part)
      doneBytes += Buffer.byteLength(part.text)
      rest = rest.slice(length)
    }
    let isReplaced = false
    let from = 0
    for (;;) {
      const start = rest.text.indexOf('$', from)
      if (start < 0) return isReplaced ? joined() : line
      const use = this.#useAt(rest, start)
      if (!use) {
        from = start + 1
        continue
      }
      isReplaced = true
      keep(start)
      from = 0
      const { at } = rest.place(0)
      const { lines, multiline } = use.definition
      const first = lines[0]?.usedAt(at) ?? PlacedText.made('', { at })
      this.#budget.replacement(at, first.length)
      if (multiline) startRest(lines.length > 1 ? { lines, next: 1, use: at } : undefined)
      rest = first.concat(rest.slice(use.end - start))
      if (doneBytes + Buffer.byteLength(rest.text) > mostBytes) throw tooLong(use.definition.name, at, mostBytes)
      // a sequence is made of its own line, parameters and all
      if (first.text[skipBlanks(first.text, 0)] === '~') return joined()
    }
  }

  #useAt(line: PlacedText, start: number): Use | undefined {
    const { text } = line
    const braced = text[start + 1] === '{'
    const nameStart = start + (braced ? 2 : 1)
    const name = nameAt(text, nameStart)
    if (name === '') return undefined
    let end = nameStart + name.length
    let given = false
    if (braced) {
      const close = /[ \d]*/y
      close.lastIndex = end
      const numbers = close.exec(text)?.[0] ?? ''
      given = /\d/.test(numbers)
      if (text[end + numbers.length] !== '}' || (given && numbers.endsWith(' '))) return undefined
      // with blanks alone after the name keepalived leaves as many characters of the use standing
      end += given ? numbers.length + 1 : 1
    } else if (!isEnd(text[end])) return undefined
    const own = this.#definitions.get(name)
    if (own && given) return undefined
    if (own?.multiline && nameStart + name.length + (braced ? 1 : 0) !== text.length) return undefined
    const definition = own ?? this.#standard(name, given, line.place(start).at)
    return definition && { definition, end }
  }

  #standard(name: string, given: boolean, at: Position): Definition | undefined {
    if (name === '_RANDOM')
      throw new LvslabError(
        'CONFIG_UNSUPPORTED',
        '$_RANDOM is another number at every start: nothing can be predicted',
        {
          at,
          exitCode: 2,
          remedy: 'Write a number in its place in a copy of the configuration, and point lvslab at that copy.',
        },
      )
    const value = given ? undefined : this.#standardValue(name)
    return value === undefined ? undefined : { name, lines: [PlacedText.typed(value, at)], multiline: false }
  }

  #standardValue(name: string): string | undefined {
    if (name === '_PWD') return this.#predefined.folder()
    if (name === '_INSTANCE') return this.#predefined.instance
    if (name === '_HASH') return '#'
    return name === '_BANG' ? '!' : undefined
  }
}

/** What may stand after `$NAME`; everywhere else keepalived leaves it as it is. */
const isEnd = (char: string | undefined): boolean => char === undefined || isBlank(char) || char === ',' || char === ')'

const tooLong = (name: string, at: Position, mostBytes: number): LvslabError =>
  new LvslabError(
    'CONFIG_EXPANSION',
    `With the value of $${name} this is longer than the ${mostBytes} bytes that keepalived takes`,
    {
      at,
      exitCode: 2,
      remedy: 'Split the value, or look for a parameter that uses itself.',
    },
  )
