import { type Place, PlacedText, skipBlanks } from './placed.ts'

/** A `~SEQ` or `~LST` line: its text is read once for each set of values. */
export interface Sequence {
  /** The variables with their next values, set before the text is read. */
  next: () => [name: string, value: PlacedText][]
  isOver: () => boolean
  text: PlacedText
  place: Place
}

/** Longest list of numbers that keepalived takes, bytes with the closing parenthesis (lib/parser.c `add_seq`). */
const NUMBERS_BYTES = 63

/**
 * Reads `~SEQ(VAR, START, STEP, END) text` and `~LST(VAR, VALUE, ...) text`, their short forms, and hexadecimal `~SEQx`
 * (lib/parser.c `add_seq`, `add_lst`).
 *
 * @param replace puts values in the place of the parameters among the numbers; undefined where one has several lines
 * @returns undefined where keepalived does not understand it, and drops the line
 */
export const readSequence = (
  line: PlacedText,
  replace: (numbers: PlacedText, mostBytes: number) => PlacedText | undefined,
): Sequence | undefined => (line.text.startsWith('~SEQ') ? readNumbers(line, replace) : readList(line))

const readNumbers = (
  line: PlacedText,
  replace: (numbers: PlacedText, mostBytes: number) => PlacedText | undefined,
): Sequence | undefined => {
  const { text } = line
  const hexadecimal = text[4] === 'x'
  let i = skipBlanks(text, hexadecimal ? 5 : 4)
  if (text[i] !== '(') return undefined
  const nameStart = skipBlanks(text, i + 1)
  i = nameStart
  while (i < text.length && !' \t,)'.includes(text[i] as string)) i++
  const name = text.slice(nameStart, i)
  i = skipBlanks(text, i)
  if (name === '' || i >= text.length || text[i] === ')') return undefined
  // whatever stands after the name is taken for the comma
  i = skipBlanks(text, i + 1)
  const close = text.indexOf(')', i)
  if (close < 0 || close + 1 - i > NUMBERS_BYTES) return undefined
  const numbers = replace(line.slice(i, close + 1), NUMBERS_BYTES)
  const range = numbers && readRange(numbers.text)
  if (!range || (hexadecimal && (range.start < 0n || range.end < 0n))) return undefined
  const { step, end } = range
  let value = range.start
  return {
    next: () => {
      const made = PlacedText.made(value.toString(hexadecimal ? 16 : 10), line.place(nameStart))
      value += step
      return [[name, made]]
    },
    isOver: () => (step > 0n ? value > end : value < end),
    text: line.slice(skipBlanks(text, close + 1)),
    place: line.place(0),
  }
}

/** strtol(3) with base 0, and the blanks behind it. Where there is no number it is 0. */
const NUMBER = /(?:[ \t\n\v\f\r]*([+-]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*))?[ \t]*/y

const readRange = (text: string): { start: bigint; step: bigint; end: bigint } | undefined => {
  const numbers: bigint[] = []
  let index = 0
  do {
    NUMBER.lastIndex = index
    const [all = '', sign, digits = '0'] = NUMBER.exec(text) ?? []
    const value = BigInt(/^0[0-7]+$/.test(digits) ? `0o${digits.slice(1)}` : digits)
    numbers.push(asLong(sign === '-' ? -value : value))
    index += all.length
  } while (numbers.length < 3 && text[index] === ',' && ++index)
  if (text[index] !== ')') return undefined
  const [one = 0n, two, three] = numbers
  if (two === undefined) return { start: one < 0n ? -1n : 1n, step: one < 1n ? -1n : 1n, end: one }
  if (three === undefined) return { start: one, step: one <= two ? 1n : -1n, end: two }
  const wrongWay = two === 0n || (one < three && two < 0n) || (one > three && two > 0n)
  return wrongWay ? undefined : { start: one, step: two, end: three }
}

const asLong = (value: bigint): bigint => {
  const [least, most] = [-(2n ** 63n), 2n ** 63n - 1n]
  return value < least ? least : value > most ? most : value
}

/** Words up to one of the closing characters, with commas between them. */
const readWords = (
  line: PlacedText,
  start: number,
  stop: RegExp,
  closing: string,
): { words: PlacedText[]; end: number } | undefined => {
  const { text } = line
  const words: PlacedText[] = []
  let i = start
  for (;;) {
    const from = i
    while (i < text.length && !stop.test(text[i] as string)) i++
    words.push(line.slice(from, i))
    i = skipBlanks(text, i)
    const char = text[i]
    if (char !== undefined && closing.includes(char)) return { words, end: i }
    if (char !== ',') return undefined
    i = skipBlanks(text, i + 1)
  }
}

/** `NAME` or `{NAME, NAME}`, then `VALUE` or `{VALUE, VALUE}` as often as there are sets. */
const readList = (line: PlacedText): Sequence | undefined => {
  const { text } = line
  let i = skipBlanks(text, 4)
  if (text[i] !== '(') return undefined
  i = skipBlanks(text, i + 1)
  const several = text[i] === '{'
  const names = readWords(line, several ? skipBlanks(text, i + 1) : i, /[ \t,}]/, several ? '}' : ',')
  if (!names) return undefined
  i = several ? skipBlanks(text, names.end + 1) : names.end
  if (text[i] !== ',') return undefined
  i = skipBlanks(text, i + 1)
  const sets: PlacedText[][] = []
  for (;;) {
    const braced = text[i] === '{'
    const values = readWords(line, braced ? skipBlanks(text, i + 1) : i, /[ \t,})]/, braced ? '}' : ',)')
    if (!values || values.words.length > names.words.length) return undefined
    sets.push(values.words)
    i = braced ? skipBlanks(text, values.end + 1) : values.end
    if (text[i] === ')') break
    if (text[i] !== ',') return undefined
    i = skipBlanks(text, i + 1)
  }
  let taken = 0
  return {
    next: () => {
      const values = sets[taken++] ?? []
      return names.words.map((name, n) => [name.text, values[n] ?? PlacedText.made('', line.place(0))])
    },
    isOver: () => taken >= sets.length,
    text: line.slice(skipBlanks(text, i + 1)),
    place: line.place(0),
  }
}
