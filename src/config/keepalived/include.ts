import { lstatSync, readdirSync, readlinkSync, realpathSync, statSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { LvslabError, type Position } from '../../errors.ts'

/** Names that the includes of a configuration may look at: braces, and links that lead back, multiply without an end. */
const MOST_STEPS = 20_000

/** Counts them. */
export class IncludeSteps {
  #taken = 0

  /** @throws LvslabError CONFIG_TOO_LARGE */
  take(count: number, at: Position): void {
    this.#taken += count
    if (this.#taken <= MOST_STEPS) return
    throw new LvslabError(
      'CONFIG_TOO_LARGE',
      `The includes of this configuration stand for more than ${MOST_STEPS} names`,
      {
        at,
        exitCode: 2,
        remedy: 'Use fewer braces, or a folder of its own for what is included.',
      },
    )
  }
}

/** Counts for one `include`. */
type Count = (names: number) => void

/** `a{b,c{d,e}}f` to its words, in the order in which glob(3) with GLOB_BRACE takes them. */
const expandBraces = (pattern: string, count: Count): string[] => {
  count(1)
  const start = pattern.indexOf('{')
  if (start < 0) return [pattern]
  const parts: string[] = []
  let depth = 0
  let from = start + 1
  for (let i = start; i < pattern.length; i++) {
    const c = pattern[i]
    if (c === '{') depth++
    else if (c === ',' && depth === 1) {
      parts.push(pattern.slice(from, i))
      from = i + 1
    } else if (c === '}' && --depth === 0) {
      parts.push(pattern.slice(from, i))
      const head = pattern.slice(0, start)
      const tail = pattern.slice(i + 1)
      return parts.flatMap(part => expandBraces(head + part + tail, count))
    }
  }
  return [pattern]
}

const hasWildcard = (part: string): boolean => /[*?[]/.test(part)

/** One character of a pattern: itself, or what is in the brackets. */
const CHARACTER = /\[(!?)(\]?[^\]]*)\]|[\s\S]/gu

const takes = (one: string, char: string): boolean => {
  if (one === '?') return true
  if (one.length < 3) return one === char
  const not = one[1] === '!'
  const ranges = one.slice(not ? 2 : 1, -1).matchAll(/([\s\S])-([\s\S])|[\s\S]/gu)
  return [...ranges].some(([all, from = all, to = all]) => from <= char && char <= to) !== not
}

/**
 * Whether a name fits one path component of glob(3): a leading dot is only matched by a dot. Each `*` is tried once, as the
 * next one takes all that it could have taken: the time is the product of both lengths.
 */
const fits = (part: string, name: string): boolean => {
  if (name.startsWith('.') && !part.startsWith('.')) return false
  const pattern = [...part.matchAll(CHARACTER)].map(([one]) => one)
  const chars = [...name]
  let p = 0
  let star = -1
  let resume = 0
  for (let c = 0; c < chars.length; ) {
    const one = pattern[p]
    if (one === '*') {
      star = p++
      resume = c
    } else if (one !== undefined && takes(one, chars[c] as string)) {
      p++
      c++
    } else if (star >= 0) {
      p = star + 1
      c = ++resume
    } else return false
  }
  return pattern.slice(p).every(one => one === '*')
}

const namesIn = (folder: string): string[] => {
  try {
    // glob(3) sorts in the C locale, that is by bytes; keepalived never sets another.
    return readdirSync(folder).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  } catch {
    return []
  }
}

const exists = (path: string): boolean => {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined
  } catch {
    // a name that is too long, or below one that is no folder
    return false
  }
}

const glob = (base: string, parts: string[], count: Count): string[] => {
  const [part, ...rest] = parts
  if (part === undefined) return exists(base) ? [base] : []
  if (!hasWildcard(part)) return glob(join(base, part), rest, count)
  const names = namesIn(base)
  count(names.length)
  return names.filter(name => fits(part, name)).flatMap(name => glob(join(base, name), rest, count))
}

/** Whether a path is a folder, or below it; both without links. */
export const isInside = (root: string, path: string): boolean => {
  const way = relative(root, path)
  return way !== '..' && !way.startsWith(`..${sep}`)
}

/** @throws LvslabError CONFIG_INCLUDE_LINK where a symbolic link leads to what is not here: what the node has there is not known */
const realPath = (path: string, at: Position): string => {
  try {
    return realpathSync(path)
  } catch (cause) {
    const leads = lstatSync(path).isSymbolicLink() ? ` is a symbolic link to ${readlinkSync(path)}, which` : ''
    throw new LvslabError('CONFIG_INCLUDE_LINK', `the included ${path}${leads} cannot be reached here`, {
      at,
      exitCode: 2,
      remedy: 'Put a copy of the file in its place.',
      cause,
    })
  }
}

/**
 * The files that an `include` names, in the order in which keepalived reads them. A relative pattern starts at the
 * including file's folder; an absolute one is a path of the node, so it starts at `root`. Folders are left out, as
 * keepalived does.
 *
 * @param root folder that stands for the node's folder `mount`
 * @param from the including file
 * @throws LvslabError CONFIG_INCLUDE_OUTSIDE when a name, or a symbolic link behind it, leaves the root; CONFIG_TOO_LARGE
 */
export const resolveInclude = (
  pattern: string,
  from: string,
  { root, mount }: { root: string; mount: string },
  at: Position,
  steps = new IncludeSteps(),
): string[] => {
  const outside = (path: string): LvslabError =>
    new LvslabError('CONFIG_INCLUDE_OUTSIDE', `include ${pattern} leads to ${path}, outside ${root}`, {
      at,
      exitCode: 2,
      remedy: `Put the file below ${root}, at the path that it has on the node.`,
    })
  const realRoot = realpathSync(root)
  const count = (names: number): void => steps.take(names, at)
  return expandBraces(pattern, count).flatMap(one => {
    const base = one.startsWith('/') ? root : dirname(from)
    const isPath = one.startsWith('/') && mount !== '/'
    if (isPath && !one.startsWith(`${mount}/`)) throw outside(one)
    const parts = (isPath ? one.slice(mount.length) : one).split('/').filter(part => part !== '')
    let depth = relative(root, base) === '' ? 0 : relative(root, base).split(sep).length
    for (const part of parts) {
      depth += part === '..' ? -1 : part === '.' ? 0 : 1
      if (depth < 0) throw outside(join(base, ...parts))
    }
    return glob(base, parts, count).filter(path => {
      const real = realPath(path, at)
      if (!isInside(realRoot, real)) throw outside(real)
      // keepalived takes regular files only; a FIFO would wait for its writer for ever
      return statSync(path).isFile()
    })
  })
}
