/** A whole number from 0 to below `limit`. */
export type Random = (limit: number) => number

/** The same numbers for the same seed (mulberry32). */
export const randomOf = (seed: number): Random => {
  let state = seed >>> 0
  return limit => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit
  }
}

/** What people do to a configuration by mistake: changes one line, or its place. Undefined where it has nothing to change. */
type Mutation = (lines: string[], line: number, random: Random) => string[] | undefined

const replaced = (lines: string[], line: number, ...by: string[]): string[] => lines.toSpliced(line, 1, ...by)

/** Changes one word of the line. */
const inWord =
  (change: (word: string, random: Random) => string | undefined): Mutation =>
  (lines, line, random) => {
    const parts = (lines[line] ?? '').split(/(\s+)/)
    const words = parts.flatMap((part, index) => (/\w{2}/.test(part) ? [index] : []))
    const index = words[random(words.length || 1)]
    const word = index === undefined ? undefined : change(parts[index] ?? '', random)
    return index === undefined || word === undefined
      ? undefined
      : replaced(lines, line, parts.with(index, word).join(''))
  }

const NUMBERS = ['0', '-1', '1.5', '70000', '99999999999', 'ten', '1x']

export const MUTATIONS: Record<string, Mutation> = {
  'line lost': (lines, line) => replaced(lines, line),
  'line twice': (lines, line) => replaced(lines, line, lines[line] ?? '', lines[line] ?? ''),
  'line at the top': (lines, line) => [lines[line] ?? '', ...replaced(lines, line)],
  'line at the end': (lines, line) => [...replaced(lines, line), lines[line] ?? ''],
  'lines swapped': (lines, line) =>
    line === 0 ? undefined : lines.toSpliced(line - 1, 2, lines[line] ?? '', lines[line - 1] ?? ''),
  'letters swapped': inWord((word, random) => {
    const at = random(word.length - 1)
    return word.slice(0, at) + word[at + 1] + word[at] + word.slice(at + 2)
  }),
  'letter lost': inWord((word, random) => {
    const at = random(word.length)
    return word.slice(0, at) + word.slice(at + 1)
  }),
  'other case': inWord(word => (word === word.toUpperCase() ? word.toLowerCase() : word.toUpperCase())),
  'other number': inWord((word, random) => (/^\d+$/.test(word) ? NUMBERS[random(NUMBERS.length)] : undefined)),
  'blank lost': (lines, line) => {
    const joined = lines[line]?.replace(/(\S)\s+(\S)/, '$1$2')
    return joined === lines[line] ? undefined : replaced(lines, line, joined ?? '')
  },
  'value lost': (lines, line) => {
    const bare = /^\s*\w+(?=\s+[^{\s])/.exec(lines[line] ?? '')?.[0]
    return bare === undefined ? undefined : replaced(lines, line, bare)
  },
  'brace lost': (lines, line) =>
    /[{}]/.test(lines[line] ?? '') ? replaced(lines, line, (lines[line] ?? '').replace(/[{}]/, '')) : undefined,
  'brace too many': (lines, line, random) => replaced(lines, line, lines[line] ?? '', random(2) === 0 ? '}' : '{'),
  'quote begun': (lines, line) => {
    const begun = (lines[line] ?? '').replace(/(\s)([\w./]+)$/, '$1"$2')
    return begun === lines[line] ? undefined : replaced(lines, line, begun)
  },
}

/** A configuration with one mistake in it. */
export interface Mutant {
  /** What was done where: `letter lost, line 12`. */
  what: string
  text: string
}

/** Makes one mistake in a configuration, in a line that is no comment. */
export const mutate = (text: string, random: Random): Mutant => {
  const lines = text.split('\n')
  const names = Object.keys(MUTATIONS)
  const candidates = lines.flatMap((line, index) => (/^\s*(?:[#!]|$)/.test(line) ? [] : [index]))
  for (;;) {
    const [name, line] = [names[random(names.length)] ?? '', candidates[random(candidates.length)] ?? 0]
    const changed = MUTATIONS[name]?.(lines, line, random)?.join('\n')
    if (changed !== undefined && changed !== text) return { what: `${name}, line ${line + 1}`, text: changed }
  }
}
