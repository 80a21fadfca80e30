import type { CommandDef } from 'citty'
import { hint } from '../topology/did-you-mean.ts'
import { takesAnyNumber } from './define-verb.ts'
import { usage } from './usage.ts'

export type AnyCommand = CommandDef<never>

/** The parser takes any option and any number of words; a misspelled one must not be lost in silence. @throws LvslabError USAGE */
export const checkWords = (command: AnyCommand, words: string[], verb: string): void => {
  const args = (command.args ?? {}) as Record<string, { type?: string; required?: boolean }>
  const positionals = Object.keys(args).filter(name => args[name]?.type === 'positional')
  const options = Object.keys(args).filter(name => !positionals.includes(name))
  let taken = 0
  const given = new Set<string>()
  for (let n = 0; n < words.length; n++) {
    const word = words[n] as string
    if (!word.startsWith('-')) {
      taken++
      if (taken > positionals.length && !takesAnyNumber(command))
        throw usage(verb, `"${word}" is one argument too many: ${takes(positionals)}`)
      continue
    }
    const name = word.replace(/^--?/, '').replace(/=.*$/, '')
    if (!options.includes(name)) throw usage(verb, `no option ${word}${hint(name, options, 'options')}`)
    if (given.has(name))
      throw usage(verb, `--${name} is given twice: once, with a comma between several names where it takes them`)
    given.add(name)
    if (args[name]?.type === 'boolean' || word.includes('=')) continue
    n++
    // a number below 0 is a value, of which whoever takes it says what is wrong
    if (/^-(?![\d.])/.test(words[n] ?? '-')) throw usage(verb, `${word} needs a value`)
  }
}

const takes = (positionals: string[]): string =>
  positionals.length === 0 ? 'this verb takes none' : `this verb takes ${positionals.join(' and ').toUpperCase()} alone`
