import { LvslabError, type Position } from '../../errors.ts'
import type { Notice } from '../../model/types.ts'
import { LineReader, type SourceFile, type Surroundings } from './lines.ts'
import { type OnError, throwIt } from './on-error.ts'
import type { PlacedText } from './placed.ts'

/** One word of the configuration; the quotes around it are gone. */
export interface Word {
  text: string
  /** Where it stands; where a parameter is used, for a word of its value. */
  at: Position
  /** Where it is typed, for a word of a parameter's value. */
  definedAt?: Position
}

export type Token = ({ kind: 'word' } & Word) | { kind: '{' | '}' | 'line-end'; at: Position }

/**
 * Cuts the text of one file into words, braces and line ends, as keepalived's lib/parser.c does (`decomment`, `read_line`,
 * `alloc_strvec_r`): `#` or `!` outside quotes starts a comment wherever it stands, even inside a word; a brace outside
 * quotes stands for itself even without blanks around it; a quoted string is one word and ends on its own line; parameters,
 * sequences and conditions are obeyed. An `include` is a line like any other.
 *
 * @param file name that positions carry
 * @throws LvslabError CONFIG_BINARY, CONFIG_QUOTE, CONFIG_EXPANSION, CONFIG_UNSUPPORTED
 */
export const tokenize = (
  text: string,
  file: string,
  surroundings: Surroundings = {},
  notices: Notice[] = [],
): Token[] => [...tokensOf([{ name: file, text }], surroundings, notices)]

/** The tokens of files and of all that they include; see `tokenize`. */
export function* tokensOf(
  files: Iterable<SourceFile>,
  surroundings: Surroundings,
  notices: Notice[],
): Generator<Token, void, undefined> {
  const reader = new LineReader(files, surroundings, notices)
  for (let line = reader.next(); line; line = reader.next()) {
    const { text } = line
    if (text === '{' || text === '}') {
      yield { kind: text, at: line.place(0).at }
      continue
    }
    yield* wordsOf(line, surroundings.onError ?? throwIt, notices)
    yield { kind: 'line-end', at: line.place(line.length).at }
  }
}

const WHITE_SPACE = /[ \t\f\r\v]+/y
const PLAIN = /[^ \t\f\r\v"]+/y

/** Their lines are read once more, by the rules of `COMMAND_WORD`: a quote that is not closed is none of this reading's business. */
const QUOTED =
  /^(?:notify(?:_(?:backup|master|fault|stop|deleted|up|down|master_rx_lower_pri|fifo_script))?|script|quorum_(?:up|down)|misc_path|(?:startup|shutdown)_script|(?:vrrp|lvs)_notify_fifo_script)$/

/** Quotes of either kind, anywhere in it, and backslashes, which stay (lib/parser.c `alloc_strvec_quoted`). */
const COMMAND_WORD = /(?:[^ \t\f\r\v"'\\]|\\.|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')+/y
const UNQUOTED = /(\\.)|"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'/g

/** A command is cut into words once more, by the quotes that are left in it (lib/notify.c `set_script_params_array`). */
const COMMAND = /^(?:[^"'\\]|\\.|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')*$/

const wordsOf = (line: PlacedText, onError: OnError, notices: Notice[]): Token[] => {
  const { text } = line
  const words: ({ kind: 'word' } & Word)[] = []
  let i = 0
  for (;;) {
    WHITE_SPACE.lastIndex = i
    i += WHITE_SPACE.exec(text)?.[0].length ?? 0
    if (i >= text.length) return words
    const place = line.place(i)
    COMMAND_WORD.lastIndex = i
    let word = words[0] && QUOTED.test(words[0].text) ? COMMAND_WORD.exec(text)?.[0] : undefined
    if (word !== undefined) {
      i += word.length
      word = word.replace(UNQUOTED, '$1$2$3')
      if (words.length === 1 && !COMMAND.test(word)) {
        notices.push({
          at: place.at,
          message: 'a quote inside of this command is never closed; keepalived leaves it out',
        })
        return words
      }
    } else if (text[i] === '"') {
      const end = text.indexOf('"', i + 1)
      if (end < 0) {
        if (words.length <= 1 || !QUOTED.test(words[0]?.text ?? '')) onError(unclosed(place.at))
        return words
      }
      word = text.slice(i + 1, end)
      i = end + 1
    } else {
      PLAIN.lastIndex = i
      word = PLAIN.exec(text)?.[0] ?? ''
      i += word.length
    }
    words.push(place.definedAt ? { kind: 'word', text: word, ...place } : { kind: 'word', text: word, at: place.at })
  }
}

const unclosed = (at: Position): LvslabError =>
  new LvslabError('CONFIG_QUOTE', 'This quote is never closed; a quoted string ends on its own line', {
    at,
    exitCode: 2,
    remedy: 'Close it with " on the same line.',
  })
