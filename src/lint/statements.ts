import { readFileSync } from 'node:fs'
import type { Statement } from '../config/keepalived/parse.ts'
import { all, last } from '../config/keepalived/values.ts'
import type { Position } from '../errors.ts'
import type { VirtualService, VrrpInstance } from '../model/types.ts'
import type { Director } from './rule.ts'

/** Every statement, blocks before what is in them; a stranger may have nested them a million deep. */
export const everyStatement = (statements: Statement[]): Statement[] => {
  const found: Statement[] = []
  const open = statements.toReversed()
  for (let next = open.pop(); next; next = open.pop()) {
    found.push(next)
    for (const inner of (next.block ?? []).toReversed()) open.push(inner)
  }
  return found
}

/** The words after the keyword. */
export const valueOf = (statement: Statement): string =>
  statement.words
    .slice(1)
    .map(word => word.text)
    .join(' ')

const key = ({ file, line, column }: Position): string => `${line}:${column} ${file}`

const indexes = new WeakMap<Director, Map<string, Statement>>()

/** The statement that something was read from. */
export const statementAt = (director: Director, at: Position): Statement | undefined => {
  let index = indexes.get(director)
  if (!index) {
    index = new Map(everyStatement(director.statements).map(statement => [key(statement.at), statement]))
    indexes.set(director, index)
  }
  return index.get(key(at))
}

/** Where a keyword of an instance or a service stands, else where that itself does. */
export const placeOf = (director: Director, owner: VrrpInstance | VirtualService, ...keywords: string[]): Position =>
  last(statementAt(director, owner.at)?.block ?? [], ...keywords)?.at ?? owner.at

/** Every line of `global_defs`. */
export const globalsOf = (director: Director): Statement[] =>
  all(director.statements, 'global_defs').flatMap(statement => statement.block ?? [])

/** Lines as they are typed, of files that are read once. */
export const linesOfFiles = (): ((at: Position) => string) => {
  const lines = new Map<string, string[]>()
  return ({ file, line }) => {
    const known = lines.get(file) ?? readFileSync(file, 'utf8').split('\n')
    lines.set(file, known)
    return known[line - 1] ?? ''
  }
}
