import { nearest } from '../../topology/did-you-mean.ts'
import { keyword, type Statement } from '../../config/keepalived/parse.ts'
import { type Block, COMMANDS, homesOf, opens, REMOVED, ROOT, wordsOf } from '../keywords.ts'
import { type Director, EVERY_PROGRAM, type Found, type LintInput, type Rule } from '../rule.ts'
import { everyStatement, linesOfFiles, valueOf } from '../statements.ts'

type Code =
  | 'keyword-unknown'
  | 'keyword-joined'
  | 'keyword-misplaced'
  | 'keyword-removed'
  | 'block-missing'
  | 'block-unexpected'

type Misplaced = Found & { code: Code }

/** Words that are values: what follows a keyword without a blank may be one of them. */
const VALUES =
  /^(?:[=:].*|[\d./"-].*|[a-z]+\d+|MASTER|BACKUP|DR|NAT|TUN|TCP|UDP|PASS|AH|[a-z]?l?wlc|w?rr|lc|sh|dh|sed|nq)$/

/** `interfaceeth0`: a word of this block, and what looks like its value. A misspelling of another word is none. */
const joined = (word: string, known: string[]): { word: string; value: string } | undefined => {
  const candidates = known.filter(
    // a password may look like anything
    one => word.startsWith(one) && (VALUES.test(word.slice(one.length)) || (one === 'auth_pass' && word !== one)),
  )
  const longest = candidates.sort((a, b) => b.length - a.length)[0]
  if (longest === undefined) return undefined
  // `priority=100`, `priority: 100`
  return { word: longest, value: word.slice(longest.length).replace(/^[=:]/, '') }
}

/** `real_server 10.0.0.1 80` for a reader of the remedy; never what stands after `auth_pass`. */
const withValue = (word: string, value: string): string =>
  [word, ...(value === '' ? [] : [word === 'auth_pass' ? '***' : value])].join(' ')

const meant = (word: string, known: string[]): string | undefined => {
  const best = nearest(
    word,
    known.map(one => one.toLowerCase()),
  )
  return known.find(one => one.toLowerCase() === best)
}

const where = (path: string[]): string => (path.length === 0 ? 'outside of every block' : `in ${path.join(' > ')}`)

const ends = (statement: Statement, path: string[]): string =>
  statement.block && path.length > 0 ? `, and takes the } of its block for the end of ${path.at(-1)}` : ''

/** Judges one statement that its block does not know; says which block its own lines are judged by. */
const unknown = (
  statement: Statement,
  of: Block,
  path: string[],
): { found: Misplaced; inner: Block | undefined; name: string } => {
  const word = keyword(statement)
  const result = (code: Code, name: string, message: string, remedy: string, inner?: Block) => ({
    found: { code, at: statement.at, message, remedy },
    inner,
    name,
  })
  const lost = `keepalived ignores ${statement.block ? 'it' : 'the line'}${ends(statement, path)}`

  const split = joined(word, wordsOf(of))
  if (split) {
    const rest = [withValue(split.word, split.value), ...statement.words.slice(1).map(one => one.text)].join(' ')
    const shown = split.word === 'auth_pass' ? 'auth_pass***' : word
    return result(
      'keyword-joined',
      split.word,
      `there is no blank after ${split.word} in ${shown}; ${lost}`,
      `write: ${split.word === 'auth_pass' ? 'auth_pass ***' : rest}`,
      opens(of, split.word),
    )
  }
  const removed = Object.hasOwn(REMOVED, word) ? REMOVED[word] : undefined
  if (removed !== undefined)
    return result('keyword-removed', word, `keepalived knows ${word} no more; ${lost}`, removed)

  const homes = homesOf(word)
  if (homes.length > 0) {
    const names = [...new Set(homes.map(home => home.path.at(-1) ?? 'the top level'))]
    const old = word === 'nb_get_retry' && wordsOf(of).includes('retry')
    const around = path.length > 1 && homes.some(home => home.path.join() === path.slice(0, -1).join())
    const belongs = around
      ? `it belongs in ${path.at(-2)}: is the } of ${path.at(-1)} missing before it?`
      : `it belongs in ${names.join(' or ')}`
    return result(
      'keyword-misplaced',
      word,
      `${word} stands ${where(path)}, where keepalived does not know it; ${lost}`,
      old ? 'write retry: nb_get_retry is known in HTTP_GET and SSL_GET alone' : belongs,
      homes.map(home => opens(home.block, word)).find(block => block !== undefined),
    )
  }
  const guess = meant(word, wordsOf(of))
  return result(
    'keyword-unknown',
    guess ?? word,
    `keepalived does not know ${guess === undefined && path.at(-1) === 'authentication' ? 'a word' : word} ${where(path)}; ${lost}`,
    guess === undefined ? otherwise(statement) : `did you mean ${guess}?`,
    guess === undefined ? undefined : opens(of, guess),
  )
}

/** `script"/bin/true"`: the quotes of a command line do not end the word before them. */
const isGlued = ({ words: [first, second] }: Statement): boolean =>
  second !== undefined &&
  COMMANDS.includes(first.text) &&
  second.at.line === first.at.line &&
  second.at.column === first.at.column + first.text.length

/** What was meant by a word that is like none. */
const otherwise = ({ words: [{ text }, sign, value] }: Statement): string => {
  if (/^(?:\/[/*]|--|;|REM$)/.test(text)) return 'a comment begins with # or !'
  if (/^\$\w+$/.test(text) && sign?.text === '=') return `write it without blanks: ${text}=${value?.text ?? ''}`
  return 'take the line out, or write the word that was meant'
}

/** keepalived's own blocks are five deep; words that were guessed could go on for ever. */
const DEEPEST = 20

const walk = (statements: Statement[], of: Block, path: string[], found: Misplaced[]): void => {
  if (path.length > DEEPEST) return
  for (const statement of statements) {
    const word = keyword(statement)
    const known = wordsOf(of).includes(word)
    if (!known && word === 'include') continue
    if (!known) {
      const { found: one, inner, name } = unknown(statement, of, path)
      found.push(one)
      if (inner) walk(statement.block ?? [], inner, [...path, name], found)
      continue
    }
    if (isGlued(statement))
      found.push({
        code: 'keyword-joined',
        at: statement.at,
        message: `there is no blank after ${word}; keepalived takes the quoted text for a part of the word`,
        remedy: `put a blank after ${word}`,
      })
    const inner = opens(of, word)
    const takesBlock = inner !== undefined || of.lists.includes(word)
    if (takesBlock && !statement.block)
      found.push({
        code: 'block-missing',
        at: statement.at,
        message: `${word} has no block; keepalived takes the lines after it for its own`,
        remedy: `write: ${word} ${valueOf(statement)} {`.replace('  ', ' '),
      })
    if (!takesBlock && statement.block)
      found.push({
        code: 'block-unexpected',
        at: statement.at,
        message: `${word} takes no block; keepalived ignores the {${ends(statement, path)}`,
        remedy: `write what belongs to ${word} on its line, and take { and } out`,
      })
    if (inner) walk(statement.block ?? [], inner, [...path, word], found)
  }
}

const walked = new WeakMap<Director, Misplaced[]>()
const misplacedIn = (director: Director): Misplaced[] => {
  const known = walked.get(director)
  if (known) return known
  const found: Misplaced[] = []
  walk(director.statements, ROOT, [], found)
  walked.set(director, found)
  return found
}

const of =
  (code: Code) =>
  ({ directors }: LintInput): Found[] =>
    directors.flatMap(misplacedIn).filter(found => found.code === code)

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

/** Of a line, without its comment, where a quote of a command begins that is not closed (lib/parser.c alloc_strvec_quoted_escaped). */
const openQuote = (line: string): number => {
  const code = /^(?:[^"#!]+|"[^"]*"|"[^"]*$)*/.exec(line)?.[0] ?? ''
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

const commandQuotes = ({ directors }: LintInput): Found[] =>
  directors.flatMap(({ statements, errors }) => {
    const lineAt = linesOfFiles()
    return everyStatement(statements)
      .filter(({ words: [word] }) => COMMANDS.includes(word.text) && word.definedAt === undefined)
      .flatMap(({ at }) => {
        const index = openQuote(lineAt(at))
        const isSaid = errors.some(
          one => one.code === 'CONFIG_QUOTE' && one.at?.line === at.line && one.at.file === at.file,
        )
        return index < 0 || isSaid ? [] : [{ at: { ...at, column: index + 1 }, message: 'This quote is never closed' }]
      })
  })

const UNKNOWN =
  "A line that keepalived's parser does not know is logged and left out (lib/parser.c process_stream). The block of an unknown " +
  'word is not skipped: its lines are read as if they stood in the block around it, and its } ends that block.'

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
    why: 'A quoted string ends on its own line; keepalived drops the word that was begun (lib/parser.c alloc_strvec_r).',
    remedy: 'Close it with " on the same line.',
    example: 'notify_master "/etc/keepalived/notify.sh master\n',
    errors: ['CONFIG_QUOTE'],
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
  {
    code: 'keyword-joined',
    severity: 'error',
    rejected: true,
    title: 'The blank after a keyword is missing',
    why: UNKNOWN,
    remedy: 'Put a blank between the keyword and its value.',
    example: 'vrrp_instance VI_1 {\n  interfaceeth0\n}\n',
    check: of('keyword-joined'),
  },
  {
    code: 'keyword-removed',
    severity: 'error',
    rejected: true,
    title: 'A keyword of old versions',
    why: UNKNOWN,
    remedy: 'Take the line out.',
    example: 'virtual_server 10.0.0.100 80 {\n  nat_mask 255.255.255.0\n}\n',
    check: of('keyword-removed'),
  },
  {
    code: 'keyword-misplaced',
    severity: 'error',
    rejected: true,
    title: 'A keyword or a block stands outside of the block that it belongs to',
    why: UNKNOWN,
    remedy: 'Move it into the block that knows it.',
    example: 'real_server 10.0.0.10 80 {\n  weight 1\n}\n',
    check: of('keyword-misplaced'),
  },
  {
    code: 'keyword-unknown',
    severity: 'error',
    rejected: true,
    title: 'A word that keepalived does not know',
    why: UNKNOWN,
    remedy: 'Correct the word, or take the line out.',
    example: 'vrrp_instance VI_1 {\n  priorty 100\n}\n',
    check: of('keyword-unknown'),
  },
  {
    code: 'block-missing',
    severity: 'error',
    rejected: true,
    title: 'A block has no {',
    why: 'keepalived misses the { and reads the lines after it as those of the block (lib/parser.c process_stream).',
    remedy: 'Open the block with { and close it with }.',
    example: 'vrrp_instance VI_1\n',
    check: of('block-missing'),
  },
  {
    code: 'block-unexpected',
    severity: 'error',
    rejected: true,
    title: 'A { after a keyword that takes no block',
    why: 'keepalived ignores the { and takes its } for the end of the block around it (lib/parser.c process_stream).',
    remedy: 'Take { and } out.',
    example: 'vrrp_instance VI_1 {\n  interface eth0 {\n  }\n}\n',
    check: of('block-unexpected'),
  },
]
