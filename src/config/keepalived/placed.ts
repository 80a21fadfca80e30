import type { Position } from '../../errors.ts'

/** Where a character of the configuration comes from. */
export interface Place {
  /** Where it is read: in the text itself, or where a parameter is used whose value it is part of. */
  at: Position
  /** Where a parameter's value is typed that it is part of. */
  definedAt?: Position
}

/** Characters that stand side by side in a file. */
interface Stretch extends Place {
  /** Index of the first of them. */
  start: number
}

const shifted = (at: Position, columns: number): Position =>
  columns === 0 ? at : { file: at.file, line: at.line, column: at.column + columns }

/** A line, or a part of one, every character of which knows where it was typed. */
export class PlacedText {
  readonly text: string
  readonly #stretches: readonly Stretch[]

  private constructor(text: string, stretches: readonly Stretch[]) {
    this.text = text
    this.#stretches = stretches
  }

  /** @param at of the first character */
  static typed(text: string, at: Position): PlacedText {
    return new PlacedText(text, [{ start: 0, at }])
  }

  /** Text that is written nowhere, such as a number of a sequence. */
  static made(text: string, place: Place): PlacedText {
    return PlacedText.typed(text, place.at).usedAt(place.at)
  }

  get length(): number {
    return this.text.length
  }

  /** Of the character at an index, or of the end. */
  place(index: number): Place {
    const { start, at, definedAt } = this.#stretchAt(index)
    // what is substituted stands in one place, however long it is
    return definedAt ? { at, definedAt: shifted(definedAt, index - start) } : { at: shifted(at, index - start) }
  }

  #stretchAt(index: number): Stretch {
    let [low, high] = [0, this.#stretches.length - 1]
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((this.#stretches[middle] as Stretch).start <= index) low = middle
      else high = middle - 1
    }
    return this.#stretches[low] as Stretch
  }

  slice(from: number, to = this.length): PlacedText {
    if (from === 0 && to >= this.length) return this
    const text = this.text.slice(from, to)
    if (this.#stretches.length === 1) return new PlacedText(text, [{ start: 0, ...this.place(from) }])
    const inside = this.#stretches.filter(one => one.start > from && one.start < to)
    return new PlacedText(text, [
      { start: 0, ...this.place(from) },
      ...inside.map(one => ({ ...one, start: one.start - from })),
    ])
  }

  concat(...others: PlacedText[]): PlacedText {
    const stretches = [...this.#stretches]
    let { text } = this
    for (const other of others) {
      for (const one of other.#stretches) stretches.push({ ...one, start: one.start + text.length })
      text += other.text
    }
    return new PlacedText(text, stretches)
  }

  /** The same text as the value of a parameter that is used elsewhere. */
  usedAt(use: Position): PlacedText {
    return new PlacedText(
      this.text,
      this.#stretches.map(({ start, at, definedAt }) => ({ start, at: use, definedAt: definedAt ?? at })),
    )
  }

  /** Without blanks and tabs around it. */
  trim(): PlacedText {
    let from = 0
    let to = this.length
    while (from < to && isBlank(this.text[from])) from++
    while (to > from && isBlank(this.text[to - 1])) to--
    return this.slice(from, to)
  }
}

/** C's isblank(3). */
export const isBlank = (char: string | undefined): boolean => char === ' ' || char === '\t'

/** The index of the first character from `index` on that is no blank. */
export const skipBlanks = (text: string, index: number): number => {
  let i = index
  while (isBlank(text[i])) i++
  return i
}
