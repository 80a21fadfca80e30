import { cp, mkdir, readdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { LvslabError } from '../errors.ts'
import type { Draft } from './draft.ts'
import { formatDraft } from './yaml.ts'

/** What a director brings: absolute path on the node -> file or folder here. */
export interface Brought {
  node: string
  from: Record<string, string>
}

/**
 * Writes a topology folder: topology.yaml, and a folder for each node that has files. What a director brings itself is not
 * written over.
 *
 * @throws LvslabError DERIVE_EXISTS where the folder has something in it, DERIVE_WRITE where it cannot be written
 */
export const writeDraft = async (draft: Draft, directors: Brought[], dir: string): Promise<void> => {
  const present = await readdir(dir).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw cannot(dir, error)
  })
  if (present.length > 0)
    throw new LvslabError('DERIVE_EXISTS', `${dir} has files already (${present[0]})`, {
      remedy: 'name a folder that is empty or not there yet',
      exitCode: 2,
    })
  try {
    for (const { node, from } of directors)
      for (const [to, file] of Object.entries(from)) await cp(file, path.join(dir, node, to), { recursive: true })
    for (const { name, files } of draft.nodes)
      for (const [to, text] of Object.entries(files)) await writeNew(path.join(dir, name, to), text)
    await mkdir(dir, { recursive: true })
    await writeFile(path.join(dir, 'topology.yaml'), formatDraft(draft))
  } catch (error) {
    throw cannot(dir, error)
  }
}

const writeNew = async (file: string, text: string): Promise<void> => {
  await mkdir(path.dirname(file), { recursive: true })
  const mode = text.startsWith('#!') ? 0o755 : 0o644
  await writeFile(file, text, { flag: 'wx', mode }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
  })
}

const cannot = (dir: string, cause: unknown): LvslabError =>
  new LvslabError('DERIVE_WRITE', `cannot write ${dir}: ${cause instanceof Error ? cause.message : String(cause)}`, {
    remedy: 'name a folder that can be written with --to',
    exitCode: 2,
    cause,
  })
