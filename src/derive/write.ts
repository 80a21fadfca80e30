import { existsSync } from 'node:fs'
import { cp, lstat, mkdir, readdir, readlink, realpath, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { isInside } from '../config/keepalived/include.ts'
import { LvslabError, messageOf } from '../errors.ts'
import { makeFolder } from '../history/make-folder.ts'
import type { Draft } from './draft.ts'
import { formatDraft } from './yaml.ts'

/** What a director brings: absolute path on the node -> file or folder here. */
export interface Brought {
  node: string
  from: Record<string, string>
}

/** The file here that becomes one of the node, where the director brings it. */
export const broughtFile = (from: Brought['from'], file: string): string | undefined =>
  Object.entries(from)
    .map(([to, source]) => (isInside(to, file) ? path.join(source, path.relative(to, file)) : ''))
    .find(one => existsSync(one))

/**
 * Writes a topology folder: topology.yaml, and a folder for each node that has files. What a director brings itself is not
 * written over.
 *
 * @throws LvslabError DERIVE_EXISTS where the folder has something in it, DERIVE_WRITE where it cannot be written, DERIVE_FILE
 *   where a director brings what is neither file nor folder, or a link that leads out of what it brings; nothing is left then
 */
export const writeDraft = async (draft: Draft, directors: Brought[], dir: string): Promise<void> => {
  const present = await readdir(dir).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw cannot(dir, error)
  })
  if (present !== undefined && present.length > 0)
    throw new LvslabError('DERIVE_EXISTS', `${dir} has files already (${present[0]})`, {
      remedy: 'name a folder that is empty or not there yet',
      exitCode: 2,
    })
  try {
    await makeFolder(dir)
    for (const { node, from } of directors)
      for (const [to, file] of Object.entries(from)) await bring(file, path.join(dir, node, to), dir)
    for (const { name, files } of draft.nodes)
      await Promise.all(Object.entries(files).map(([to, text]) => writeNew(inside(path.join(dir, name), to), text)))
    await writeFile(path.join(dir, 'topology.yaml'), formatDraft(draft))
  } catch (error) {
    for (const entry of await readdir(dir).catch(() => [])) await rm(path.join(dir, entry), { recursive: true })
    if (present === undefined) await rm(dir, { recursive: true, force: true })
    throw error instanceof LvslabError ? error : cannot(dir, error)
  }
}

/** Copies a file, or a folder with what is in it. */
const bring = async (from: string, to: string, dir: string): Promise<void> => {
  const root = await realpath(from)
  if (isInside(root, await realpath(dir)))
    throw new LvslabError('DERIVE_INSIDE', `${dir} is inside ${from}, which is to be copied there`, {
      remedy: 'name a folder beside it',
      exitCode: 2,
    })
  await cp(from, to, {
    recursive: true,
    verbatimSymlinks: true,
    filter: async source => {
      const found = await lstat(source)
      if (found.isSymbolicLink()) {
        const target = await realpath(source).catch(() => undefined)
        if (target === undefined || !isInside(root, target) || path.isAbsolute(await readlink(source)))
          throw odd(source, 'is a link that leads out of what is copied')
      } else if (!found.isFile() && !found.isDirectory()) throw odd(source, 'is neither a file nor a folder')
      return true
    },
  })
}

/** What is in a configuration may be the name of a file of the node, and of nothing else here. */
const inside = (root: string, to: string): string => {
  const file = path.join(root, to)
  if (file !== root && isInside(root, file)) return file
  throw new LvslabError('DERIVE_FILE', `${to} is no file of a node: it leads out of ${root}`, {
    remedy: 'write its path without ".." into the configuration',
    exitCode: 2,
  })
}

const odd = (file: string, what: string): LvslabError =>
  new LvslabError('DERIVE_FILE', `${file} ${what}`, {
    remedy: 'copy the configuration to a folder where files are what they seem (cp -rL), and derive from that',
    exitCode: 2,
  })

const writeNew = async (file: string, text: string): Promise<void> => {
  await mkdir(path.dirname(file), { recursive: true })
  const mode = text.startsWith('#!') ? 0o755 : 0o644
  await writeFile(file, text, { flag: 'wx', mode }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
  })
}

const cannot = (dir: string, cause: unknown): LvslabError =>
  new LvslabError('DERIVE_WRITE', `cannot write ${dir || 'a folder without a name'}: ${messageOf(cause)}`, {
    remedy: 'name another folder, which can be written',
    exitCode: 2,
    cause,
  })
