import { readFileSync } from 'node:fs'
import type { Position } from '../errors.ts'

/** One code of a comment `# lvslab-disable-next-line CODE`. */
export interface Suppression {
  code: string
  /** Where the code stands; it holds for the next line. */
  at: Position
}

const COMMENT = /^(?:[^"#!\\]+|\\[#!]?|"[^"]*")*[#!].*?\blvslab-disable-next-line\s+([\w-]+(?:\s*,\s*[\w-]+)*)/

/** The suppressions of a file, in order. */
export const readSuppressions = (file: string): Suppression[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line, index) => {
      if (!line.includes('lvslab-disable-next-line')) return []
      const list = COMMENT.exec(line)?.[1]
      if (list === undefined) return []
      const start = line.lastIndexOf(list)
      return [...list.matchAll(/[\w-]+/g)].map(match => ({
        code: match[0],
        at: { file, line: index + 1, column: start + match.index + 1 },
      }))
    })
