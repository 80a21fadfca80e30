import { keyword, type Statement } from '../../config/keepalived/parse.ts'
import { nearest } from '../../topology/did-you-mean.ts'
import { type Block, COMMANDS, homesOf, opens, REMOVED, ROOT, wordsOf } from '../keywords.ts'
import type { Director, Found, LintInput, Rule } from '../rule.ts'
import { valueOf } from '../statements.ts'

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

const UNKNOWN =
  "A line that keepalived's parser does not know is logged and left out (lib/parser.c process_stream). The block of an unknown " +
  'word is not skipped: its lines are read as if they stood in the block around it, and its } ends that block.'

/** Of words and blocks that keepalived does not know where they stand. */
export const wordRules: Rule[] = [
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
