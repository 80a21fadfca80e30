import { readFileSync, realpathSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'
import { LvslabError } from '../../errors.ts'
import type { Notice } from '../../model/types.ts'
import { resolveInclude } from './include.ts'
import { attempt, type OnError, throwIt } from './on-error.ts'
import { keyword, parse, type Statement } from './parse.ts'
import { tokenize } from './tokenize.ts'

/** A configuration with its includes in place. */
export interface Loaded {
  statements: Statement[]
  /** Every file that was read, in reading order. */
  files: string[]
  notices: Notice[]
}

export interface LoadOptions {
  /** Folder of the node that `root` stands for; default `/`. */
  mount?: string
  /** Where it does not throw, reading goes on after the error. */
  onError?: OnError
  /** What is done to the text of a file before it is read; it may not move anything. */
  edit?: (text: string, path: string) => string
}

/**
 * Reads a configuration file and everything that it includes into one tree.
 *
 * @param root folder that is laid over the node's root
 * @param file absolute path on the node
 * @throws LvslabError CONFIG_NOT_FOUND, CONFIG_INCLUDE_OUTSIDE, CONFIG_INCLUDE_LOOP, and those of `tokenize`
 *   and `parse`
 */
export const loadTree = (root: string, file: string, options: LoadOptions = {}): Loaded => {
  const from: From = { root, mount: '/', onError: throwIt, edit: text => text, ...options }
  const path = join(root, relative(from.mount, file))
  if (!statSync(path, { throwIfNoEntry: false })?.isFile())
    throw new LvslabError('CONFIG_NOT_FOUND', `There is no configuration file ${path}`, {
      exitCode: 2,
      remedy: `Put the node's keepalived.conf there; ${root} is laid over the node's root.`,
    })
  const loaded: Loaded = { statements: [], files: [], notices: [] }
  if (isExecutable(path))
    loaded.notices.push({
      at: { file: path, line: 1, column: 1 },
      message: 'the file has an execute bit; keepalived refuses to read such a file',
    })
  loaded.statements = loadFile(path, from, [], loaded)
  return loaded
}

/** keepalived lib/parser.c `read_conf_file` takes regular files without any execute bit only. */
const isExecutable = (path: string): boolean => (statSync(path).mode & 0o111) !== 0

type From = Required<LoadOptions> & { root: string }

const loadFile = (path: string, from: From, including: string[], loaded: Loaded): Statement[] => {
  loaded.files.push(path)
  const text = from.edit(readFileSync(path, 'utf8'), path)
  const tree = attempt(() => parse(tokenize(text, path, from.onError), from.onError), [], from.onError)
  return expandIncludes(tree, path, from, [...including, realpathSync(path)], loaded)
}

const expandIncludes = (
  statements: Statement[],
  path: string,
  from: From,
  including: string[],
  loaded: Loaded,
): Statement[] =>
  statements.flatMap(statement => {
    const pattern = statement.words[1]
    // keepalived takes a line of exactly two words for an include; everything else is an unknown keyword to it.
    if (/^include[rmwba]?$/.test(keyword(statement)) && pattern && statement.words.length === 2) {
      const files = attempt(() => resolveInclude(pattern.text, path, from, pattern.at), undefined, from.onError)
      if (files === undefined) return []
      if (files.length === 0)
        loaded.notices.push({
          at: pattern.at,
          message: `include ${pattern.text} matches no file; keepalived goes on without it`,
        })
      return files.flatMap(file => {
        if (isExecutable(file)) {
          loaded.notices.push({ at: pattern.at, message: `${file} has an execute bit; keepalived skips such a file` })
          return []
        }
        if (including.includes(realpathSync(file))) {
          from.onError(
            new LvslabError(
              'CONFIG_INCLUDE_LOOP',
              `include ${pattern.text} reads ${file}, which is being read already`,
              {
                at: pattern.at,
                exitCode: 2,
                remedy: 'Break the circle: a file must not include itself, directly or through others.',
              },
            ),
          )
          return []
        }
        return loadFile(file, from, including, loaded)
      })
    }
    if (!statement.block) return [statement]
    return [{ ...statement, block: expandIncludes(statement.block, path, from, including, loaded) }]
  })
