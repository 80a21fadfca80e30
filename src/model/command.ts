/** A word of a command, with quotes of either kind anywhere in it, and backslashes. */
const TYPED = /(?:[^ \t\f\r\v"'\\]|\\.|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')+/g
const QUOTED = /(\\.)|"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'/g
const ESCAPED = /\\(?:x([\da-fA-F]{1,2})|c(.)|([0-7]{1,3})|(.))/g
const CONTROL: Record<string, string> = {
  a: '\u0007',
  b: '\b',
  E: '\u001b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
}

/** The words of a command as they are typed, quotes and backslashes among them. */
export const typedWords = (command: string): string[] => command.match(TYPED) ?? []

/**
 * The words that keepalived runs a command by; there is no shell. What stands behind a backslash is a character like any other, in quotes and
 * outside of them: `\"` quotes nothing (lib/parser.c `alloc_strvec_quoted_escaped`).
 */
export const commandWords = (command: string): string[] =>
  typedWords(command).map(word =>
    word.replace(QUOTED, '$1$2$3').replace(ESCAPED, (_, hex?: string, control?: string, octal?: string, other = '') => {
      if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16))
      if (control !== undefined) return String.fromCharCode(control.charCodeAt(0) & 0x1f)
      if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8))
      return CONTROL[other] ?? other
    }),
  )
