import { spawn } from 'node:child_process'
import path from 'node:path'
import { debFile, fetchDebs } from '../engine/vm/debs.ts'
import { readLock } from '../engine/vm/packages.ts'
import type { Engine } from '../engine/engine.ts'
import type { Steps } from '../engine/progress.ts'
import { LvslabError } from '../errors.ts'
import type { Node } from '../topology/types.ts'
import { imageName } from './images.ts'
import { type PackageSet, setOf } from './node-packages.ts'

/** Name of the image with a set of packages in it; the tag says what is in it, as it does of the role's. */
const nameOf = ({ role, key }: PackageSet, images: string): string => `${imageName(role, images)}-${key}`

/** The image that a node is made from: its role's, or the one with its packages besides. */
export const imageOf = (node: Node, images: string, sets: PackageSet[]): string => {
  const set = setOf(node, sets)
  return set ? nameOf(set, images) : imageName(node.role, images)
}

/** Where the packages lie while they are installed: apt's own folder for them. */
const ARCHIVES = 'var/cache/apt/archives'

/**
 * Installs all packages that lie in {@link ARCHIVES}. Their maintainer scripts may start nothing (policy-rc.d, Debian Policy
 * 9.3.3.1): a service that ran while the image was made would be half-dead in every node of it.
 */
const INSTALL = `set -e
policy=/usr/sbin/policy-rc.d
printf '#!/bin/sh\\nexit 101\\n' >$policy
chmod 755 $policy
export DEBIAN_FRONTEND=noninteractive
set -- -y -qq --no-install-recommends --no-remove -o Dpkg::Options::=--force-unsafe-io
for unread in doc info locale man; do set -- "$@" -o "Dpkg::Options::=--path-exclude=/usr/share/$unread/*"; done
apt-get install "$@" /${ARCHIVES}/*.deb </dev/null >/tmp/apt.log 2>&1 || { tail -n 20 /tmp/apt.log; exit 1; }
rm -f /${ARCHIVES}/*.deb /tmp/apt.log $policy`

/** Downloads what is not in the cache of these sets. @throws LvslabError ENGINE_PACKAGE_GONE */
export const fetchPackages = async (sets: PackageSet[], steps: Steps, signal?: AbortSignal): Promise<void> => {
  const packages = sets.flatMap(set => set.packages)
  if (packages.length === 0) return
  await steps.step("Download the nodes' packages", progress => fetchDebs(readLock(), packages, progress, signal))
}

/**
 * Makes the images with nodes' own packages, which are downloaded, on an engine that has the role images; where they are missing.
 * Nothing of a package runs on this machine: its maintainer scripts do so in the engine, without a network and without privileges.
 *
 * @throws LvslabError PACKAGE_INSTALL with the last words of dpkg
 */
export const ensurePackageImages = async (
  engine: Engine,
  images: string,
  sets: PackageSet[],
  steps: Steps,
  signal?: AbortSignal,
): Promise<void> => {
  const present = new Set((await engine.docker.listImages()).flatMap(image => image.RepoTags ?? []))
  for (const set of sets.filter(one => !present.has(nameOf(one, images)))) {
    signal?.throwIfAborted()
    await steps.step(`Install ${set.names.join(', ')} for a ${set.role}: ${set.packages.length} packages`, () =>
      install(engine, images, set, signal),
    )
  }
}

const install = async (engine: Engine, images: string, set: PackageSet, signal?: AbortSignal): Promise<void> => {
  const { docker } = engine
  const role = imageName(set.role, images)
  const { Config } = await docker.getImage(role).inspect()
  const container = await docker.createContainer({
    Image: role,
    Entrypoint: ['sh', '-c', INSTALL],
    HostConfig: { NetworkMode: 'none' },
  })
  const end = (): void => void container.kill().catch(() => {}) // it may have ended by itself
  try {
    await putDebs(container, set)
    signal?.addEventListener('abort', end, { once: true })
    await container.start()
    const { StatusCode: code } = (await container.wait()) as { StatusCode: number }
    signal?.throwIfAborted()
    if (code !== 0) {
      const said = String(await container.logs({ stdout: true, stderr: true }))
      throw new LvslabError(
        'PACKAGE_INSTALL',
        `${set.names.join(', ')} could not be installed in the image of a ${set.role}: ${said.trim()}`,
        {
          remedy:
            'take the package that dpkg names out of `packages`, and put what you need of it into the folder of the node',
        },
      )
    }
    const [repo, tag] = nameOf(set, images).split(':')
    await container.commit({ repo, tag, changes: `ENTRYPOINT ${JSON.stringify(Config.Entrypoint)}` })
  } finally {
    signal?.removeEventListener('abort', end)
    await container.remove({ force: true })
  }
}

type Container = Awaited<ReturnType<Engine['docker']['createContainer']>>

const putDebs = async (container: Container, { packages }: PackageSet): Promise<void> => {
  const files = packages.map(p => path.basename(debFile(p)))
  const [first] = packages
  if (!first) return
  const tar = spawn('tar', ['-C', path.dirname(debFile(first)), '-c', ...files], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  tar.once('error', error => tar.stdout.destroy(error))
  try {
    await container.putArchive(tar.stdout, { path: `/${ARCHIVES}` })
  } finally {
    tar.kill()
  }
}
