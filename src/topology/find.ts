import { existsSync, readdirSync, statSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'

import { LvslabError } from '../errors.ts'
import { nearest } from './did-you-mean.ts'

/** Name of the file that describes a topology. */
export const TOPOLOGY_FILE_NAME = 'topology.yaml'

/** The path as people want to read it: relative where it is below the working directory. */
export const shortPath = (path: string): string => {
  const short = relative(process.cwd(), path) || '.'
  return short.startsWith('..') ? path : short
}

/** A file in a folder that is meant to be its topology.yaml and has another name. */
export const otherName = (dir: string): string | undefined =>
  ['topology.yml', 'topology.YAML'].find(name => existsSync(join(dir, name)))

/** Folders right below a folder that hold a topology. */
export const topologiesIn = (dir: string): string[] => {
  try {
    const folders = readdirSync(dir).filter(name => existsSync(join(dir, name, TOPOLOGY_FILE_NAME)))
    return folders.sort().map(name => join(dir, name))
  } catch {
    return []
  }
}

/**
 * The absolute path of the topology.yaml that a folder or a file stands for.
 * @throws {LvslabError} TOPOLOGY_NOT_FOUND, exit code 2, with the topologies nearby.
 */
export const findTopologyFile = (dirOrFile: string): string => {
  const path = resolve(dirOrFile)
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat?.isFile()) return path
  const inside = join(path, TOPOLOGY_FILE_NAME)
  if (stat?.isDirectory() && statSync(inside, { throwIfNoEntry: false })?.isFile()) return inside

  const other = otherName(path)
  if (other !== undefined)
    throw new LvslabError('TOPOLOGY_NOT_FOUND', `${shortPath(join(path, other))} is not read`, {
      remedy: `call it ${TOPOLOGY_FILE_NAME}`,
      exitCode: 2,
    })
  const what = stat ? `${shortPath(path)} holds no ${TOPOLOGY_FILE_NAME}` : `${shortPath(path)} does not exist`
  // `lvslab test topologies/x/topology.yaml` with x misspelled: it is x that has neighbours.
  const wanted = /\.ya?ml$/.test(path) ? dirname(path) : path
  const nearby =
    [wanted, dirname(wanted), resolve('topologies')].map(topologiesIn).find(found => found.length > 0) ?? []
  const names = nearby.map(shortPath)
  const meant = nearest(
    basename(wanted),
    nearby.map(dir => basename(dir)),
  )
  const best = names.find(name => basename(name) === meant)
  const remedies = [
    ...(best === undefined ? [] : [`did you mean ${best}?`]),
    ...(best !== undefined || names.length === 0 ? [] : [`topologies nearby: ${names.join(', ')}`]),
  ]
  // of a folder that is there the files may be those of directors
  if (stat?.isDirectory()) remedies.push(`from keepalived.conf files: lvslab derive ${shortPath(path)} --to NEW-FOLDER`)
  const remedy = remedies.join('; ') || 'give a folder that holds a topology.yaml'
  throw new LvslabError('TOPOLOGY_NOT_FOUND', what, { remedy, exitCode: 2 })
}
