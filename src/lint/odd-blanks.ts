import { LvslabError } from '../errors.ts'

/** Looks like a blank, or like nothing, and is a letter to keepalived: no-break, typographic, ideographic, zero-width. */
const ODD = /[\u00a0\u1680\u2000-\u200d\u202f\u205f\u2060\u3000\ufeff]/

/** What stands before a comment, strings left out. */
const code = (line: string): string => /^(?:[^"#!]+|"[^"]*")*/.exec(line)?.[0].replaceAll(/"[^"]*"/g, '') ?? ''

/**
 * The text with a blank in place of each character that only looks like one, so that the rest can be judged.
 *
 * @param report gets one error for the file, at the first of them
 */
export const withoutOddBlanks = (text: string, file: string, report: (error: LvslabError) => void): string => {
  if (!ODD.test(text)) return text
  // a byte order mark is told by itself
  const lines = text
    .replace(/^\ufeff/, ' ')
    .split('\n')
    .flatMap((line, index) => (ODD.test(code(line)) ? [{ line, index }] : []))
  const [first] = lines
  if (first) {
    const column = first.line.search(ODD)
    const point = first.line.codePointAt(column)?.toString(16).toUpperCase().padStart(4, '0')
    const many = lines.length === 1 ? '' : `, and ${lines.length - 1} other lines have such`
    report(
      new LvslabError('LINT_BLANK', `U+${point} looks like a blank and is none to keepalived${many}`, {
        at: { file, line: first.index + 1, column: column + 1 },
        exitCode: 2,
      }),
    )
  }
  return text.replaceAll(new RegExp(ODD, 'g'), ' ')
}
