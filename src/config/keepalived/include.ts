import { readdirSync, realpathSync, statSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { LvslabError, type Position } from '../../errors.ts'

/** `a{b,c{d,e}}f` to its words, in the order in which glob(3) with GLOB_BRACE takes them. */
const expandBraces = (pattern: string): string[] => {
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
      return parts.flatMap(part => expandBraces(head + part + tail))
    }
  }
  return [pattern]
}

const hasWildcard = (part: string): boolean => /[*?[]/.test(part)

/** One path component of glob(3): a leading dot is only matched by a dot. */
const componentPattern = (part: string): RegExp => {
  const body = part.replace(/\[(!?)([^\]]+)\]|[\s\S]/g, (all, not: string | undefined, set: string | undefined) => {
    if (set !== undefined) return `[${not ? '^' : ''}${set.replace(/[\\\]^]/g, '\\$&')}]`
    if (all === '*') return '.*'
    if (all === '?') return '.'
    return all.replace(/[.+^${}()|\\[\]/-]/g, '\\$&')
  })
  return new RegExp(`^${part.startsWith('.') ? '' : '(?!\\.)'}${body}$`, 's')
}

const namesIn = (folder: string): string[] => {
  try {
    // glob(3) sorts in the C locale, that is by bytes; keepalived never sets another.
    return readdirSync(folder).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  } catch {
    return []
  }
}

const exists = (path: string): boolean => statSync(path, { throwIfNoEntry: false }) !== undefined

const glob = (base: string, parts: string[]): string[] => {
  const [part, ...rest] = parts
  if (part === undefined) return exists(base) ? [base] : []
  if (!hasWildcard(part)) return glob(join(base, part), rest)
  const pattern = componentPattern(part)
  return namesIn(base)
    .filter(name => pattern.test(name))
    .flatMap(name => glob(join(base, name), rest))
}

const isInside = (root: string, path: string): boolean => {
  const way = relative(root, path)
  return way !== '..' && !way.startsWith(`..${sep}`)
}

/**
 * The files that an `include` names, in the order in which keepalived reads them. A relative pattern starts at the
 * including file's folder; an absolute one is a path of the node, so it starts at `root`. Folders are left out, as
 * keepalived does.
 *
 * @param root folder that stands for the node's folder `mount`
 * @param from the including file
 * @throws LvslabError CONFIG_INCLUDE_OUTSIDE when a name, or a symbolic link behind it, leaves the root
 */
export const resolveInclude = (
  pattern: string,
  from: string,
  { root, mount }: { root: string; mount: string },
  at: Position,
): string[] => {
  const outside = (path: string): LvslabError =>
    new LvslabError('CONFIG_INCLUDE_OUTSIDE', `include ${pattern} leads to ${path}, outside ${root}`, {
      at,
      exitCode: 2,
      remedy: `Put the file below ${root}, at the path that it has on the node.`,
    })
  const realRoot = realpathSync(root)
  return expandBraces(pattern).flatMap(one => {
    const base = one.startsWith('/') ? root : dirname(from)
    const isPath = one.startsWith('/') && mount !== '/'
    if (isPath && !one.startsWith(`${mount}/`)) throw outside(one)
    const parts = (isPath ? one.slice(mount.length) : one).split('/').filter(part => part !== '')
    let depth = relative(root, base) === '' ? 0 : relative(root, base).split(sep).length
    for (const part of parts) {
      depth += part === '..' ? -1 : part === '.' ? 0 : 1
      if (depth < 0) throw outside(join(base, ...parts))
    }
    return glob(base, parts).filter(path => {
      const real = realpathSync(path)
      if (!isInside(realRoot, real)) throw outside(real)
      // keepalived takes regular files only; a FIFO would wait for its writer for ever
      return statSync(path).isFile()
    })
  })
}
