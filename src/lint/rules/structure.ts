import { readFileSync } from 'node:fs'
import { COMMANDS } from '../keywords.ts'
import { EVERY_PROGRAM, type Found, type LintInput, type Rule } from '../rule.ts'
import { everyStatement, linesOfFiles } from '../statements.ts'

const empty = ({ directors }: LintInput): Found[] =>
  directors
    .filter(({ program, statements, errors, config }) =>
      program === 'keepalived'
        ? statements.length + errors.length === 0
        : config.services.length + config.notices.length + errors.length === 0,
    )
    .flatMap(({ program, config }) => config.files.slice(0, 1).map(file => ({ program, file })))
    .map(({ program, file }) => ({
      at: { file, line: 1, column: 1 },
      message: `there is no line in it that ${program} reads`,
    }))

/** A line up to its comment; a quote behind a backslash neither opens nor closes (lib/parser.c decomment). */
const CODE = /^(?:[^"#!\\]|\\.?|"(?:[^"\\]|\\.?)*(?:"|$))*/

/** Where a quote of a command begins that is not closed (lib/parser.c alloc_strvec_quoted_escaped). */
const openQuote = (code: string): number => {
  let quote = ''
  let at = -1
  for (let i = 0; i < code.length; i++) {
    const char = code[i] as string
    if (char === '\\') i++
    else if (char === quote) quote = ''
    else if (quote === '' && (char === '"' || char === "'")) [quote, at] = [char, i]
  }
  return quote === '' ? -1 : at
}

const judgeQuotes = (code: string): Pick<Found, 'message' | 'remedy'> & { index: number } => {
  const index = openQuote(code)
  if (index >= 0) return { index, message: 'This quote is never closed' }
  // of the processes, those that do not run the command pair all quotes of its line (lib/parser.c alloc_strvec_r)
  const isOdd = code.split('"').length % 2 === 0
  return {
    index: isOdd ? code.indexOf('\\"') : -1,
    message: 'The quotes of this line are odd in number; keepalived counts this one, backslash or not',
    remedy: String.raw`write \x22 for it`,
  }
}

const commandQuotes = ({ directors }: LintInput): Found[] =>
  directors.flatMap(({ statements, errors }) => {
    const lineAt = linesOfFiles()
    return everyStatement(statements)
      .filter(({ words: [word] }) => COMMANDS.includes(word.text) && word.definedAt === undefined)
      .flatMap(({ at }) => {
        const { index, ...found } = judgeQuotes(CODE.exec(lineAt(at))?.[0] ?? '')
        const isSaid = errors.some(
          one => one.code === 'CONFIG_QUOTE' && one.at?.line === at.line && one.at.file === at.file,
        )
        return index < 0 || isSaid ? [] : [{ at: { ...at, column: index + 1 }, ...found }]
      })
  })

/** Of several directors each host is known, and of a single one its partner's lines are not meant for it. */
const conditionUnmatched = ({ directors }: LintInput): Found[] => {
  const given = new Set(directors.map(director => director.instance))
  return [...new Set(directors.flatMap(director => director.config.files))].flatMap(file => {
    const rows = readFileSync(file, 'utf8').split('\n')
    const hosts = rows.map(row => /^\s*@([^\s^]\S*)[ \t]/.exec(row)?.[1])
    const known = new Set(hosts.filter(host => host !== undefined))
    const others = [...known].filter(host => !given.has(host))
    if (others.length === 0 || (given.size === 1 && others.length < known.size)) return []
    const index = hosts.findIndex(host => host === others[0])
    const at = { file, line: index + 1, column: (rows[index] as string).indexOf('@') + 1 }
    const names = others.map(host => `@${host}`).join(', ')
    return [{ at, message: `no director given (${[...given].join(', ')}) reads the lines of ${names}` }]
  })
}

/** Of files, their encoding and quotes, and of what is not read of them. */
export const structureRules: Rule[] = [
  {
    code: 'brace-unbalanced',
    severity: 'error',
    rejected: true,
    title: 'A brace has no partner',
    why: 'keepalived reads what follows as part of the wrong block (lib/parser.c process_stream); before 2.2.8 it could crash.',
    remedy: 'Give every { its own }.',
    example: 'vrrp_instance VI_1 {\n  interface eth0\n',
    errors: ['CONFIG_UNBALANCED'],
  },
  {
    code: 'quote-open',
    severity: 'error',
    rejected: true,
    title: 'A quote is not closed',
    why: 'A quoted string ends on its own line; keepalived drops the word that was begun, and a command with such a quote inside; a command whose quotes are odd in number, behind a backslash or not, fails its configuration test (lib/parser.c alloc_strvec_r, alloc_strvec_quoted_escaped).',
    remedy: 'Close it with " on the same line; inside of a command, write \\\' for an apostrophe.',
    example: 'notify_master "/etc/keepalived/notify.sh master\n',
    errors: ['CONFIG_QUOTE'],
    notice: /^a quote inside of this command/,
    check: commandQuotes,
  },
  {
    code: 'blank-odd',
    severity: 'error',
    rejected: true,
    title: 'A character that only looks like a blank',
    why: 'Pasted from a page, no-break and ideographic spaces are letters to keepalived (lib/parser.c WHITE_SPACE): the words around them are one word, which it does not know. The other findings are those of the text with blanks in their place.',
    remedy: "Replace them: sed -i 's/\\xc2\\xa0/ /g' does it for U+00A0.",
    errors: ['LINT_BLANK'],
  },
  {
    code: 'byte-order-mark',
    severity: 'error',
    rejected: true,
    title: 'The file begins with a byte order mark',
    why: 'Editors do not show it; keepalived takes it for a part of the first word, which it does not know then.',
    remedy: "Save the file without it: sed -i '1s/^\\xef\\xbb\\xbf//' does it.",
    notice: /byte order mark/,
  },
  {
    code: 'encoding',
    severity: 'error',
    rejected: true,
    title: 'The file is UTF-16',
    why: 'keepalived understands no word of it.',
    remedy: 'Save it as UTF-8 without a byte order mark.',
    errors: ['CONFIG_ENCODING'],
  },
  {
    code: 'not-text',
    severity: 'error',
    rejected: false,
    title: 'The file is not a text file',
    why: 'A NUL byte ends the line that it stands in, for keepalived, and what follows on it is lost without a word.',
    remedy: 'Write the configuration as plain text.',
    errors: ['CONFIG_BINARY'],
  },
  {
    code: 'line-long',
    severity: 'error',
    rejected: false,
    title: 'A line of more than 1023 bytes',
    why: 'keepalived reads 1023 bytes at a time, and takes each piece for a line of its own: the rest of a comment is none any more (lib/parser.c read_line). What is wrong with the rest is not told.',
    remedy: 'Break the line.',
    notice: /^the line is longer than \d+ bytes/,
  },
  {
    code: 'config-empty',
    severity: 'warning',
    rejected: false,
    programs: EVERY_PROGRAM,
    title: 'A configuration with nothing in it',
    why: 'keepalived and ldirectord start, and do nothing; a table that is restored from it stays as it is.',
    remedy:
      'Write vrrp_instance and virtual_server blocks, or services and their servers, or name the file that has them.',
    check: empty,
  },
  {
    code: 'include-outside',
    severity: 'error',
    rejected: false,
    title: 'An include leads out of the given folder',
    why: 'Only files below the given folder are read, so what it includes was not judged.',
    remedy: 'Give the folder that holds everything, with each file at the path that it has on the node.',
    errors: ['CONFIG_INCLUDE_OUTSIDE'],
  },
  {
    code: 'include-loop',
    severity: 'error',
    rejected: true,
    title: 'A file includes itself',
    why: 'keepalived would read it again and again.',
    remedy: 'Break the circle.',
    errors: ['CONFIG_INCLUDE_LOOP'],
  },
  {
    code: 'include-nothing',
    severity: 'warning',
    rejected: false,
    title: 'An include matches no file',
    why: 'keepalived goes on without it (lib/parser.c open_glob_file), and nothing of what it should read holds.',
    remedy: 'Correct the path, or take the line out.',
    notice: /^include .* matches no file/,
  },
  {
    code: 'include-conditional',
    severity: 'warning',
    rejected: false,
    title: 'An include behind a condition or a parameter',
    why: "keepalived's processes read a copy of the configuration, into which such a line comes beside what it includes (lib/parser.c read_line).",
    remedy: 'Begin the line with include.',
    notice: /reads what this line includes twice/,
  },
  {
    code: 'condition-unmatched',
    severity: 'info',
    rejected: false,
    title: 'Lines of hosts that no director given is',
    why: 'keepalived reads a line @NAME on the host of that name, or with -i NAME, alone (lib/parser.c read_line); a director is called like its folder, or its file.',
    remedy:
      'Give each director a folder that is called like its host: lint a folder with lb1/keepalived.conf for @lb1.',
    example: 'vrrp_instance VI_1 {\n  @lb1 priority 150\n}\n',
    check: conditionUnmatched,
  },
  {
    code: 'file-executable',
    severity: 'error',
    rejected: false,
    title: 'A configuration file has an execute bit',
    why: 'keepalived reads regular files without any execute bit only (lib/parser.c check_glob_file); its configuration test passes, and nothing of the file holds.',
    remedy: 'chmod a-x the file.',
    notice: /has an execute bit/,
  },
  {
    code: 'reading-ended',
    severity: 'error',
    rejected: false,
    title: 'A configuration that lvslab does not read to its end',
    why: 'Parameters, a ~SEQ or includes make more of it than anybody means, and keepalived, which has no limit, may never come to an end; or $_RANDOM makes another one of it at every start. Nothing of it was judged.',
    remedy: 'Write what is meant into a copy of the configuration, and lint that.',
    errors: ['CONFIG_EXPANSION', 'CONFIG_TOO_LARGE', 'CONFIG_UNSUPPORTED'],
  },
  {
    code: 'unread',
    severity: 'warning',
    rejected: false,
    title: 'What lvslab does not read',
    why: 'It is not supported, or would be too much: what stands behind it was not judged.',
    remedy: 'Write what it stands for into a copy of the configuration, and lint that.',
  },
]
