import { LvslabError, type Position } from '../../errors.ts'

/** Bytes of a line that keepalived reads at a time (lib/parser.h `MAXBUF`, less the end of the string). */
export const LINE_BYTES = 1023

/** keepalived itself has no limit to these, and never comes to an end where a configuration has it do too much. */
const MOST_REPLACEMENTS = 100_000
const MOST_LINES = 100_000
const MOST_CHARACTERS = 4_000_000

/** Counts what a configuration makes of itself by parameters and sequences. */
export class Budget {
  #replacements = 0
  #lines = 0
  #characters = 0

  /** @throws LvslabError CONFIG_EXPANSION */
  replacement(at: Position, characters: number): void {
    if (++this.#replacements > MOST_REPLACEMENTS) throw tooMuch(`more than ${MOST_REPLACEMENTS} uses of parameters`, at)
    this.#count(at, characters)
  }

  /** @throws LvslabError CONFIG_EXPANSION */
  line(at: Position, characters: number): void {
    if (++this.#lines > MOST_LINES) throw tooMuch(`more than ${MOST_LINES} lines from parameters and sequences`, at)
    this.#count(at, characters)
  }

  #count(at: Position, characters: number): void {
    this.#characters += characters
    if (this.#characters > MOST_CHARACTERS)
      throw tooMuch(`more than ${MOST_CHARACTERS} characters from parameters and sequences`, at)
  }
}

const tooMuch = (what: string, at: Position): LvslabError =>
  new LvslabError('CONFIG_EXPANSION', `This configuration has ${what}`, {
    at,
    exitCode: 2,
    remedy:
      'Look for a parameter that uses itself, for parameters that use each other several times, or for a long ~SEQ.',
  })
