import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { LvslabError } from '../../errors.ts'
import type { Notice } from '../../model/types.ts'
import { parse, type Statement } from './parse.ts'
import { tokenize } from './tokenize.ts'

type Shape = string | [string, Shape[]]

/** A statement as its words, and its block where it has one. */
const shape = (statement: Statement): Shape => {
  const words = statement.words.map(word => word.text).join('|')
  return statement.block ? [words, statement.block.map(shape)] : words
}
const read = (text: string): Shape[] => parse(tokenize(text, 'k.conf')).map(shape)
const failure = (text: string): LvslabError => {
  try {
    read(text)
  } catch (error) {
    return error as LvslabError
  }
  throw new Error('it was read without an error')
}

describe('the shape of a configuration', () => {
  it('takes a block on the keyword line, on the next line, and on one line', () => {
    const tree = [['a|1', ['b|2', ['c', ['d']]]]]
    expect(read('a 1 {\n b 2\n c {\n d\n }\n}\n')).toEqual(tree)
    expect(read('a 1\n{\n b 2\n c\n\n{ d }\n}')).toEqual(tree)
    expect(read('a 1{b 2\nc{d}}')).toEqual(tree)
  })

  it('separates statements by lines and braces only', () => {
    expect(read('vips { 10.0.0.1 10.0.0.2 }')).toEqual([['vips', ['10.0.0.1|10.0.0.2']]])
    expect(read('a { } b { }')).toEqual([
      ['a', []],
      ['b', []],
    ])
  })

  it('ends a line at # and ! wherever they stand, but not in quotes', () => {
    expect(read('! all\na b#c d\n# {\ne "f # ! {g}" h ! }')).toEqual(['a|b', 'e|f # ! {g}|h'])
  })

  it('ends a line at # behind a backslash too, which is lost where keepalived copies the configuration', () => {
    expect(read('i \\#j k\nl m\\!n\no "p\\#q"')).toEqual(['i', 'l|m', 'o|p\\#q'])
  })

  it('keeps a quoted string as one word, an empty one too', () => {
    expect(read('a "b c" "" d"e f"')).toEqual(['a|b c||d|e f'])
  })

  it('takes the quotes of a command as a shell does, and leaves its backslashes', () => {
    expect(read(String.raw`script '/bin/a b' c`)).toEqual(['script|/bin/a b|c'])
    expect(read(String.raw`notify "/bin/a \"b c\"" d`)).toEqual([String.raw`notify|/bin/a \"b c\"|d`])
    expect(read('misc_path /bin/a"b c"')).toEqual(['misc_path|/bin/ab c'])
  })

  it('leaves out a command with a quote inside that is not closed', () => {
    const notices: Notice[] = []
    const text = (line: string) =>
      tokenize(line, 'k.conf', {}, notices).map(token => ('text' in token ? token.text : ''))
    expect(text(String.raw`script "/bin/a don\'t"`)).toEqual(['script', String.raw`/bin/a don\'t`, ''])
    expect(notices).toEqual([])
    expect(text(`script "/bin/a don't"`)).toEqual(['script', ''])
    expect(notices).toMatchObject([{ at: { column: 8 } }])
  })

  it('reads lines that end as on Windows', () => {
    expect(read('a 1\r\nb {\r\nc\r\n}\r\n')).toEqual(['a|1', ['b', ['c']]])
  })

  it('knows where every word stands', () => {
    const [first] = parse(tokenize('\n  a "b" {\n\tc\n}', 'k.conf'))
    expect(first?.words.map(word => word.at)).toEqual([
      { file: 'k.conf', line: 2, column: 3 },
      { file: 'k.conf', line: 2, column: 5 },
    ])
    expect(first?.block?.[0]?.at).toEqual({ file: 'k.conf', line: 3, column: 2 })
  })

  it('gives back any words that were written, each in its place', () => {
    const word = fc.stringMatching(/^[a-z0-9._/:-]{1,8}$/)
    fc.assert(
      fc.property(fc.array(fc.array(word, { minLength: 1, maxLength: 4 }), { maxLength: 5 }), lines => {
        const text = lines.map(words => words.join(' \t')).join('\n')
        expect(read(text)).toEqual(lines.map(words => words.join('|')))
        expect(read(`x {\n${text}\n}`)).toEqual([['x', lines.map(words => words.join('|'))]])
      }),
    )
  })

  it('ends on any text, with a tree or with an error of its own', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'a{}"#!\\\n $~@=\0'.split('')), maxLength: 40 }), text => {
        try {
          read(text)
        } catch (error) {
          expect((error as LvslabError).code).toMatch(/^CONFIG_/)
        }
      }),
    )
  })

  it('reads a line of a megabyte, in the pieces that keepalived reads', () => {
    expect(read(`a ${'b'.repeat(2 ** 20)} c`)).toHaveLength(1026)
    expect(read('fifteen-letters '.repeat(2 ** 16))).toHaveLength(1025)
  })
})

describe('what cannot be read', () => {
  it.each([
    ['a {\n b {\n}', 'CONFIG_UNBALANCED', 1, 3],
    ['a {\n}\n }', 'CONFIG_UNBALANCED', 3, 2],
    ['{ a }', 'CONFIG_UNBALANCED', 1, 1],
    ['a { } {', 'CONFIG_UNBALANCED', 1, 7],
    ['a "b\nc"', 'CONFIG_QUOTE', 1, 3],
    ['a\0b', 'CONFIG_BINARY', 1, 2],
    ['a $_RANDOM', 'CONFIG_UNSUPPORTED', 1, 3],
    ['a ${_RANDOM 1 6}', 'CONFIG_UNSUPPORTED', 1, 3],
    // the brace belongs to the condition
    ['a { @main b }', 'CONFIG_UNBALANCED', 1, 3],
  ])('refuses %j with %s', (text, code, line, column) => {
    const error = failure(text)
    expect(error).toMatchObject({ code, exitCode: 2, at: { file: 'k.conf', line, column } })
  })

  it('leaves a $ alone that keepalived leaves alone', () => {
    expect(read('auth_pass pa$$w0rd$\nmail a@b')).toEqual(['auth_pass|pa$$w0rd$', 'mail|a@b'])
  })
})
