import { LvslabError, type Position } from '../../errors.ts'
import { type OnError, throwIt } from './on-error.ts'
import type { Token, Word } from './tokenize.ts'

/** One line of the configuration, with the block that belongs to it: `real_server 10.0.0.11 80 { ... }`. */
export interface Statement {
  /** The first is the keyword; there is always one. */
  words: [Word, ...Word[]]
  block?: Statement[]
  at: Position
}

/** The keyword of a statement: its first word. */
export const keyword = (statement: Statement): string => statement.words[0].text

const unbalanced = (message: string, at: Position): LvslabError =>
  new LvslabError('CONFIG_UNBALANCED', message, {
    at,
    exitCode: 2,
    remedy: 'Give every { its own }; keepalived reads what follows as part of the wrong block.',
  })

/**
 * Builds the tree of one file. Words that nobody knows stay in it. A block may open on the line of its keyword or on a
 * later one, and may stand on one line; only line ends and braces separate statements (keepalived lib/parser.c
 * `process_stream`).
 *
 * @param onError where it does not throw, a brace without a partner is passed over, and what is open at the end is closed
 * @throws LvslabError CONFIG_UNBALANCED, at the brace that has no partner
 */
export const parse = (tokens: Iterable<Token>, onError: OnError = throwIt): Statement[] => {
  const top: Statement[] = []
  const open: { statements: Statement[]; at: Position }[] = []
  let statements = top
  let words: Word[] = []

  const endStatement = (): void => {
    const [first, ...rest] = words
    if (first) statements.push({ words: [first, ...rest], at: first.at })
    words = []
  }

  for (const token of tokens) {
    if (token.kind === 'word') {
      words.push(token)
      continue
    }
    endStatement()
    if (token.kind === '{') {
      const owner = statements.at(-1)
      if (!owner || owner.block) {
        onError(unbalanced('This { has no keyword before it', token.at))
        continue
      }
      owner.block = []
      open.push({ statements, at: token.at })
      statements = owner.block
    } else if (token.kind === '}') {
      const outer = open.pop()
      if (outer) statements = outer.statements
      else onError(unbalanced('This } closes nothing', token.at))
    }
  }
  endStatement()
  const unclosed = open.at(-1)
  if (unclosed) onError(unbalanced('This { is never closed', unclosed.at))
  return top
}
