import { LvslabError, type Position } from '../../errors.ts'
import { type OnError, throwIt } from './on-error.ts'

/** One word of the configuration; the quotes around it are gone. */
export interface Word {
  text: string
  at: Position
}

export type Token = { kind: 'word'; text: string; at: Position } | { kind: '{' | '}' | 'line-end'; at: Position }

const BLANK = /[ \t\f\r\v]/
/** Characters without a meaning of their own: taken in one go, so that a long line stays cheap. */
const PLAIN = /[^ \t\f\r\v"#!{}\\$]+/y

const unsupported = (what: string, at: Position): LvslabError =>
  new LvslabError('CONFIG_UNSUPPORTED', `${what} is not supported yet`, {
    at,
    exitCode: 2,
    remedy: 'Write the value out in a copy of the configuration, and point lvslab at that copy.',
  })

/**
 * Refuses what would change the meaning of the words around it: definitions, their use, sequences and conditionals.
 * A `$` that keepalived leaves as it stands (in a password, say) passes.
 */
const refuseSubstitution = (rest: string, at: Position, startsStatement: boolean): void => {
  if (startsStatement) {
    const definition = /^\$[A-Za-z_]\w*[ \t]*=/.exec(rest)
    if (definition) throw unsupported(`The parameter definition ${definition[0].replace(/[ \t]*=$/, '')}`, at)
    if (rest.startsWith('~SEQ')) throw unsupported('The sequence ~SEQ', at)
    if (rest.startsWith('@')) throw unsupported(`The conditional ${/^\S+/.exec(rest)?.[0]}`, at)
  }
  const use = /^\$(?:_[A-Z]\w*|\{[^}]*\}?)/.exec(rest)
  if (use) throw unsupported(`The parameter ${use[0]}`, at)
}

/**
 * Cuts the text of one file into words, braces and line ends, as keepalived's lib/parser.c does (`decomment`,
 * `read_line`, `alloc_strvec_r`): `#` or `!` outside quotes starts a comment wherever it stands, even inside a word,
 * and `\#` or `\!` is the character itself; a brace outside quotes stands for itself even without blanks around it; a
 * quoted string is one word and ends on its own line.
 *
 * @param file name that positions carry
 * @param onError where it does not throw, an open quote ends with its line
 * @throws LvslabError CONFIG_BINARY, CONFIG_QUOTE, CONFIG_UNSUPPORTED
 */
export const tokenize = (text: string, file: string, onError: OnError = throwIt): Token[] => {
  const tokens: Token[] = []
  text.split('\n').forEach((line, index) => tokenizeLine(line, index + 1, file, tokens, onError))
  return tokens
}

const tokenizeLine = (text: string, line: number, file: string, tokens: Token[], onError: OnError): void => {
  const at = (index: number): Position => ({ file, line, column: index + 1 })
  const nul = text.indexOf('\0')
  if (nul >= 0)
    throw new LvslabError('CONFIG_BINARY', `${file} is not a text file: it has a NUL byte`, {
      at: at(nul),
      exitCode: 2,
    })

  // The braces of `include /etc/{a,b}.conf` belong to the file name: keepalived looks for the word before it looks for
  // braces.
  let isInclude = false
  let startsStatement = true
  let i = 0
  while (i < text.length) {
    const char = text[i] as string
    if (BLANK.test(char)) {
      i++
      continue
    }
    if (char === '#' || char === '!') break
    if (!isInclude && (char === '{' || char === '}')) {
      tokens.push({ kind: char, at: at(i) })
      startsStatement = true
      i++
      continue
    }
    const start = i
    if (char === '"') {
      const end = text.indexOf('"', i + 1)
      if (end < 0) {
        onError(
          new LvslabError('CONFIG_QUOTE', 'This quote is never closed; a quoted string ends on its own line', {
            at: at(i),
            exitCode: 2,
            remedy: 'Close it with " on the same line.',
          }),
        )
        break
      }
      tokens.push({ kind: 'word', text: text.slice(i + 1, end), at: at(start) })
      i = end + 1
    } else {
      let word = ''
      refuseSubstitution(text.slice(i, i + 200), at(i), startsStatement)
      while (i < text.length) {
        PLAIN.lastIndex = i
        const plain = PLAIN.exec(text)?.[0]
        if (plain !== undefined) {
          word += plain
          i += plain.length
          continue
        }
        const c = text[i] as string
        if (BLANK.test(c) || c === '"' || c === '#' || c === '!' || (!isInclude && (c === '{' || c === '}'))) break
        if (c === '$' && i > start) refuseSubstitution(text.slice(i, i + 200), at(i), false)
        if (c === '\\' && (text[i + 1] === '#' || text[i + 1] === '!')) i++
        word += text[i]
        i++
      }
      tokens.push({ kind: 'word', text: word, at: at(start) })
      if (startsStatement && /^include[a-z]?$/.test(word)) isInclude = true
    }
    startsStatement = false
  }
  tokens.push({ kind: 'line-end', at: at(i) })
}
