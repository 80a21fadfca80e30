import { ipVersion } from '../../config/keepalived/address.ts'
import { keyword, type Statement } from '../../config/keepalived/parse.ts'
import type { Found, LintInput } from '../rule.ts'
import { everyStatement } from '../statements.ts'

/** What blocks have in common whose lines are no keywords: addresses, routes, rules. */

/** Words of a list of them. */
export const words = (text: string): string[] => text.trim().split(/\s+/)

/** What may stand on such a line. */
export interface Options {
  /** Words that one value follows. */
  valued: string[]
  bare: string[]
}

/** Whether a text is an address, with or without a prefix. */
export const hasPrefix = (text: string): boolean => {
  const [address = '', prefix] = text.split('/')
  const family = ipVersion(address)
  if (family === 0) return false
  return prefix === undefined || (/^\d+$/.test(prefix) && Number(prefix) <= (family === 6 ? 128 : 32))
}

/** What is found of each line of some blocks. */
export const eachLine =
  (blocks: string[], judge: (line: Statement, block: Statement) => Found[]) =>
  ({ directors }: LintInput): Found[] =>
    directors.flatMap(director =>
      everyStatement(director.statements)
        .filter(statement => blocks.includes(keyword(statement)))
        .flatMap(block => (block.block ?? []).flatMap(line => judge(line, block))),
    )

/** What has a `track_group`: of an instance an address and a route need none. */
export const isStatic = (block: Statement): boolean => keyword(block).startsWith('static_')
