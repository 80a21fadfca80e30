import { isIP } from 'node:net'

/** What stands where a secret stood. */
export const MASK = '***'

/** Takes the secrets out of a text; applying it twice changes nothing more. */
export type Masker = (text: string) => string

/** keepalived keeps the first 8 bytes of `auth_pass` and forgets the rest. */
const KEPT_CHARACTERS = 8

/** A shorter secret stands in every sentence by chance: masking it would spell it out instead of hiding it. */
const SHORTEST_IN_FREE_TEXT = 3

/** Words that follow `auth_pass` in a sentence, where it is the keyword that is spoken of and not its value. */
const PROSE = String.raw`(?:differs?|mismatch(?:es)?|missing|truncated|between|to \d+ char\w*|is longer than|has no|takes no|stands (?:in|outside)|without what|in auth_pass)\b`

/** A value that was masked before, so that a second masking does not take what stands after it. */
const MASKED = String.raw`\*{3}(?:[\s,;:)}\]"']|$)`

const VALUE = String.raw`(?:"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?|[^\s]+)`

/**
 * The places that hold a secret whatever it is: `auth_pass x`, `auth_pass "x y"`, `"auth_pass": "x"`, and what
 * keepalived's data dump writes (`Password = x` in the text dump, to the end of the line since the dump does not quote
 * it).
 */
const KEYWORDS: [RegExp, string][] = [
  [
    new RegExp(
      String.raw`(\bauth_(?:pass|data)(?:["']?[ \t]*[:=][ \t]*|[ \t]+(?![:=])))(?!${PROSE}|${MASKED})${VALUE}`,
      'gi',
    ),
    `$1${MASK}`,
  ],
  [/(\b(?:authentication[ \t]+)?password[ \t]*=[ \t]*)\S[^\n]*/gi, `$1${MASK}`],
]

const escapeRegExp = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`)

/** A secret as a whole word; see `createMasker` for what that means. */
const wholeWord = (secret: string): string => {
  const word = String.raw`[\p{L}\p{N}_]`
  let before = new RegExp(`^${word}`, 'u').test(secret) ? `(?<!${word})` : ''
  let after = new RegExp(`${word}$`, 'u').test(secret) ? `(?!${word})` : ''
  // 1111 in 10.0.0.1:1111, 3.1111 or 00:16:3e:11:11:11 is a part of an address or a number
  if (/^[0-9a-f]+$/i.test(secret)) {
    before += '(?<![0-9a-fA-F.:][.:])'
    after += '(?![.:][0-9a-fA-F.:])'
  }
  return before + escapeRegExp(secret) + after
}

/**
 * Makes the masker of a run from the secrets of its configuration.
 *
 * Two rules. By keyword: whatever follows `auth_pass`, `auth_data` or `Password =` is masked, known or not. By value:
 * each given secret, and its first 8 characters (all that keepalived uses), wherever it stands as a whole word: not
 * inside a longer run of letters, digits and `_`, and for one of digits (or hex digits) not as a part of an address,
 * port or decimal.
 *
 * What it does not find: a secret in another coding (hex, base64, percent, split over two texts), one inside a longer
 * word, one of fewer than 3 characters away from its keyword, and, since JSON, XML and HTML escape characters, one
 * with quotes or `<` in text that was already formatted: mask first, format afterwards. A packet capture is not text
 * and is never masked. An innocent word that equals a secret is masked too: a secret `1111` also hides `1111` in
 * `after 1111 ms`.
 */
export const createMasker = (secrets: readonly string[]): Masker => {
  const values = new Set<string>()
  for (const secret of secrets) {
    for (const value of [secret, [...secret].slice(0, KEPT_CHARACTERS).join('')]) {
      const trimmed = value.trim()
      if (trimmed.length >= SHORTEST_IN_FREE_TEXT && !/^\*+$/.test(trimmed)) values.add(trimmed)
    }
  }
  const longestFirst = [...values].sort((a, b) => b.length - a.length)
  const byValue = longestFirst.length > 0 ? new RegExp(longestFirst.map(wholeWord).join('|'), 'gu') : undefined
  return text => {
    let masked = text
    for (const [pattern, replacement] of KEYWORDS) masked = masked.replace(pattern, replacement)
    return byValue ? masked.replace(byValue, MASK) : masked
  }
}

/**
 * Fields that hold a word of ours from a closed list, or join two records: a secret `request` must not break the type.
 */
const STRUCTURAL = new Set([
  'kind',
  'phase',
  'outcome',
  'change',
  'type',
  'state',
  'forwarding',
  'scheduler',
  'unit',
  'lab',
  'check',
  'rule',
  'expected',
  'forkOf',
  'fault',
])

const isAddress = (text: string): boolean =>
  isIP(text) !== 0 || isIP(text.replace(/[/:]\d+$/, '').replace(/^\[(.*)\]$/, '$1')) !== 0

/**
 * A copy of an event, a verdict or a whole report with every string in it masked. Numbers stay, and so do addresses
 * (with or without port or prefix) and the fields whose words are ours (`kind`, `outcome`...). Names of fields are not
 * masked.
 */
export const maskDeep = <T>(value: T, mask: Masker): T => {
  const walk = (part: unknown, key?: string): unknown => {
    if (typeof part === 'string') {
      return (key !== undefined && STRUCTURAL.has(key)) || isAddress(part) ? part : mask(part)
    }
    if (Array.isArray(part)) return part.map(item => walk(item, key))
    if (part !== null && typeof part === 'object') {
      return Object.fromEntries(Object.entries(part).map(([name, item]) => [name, walk(item, name)]))
    }
    return part
  }
  return walk(value) as T
}
