import { keyword, type Statement } from '../config/keepalived/parse.ts'
import { all, last } from '../config/keepalived/values.ts'
import type { Position } from '../errors.ts'
import type { VirtualService, VrrpInstance } from '../model/types.ts'
import type { Director } from './rule.ts'

/** Every statement, blocks before what is in them. */
export const everyStatement = (statements: Statement[]): Statement[] =>
  statements.flatMap(statement => [statement, ...everyStatement(statement.block ?? [])])

/** The words after the keyword. */
export const valueOf = (statement: Statement): string =>
  statement.words
    .slice(1)
    .map(word => word.text)
    .join(' ')

const same = (a: Position, b: Position): boolean => a.file === b.file && a.line === b.line && a.column === b.column

/** The statement that something was read from. */
export const statementAt = (director: Director, at: Position): Statement | undefined =>
  everyStatement(director.statements).find(statement => same(statement.at, at))

/** Where a keyword of an instance or a service stands, else where that itself does. */
export const placeOf = (director: Director, owner: VrrpInstance | VirtualService, ...keywords: string[]): Position =>
  last(statementAt(director, owner.at)?.block ?? [], ...keywords)?.at ?? owner.at

/** Every line of `global_defs`. */
export const globalsOf = (director: Director): Statement[] =>
  all(director.statements, 'global_defs').flatMap(statement => statement.block ?? [])

export { keyword }
