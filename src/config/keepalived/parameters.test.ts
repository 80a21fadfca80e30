import { describe, expect, it } from 'vitest'
import type { LvslabError } from '../../errors.ts'
import type { Notice } from '../../model/types.ts'
import { tokenize, type Word } from './tokenize.ts'

/** Lines of the configuration as `a|b c`; a brace has a line of its own. What is expected was read by keepalived 2.3.3. */
const lines = (text: string, instance = 'd1', notices: Notice[] = []): string[] => {
  const read: string[] = []
  let words: string[] = []
  for (const token of tokenize(text, 'k.conf', { instance, folderOf: () => '/etc/keepalived' }, notices)) {
    if (token.kind === 'word') words.push(token.text)
    else if (token.kind === 'line-end') {
      read.push(words.join('|'))
      words = []
    } else read.push(token.kind)
  }
  return read
}
const messages = (text: string): string[] => {
  const notices: Notice[] = []
  lines(text, 'd1', notices)
  return notices.map(({ at, message }) => `${at.line}:${at.column} ${message}`)
}
const failure = (text: string): LvslabError => {
  try {
    lines(text)
  } catch (error) {
    return error as LvslabError
  }
  throw new Error('it was read without an error')
}
const wordsOf = (text: string): Word[] =>
  tokenize(text, 'k.conf', {}).flatMap(token => (token.kind === 'word' ? [token] : []))

describe('parameters', () => {
  it('stand for their value, in words and quotes, with braces anywhere', () => {
    expect(lines('$A=foo\na $A b\nc ${A}bar/${A}\nd "x $A y"')).toEqual(['a|foo|b', 'c|foobar/foo', 'd|x foo y'])
  })

  it('are left as they are where keepalived sees no use of one', () => {
    expect(lines('$A=foo\n$A/24 $A. $B a$$A$ pa$$w0rd $ ${A }')).toEqual(['$A/24|$A.|$B|a$$A$|pa$$w0rd|$|foo', '}'])
  })

  it('take the definition that stands before the use, and keep blanks inside of the value', () => {
    expect(lines('$A=1\na $A\n$A=  2  3  # end\na $A\n$A=\na $A b')).toEqual(['a|1', 'a|2|3', 'a|b'])
  })

  it('may stand in definitions, and hold a whole line', () => {
    expect(lines('$B=$A$A\n$A=x\n$L=b ${B} ${A}\n$L\n$D=$E=5\n$D\ne $E')).toEqual(['b|$Ax|x', 'e|5'])
  })

  it('take several lines by a backslash at the end, and stand at the end of a line then', () => {
    const text = '$T=\\\n track {\\\n eth0 \\\n }\na ${T}\n$T\n$T more'
    expect(lines(text)).toEqual(['a|track', '{', 'eth0', '}', 'track', '{', 'eth0', '}', '$T|more'])
    expect(lines('$M=1 \\\n 2\n$N=a $M\\\n$M\\\nb\n$N')).toEqual(['a|1', '2', '1', '2', 'b'])
    expect(lines('$M=1\\\n\n2')).toEqual(['2'])
  })

  it('are known where keepalived defines them', () => {
    expect(lines('a $_PWD ${_INSTANCE}\nb "x${_BANG}y"\nc ${_HASH} d')).toEqual(['a|/etc/keepalived|d1', 'b|x!y', 'c'])
    expect(lines('$_INSTANCE=own\na $_INSTANCE')).toEqual(['a|own'])
  })

  it('say where they are used, and where that is typed', () => {
    const [, value] = wordsOf('$P=  100\n a ${P}')
    expect(value).toMatchObject({
      text: '100',
      at: { file: 'k.conf', line: 2, column: 4 },
      definedAt: { file: 'k.conf', line: 1, column: 6 },
    })
    const multi = wordsOf('$T=x \\\n  y 1\n$T\nz')
    expect(multi.map(word => [word.text, word.at.line, word.definedAt?.line, word.definedAt?.column])).toEqual([
      ['x', 3, 1, 4],
      ['y', 3, 2, 3],
      ['1', 3, 2, 5],
      ['z', 4, undefined, undefined],
    ])
  })

  it('are missed where nobody defined them', () => {
    expect(messages('$A=1\na ${B} ${A}')).toEqual([
      '2:3 there is no parameter B that could stand here; keepalived takes its braces for a block',
    ])
  })

  it('come to an end', () => {
    expect(failure('$A=x$A \n$A').code).toBe('CONFIG_EXPANSION')
    expect(failure('$A=$A\n$A').code).toBe('CONFIG_EXPANSION')
    const doubled = 'BCDEFGHIJKLMNOPQRSTUVWXYZ'.split('').map((name, n) => {
      const inner = String.fromCharCode('A'.charCodeAt(0) + n)
      return `$${name}=\${${inner}}\${${inner}}`
    })
    const error = failure(['$A=', ...doubled, 'a ${Z}'].join('\n'))
    expect(error).toMatchObject({ code: 'CONFIG_EXPANSION', exitCode: 2, at: { line: 27, column: 3 } })
    expect(failure(`$A=${'x'.repeat(600)}\na \${A}\${A}`).message).toContain('1023 bytes')
  })
})

