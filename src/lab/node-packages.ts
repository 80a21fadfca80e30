import { createHash } from 'node:crypto'
import { aptWords, findResolved, openIndex, saveResolved } from '../engine/vm/package-index.ts'
import { type Lock, type LockedPackage, readLock } from '../engine/vm/packages.ts'
import type { Steps } from '../engine/progress.ts'
import { formatPosition, LvslabError } from '../errors.ts'
import { nearest } from '../topology/did-you-mean.ts'
import { placeIn } from '../topology/place.ts'
import type { Node, Role, Topology } from '../topology/types.ts'

/** The packages that nodes of a role have besides those of its image: one image is made for them. */
export interface PackageSet {
  role: Role
  /** As topology.yaml has them, sorted. */
  names: string[]
  /** With all that they depend on and the base image lacks. */
  packages: LockedPackage[]
  /** Of these very files: part of the image's tag. */
  key: string
}

const sorted = (names: readonly string[] = []): string[] => [...names].sort()

/** The sets that a topology's nodes ask for, each once; none for nodes without `packages`. */
export const setsOf = (topology: Topology): Pick<PackageSet, 'role' | 'names'>[] => {
  const sets = topology.nodes.flatMap(({ role, packages }) => (packages ? [{ role, names: sorted(packages) }] : []))
  return [...new Map(sets.map(set => [`${set.role} ${set.names.join(' ')}`, set])).values()]
}

/** The set of a node, where it has one that adds anything to its role's image. */
export const setOf = (node: Node, sets: PackageSet[]): PackageSet | undefined => {
  const names = sorted(node.packages).join(' ')
  return sets.find(set => set.role === node.role && set.names.join(' ') === names)
}

/**
 * Finds which packages, in which versions, the nodes' `packages` come to: in the cache, or in Debian's index of the lock's day.
 * What the base image has already makes no set.
 *
 * @throws LvslabError PACKAGE_UNKNOWN with file:line:column of each name that Debian does not have, PACKAGE_CONFLICT where they
 *   cannot be installed together, PACKAGE_INDEX without network
 */
export const resolveSets = async (topology: Topology, steps: Steps, signal?: AbortSignal): Promise<PackageSet[]> => {
  const lock = readLock()
  const wanted = setsOf(topology)
  const known = await Promise.all(wanted.map(({ names }) => findResolved(lock, names)))
  const missing = wanted.filter((_, index) => known[index] === undefined)
  if (missing.length > 0) await ask(lock, topology, missing, steps, signal)
  const sets = await Promise.all(
    wanted.map(async ({ role, names }) => {
      const packages = (await findResolved(lock, names)) ?? []
      const key = createHash('sha256')
        .update(packages.map(({ sha256 }) => sha256).join(' '))
        .digest('hex')
        .slice(0, 16)
      return { role, names, packages, key }
    }),
  )
  return sets.filter(({ packages }) => packages.length > 0)
}

const ask = async (
  lock: Lock,
  topology: Topology,
  missing: Pick<PackageSet, 'names'>[],
  steps: Steps,
  signal?: AbortSignal,
): Promise<void> =>
  steps.step("Look the nodes' packages up in Debian's index", async progress => {
    await using index = await openIndex(lock, progress, signal)
    refuseUnknown(topology, await index.names())
    for (const { names } of missing) {
      try {
        // a bare name that ends in - or + would be an order to apt, and one with a dot may be taken for a pattern
        const packages = await index.resolve(names.map(name => `?exact-name(${name})`))
        await saveResolved(lock, names, packages)
      } catch (cause) {
        signal?.throwIfAborted()
        throw conflict(topology, names, cause)
      }
    }
  })

/** @throws LvslabError PACKAGE_UNKNOWN */
export const refuseUnknown = (topology: Topology, names: string[]): void => {
  const known = new Set(names)
  const problems = topology.nodes.flatMap(node =>
    (node.packages ?? []).flatMap((name, index) => {
      if (known.has(name)) return []
      const at = placeIn(topology, ['nodes', node.name, 'packages', index])
      const best = nearest(name, names)
      const meant = best === undefined ? '' : `; did you mean "${best}"?`
      return [{ name, text: `${at ? `${formatPosition(at)} ` : ''}Debian trixie has no package "${name}"${meant}` }]
    }),
  )
  if (problems.length === 0) return
  throw new LvslabError('PACKAGE_UNKNOWN', problems.map(({ text }) => text).join('\n'), {
    remedy: `look for its name at https://packages.debian.org/search?suite=trixie&keywords=${encodeURIComponent(problems[0]?.name ?? '')}`,
    exitCode: 2,
  })
}

const conflict = (topology: Topology, names: string[], cause: unknown): LvslabError => {
  const node = topology.nodes.find(({ packages }) => sorted(packages).join(' ') === names.join(' '))
  const at = node && placeIn(topology, ['nodes', node.name, 'packages'])
  return new LvslabError(
    'PACKAGE_CONFLICT',
    `${names.join(', ')} cannot be installed in ${node?.name}: ${aptWords(cause)}`,
    {
      remedy: "leave out what conflicts with the packages of every node's image: images/base/packages.txt",
      ...(at ? { at } : {}),
      exitCode: 2,
      cause,
    },
  )
}
