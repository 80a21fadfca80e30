import { lstatSync, statSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { LvslabError } from '../errors.ts'
import { deriveFrom } from '../derive/read.ts'
import { writeDraft } from '../derive/write.ts'
import { directorFiles } from '../topology/director-files.ts'
import { otherName, shortPath, topologiesIn, TOPOLOGY_FILE_NAME } from '../topology/find.ts'
import { loadTopology } from '../topology/load.ts'
import type { Topology } from '../topology/types.ts'

/**
 * The topology of a folder that has topology.yaml, or one that is derived from the keepalived.conf files in it, or from one such
 * file.
 *
 * @param derivedDir folder that a derived one is written to, given its name
 * @param tell is told of that, and of what was taken for what the configurations do not say
 * @param copies is told of each file or folder that is copied into it, and where from
 */
export const topologyOf = async (
  dirOrFile: string,
  derivedDir: (name: string) => string,
  tell: (line: string) => void,
  copies: (copy: string, from: string) => void = () => {},
): Promise<Topology> => {
  if (!isPlain(dirOrFile)) return loadTopology(dirOrFile)
  const { draft, directors } = deriveFrom(dirOrFile)
  const dir = derivedDir(draft.name)
  await writeDraft(draft, directors, dir)
  const what = isFile(dirOrFile)
    ? `a topology is derived from ${dirOrFile}`
    : `${dirOrFile} has no ${TOPOLOGY_FILE_NAME}: one is derived from its configurations`
  tell(`${what}, see \`lvslab derive ${dirOrFile}\``)
  for (const question of draft.questions) tell(`  ? ${question}`)
  for (const { node, from } of directors)
    for (const [place, source] of Object.entries(from)) copies(path.join(dir, node, place).replace(/\/$/, ''), source)
  return loadTopology(dir)
}

/**
 * Prints what is made of such a topology. A derived one is gone before anything is printed: whoever reads may go away at the
 * first line. What it says of a copied file is of that which was copied.
 */
export const printTopologyOf = async (dirOrFile: string, textOf: (topology: Topology) => string): Promise<void> => {
  const told: string[] = []
  const copied: [copy: string, from: string][] = []
  const text = await (async () => {
    const scratch = await mkdtemp(path.join(os.tmpdir(), 'lvslab-derived-'))
    await using _scratch = { [Symbol.asyncDispose]: () => rm(scratch, { recursive: true, force: true }) }
    const topology = await topologyOf(
      dirOrFile,
      name => path.join(scratch, name),
      line => told.push(line),
      (...copy) => copied.push(copy),
    )
    const text = copied.reduce((all, [copy, from]) => all.replaceAll(copy, shortPath(from)), textOf(topology))
    return text.replaceAll(`${scratch}/`, '')
  })()
  for (const line of told) process.stderr.write(`${line}\n`)
  process.stdout.write(text)
}

const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() === true

/** Whether there are configurations of directors, and no topology.yaml. */
const isPlain = (dirOrFile: string): boolean => {
  const file = path.join(dirOrFile, TOPOLOGY_FILE_NAME)
  if (/\.ya?ml$/.test(dirOrFile) || otherName(dirOrFile) !== undefined) return false
  if (isFile(dirOrFile)) return true
  if (lstatSync(file, { throwIfNoEntry: false })) return false // a link that leads nowhere is one too
  try {
    return directorFiles(path.resolve(dirOrFile)).length > 0
  } catch (error) {
    const isFolder = statSync(dirOrFile, { throwIfNoEntry: false })?.isDirectory() === true
    if (error instanceof LvslabError && isFolder && topologiesIn(dirOrFile).length === 0) throw error
    return false // what is said of a missing topology.yaml names those nearby
  }
}