describe('sequences', () => {
  it('read the rest of the line for each number', () => {
    expect(lines('~SEQ(I, 1, 3) s $I ${I}x')).toEqual(['s|1|1x', 's|2|2x', 's|3|3x'])
    expect(lines('~SEQ(I,2) a $I\n~SEQ(I,-2) b $I\n~SEQ(I,3,2) c $I')).toEqual([
      'a|1',
      'a|2',
      'b|-1',
      'b|-2',
      'c|3',
      'c|2',
    ])
    expect(lines('~SEQ(I, 1, 2, 5) a $I\n~SEQx(I, 9, 11) b $I')).toEqual(['a|1', 'a|3', 'a|5', 'b|9', 'b|a', 'b|b'])
    expect(lines('$E=0x3\n~SEQ(I, 02, $E) a 10.0.0.${I}')).toEqual(['a|10.0.0.2', 'a|10.0.0.3'])
  })

  it('stand within each other', () => {
    expect(lines('~SEQ(I,1,2) ~SEQ(J,1,2) a $I $J\nb')).toEqual(['a|1|1', 'a|1|2', 'a|2|1', 'a|2|2', 'b'])
    expect(lines('$M=x $I \\\n y\n~SEQ(I,1,2) $M')).toEqual(['x|1', 'y', 'x|2', 'y'])
  })

  it('read the rest of the line for each value of a list', () => {
    expect(lines('~LST(A, x, y) a $A')).toEqual(['a|x', 'a|y'])
    expect(lines('~LST({A, B}, {1, 2}, {3}) a $A-${B}.')).toEqual(['a|$A-2.', 'a|$A-.'])
    expect(lines('~LST({A, B}, {1, 2}, {3}) a ${A}-${B}.')).toEqual(['a|1-2.', 'a|3-.'])
  })

  it('are left out where keepalived does not understand them', () => {
    expect(messages('~SEQ(I, 1, 0, 5) a\n~SEQ(I 1\n~SEQx(I, -1, 2) a\n~LST(A b) c\n~SEQ(I, 1, x) d')).toEqual(
      [1, 2, 3, 4, 5].map(
        n => `${n}:1 this ~${n === 4 ? 'LST' : 'SEQ'} is not understood; keepalived ignores the line`,
      ),
    )
  })

  it('come to an end', () => {
    const error = failure('a\n~SEQ(I, 1, 1000000000) b $I')
    expect(error).toMatchObject({ code: 'CONFIG_EXPANSION', at: { line: 2, column: 1 } })
    expect(failure('~SEQ(I, 9) '.repeat(40).concat('x')).code).toBe('CONFIG_EXPANSION')
  })
})

describe('conditions', () => {
  const text = 'a {\n@d1 b 1\n@d2\tb 2\n@^d1 b 3\n@^d2 b 4\n@d1\n@ b\n}'
  it('take a line for the named instance alone, or for all others', () => {
    expect(lines(text, 'd1')).toEqual(['a', '{', 'b|1', 'b|4', '}'])
    expect(lines(text, 'd2')).toEqual(['a', '{', 'b|2', 'b|3', '}'])
  })

  it('go before definitions, sequences and the values of parameters', () => {
    expect(lines('@d1 $A=1\n@d2 $A=2\n@d2 ~SEQ(I,1,2) c\n$C=@d2 d\n$C\na $A')).toEqual(['a|1'])
  })
})
