import { createHash, randomUUID } from 'node:crypto'
import { entryLockFile, exists } from '../engine/cache.ts'
import type { Steps } from '../engine/progress.ts'
import { requireRoom } from '../engine/room.ts'
import { chooseAccelerator } from '../engine/vm/accelerator.ts'
import { type EngineBuild, ensureEngine } from '../engine/vm/build.ts'
import { bootedWith, type Clock, type MachineSpec, machineSpec } from '../engine/vm/machine.ts'
import { type Base, ensureSaved, pruneTemplates, type SavedEntry } from '../engine/vm/saved.ts'
import { bootEngine, forkEngine, type VmEngine } from '../engine/vm/vm-engine.ts'
import { LvslabError } from '../errors.ts'
import type { LabEvent } from '../history/event.ts'
import { History, historyOf } from '../history/history.ts'
import { topologyKey } from '../topology/key.ts'
import type { NodeFile } from '../topology/node-files.ts'
import type { Node, Topology } from '../topology/types.ts'
import { deploy } from './deploy.ts'
import { emptyMemory, ensureImages, freezeDisk, imagesKey } from './images.ts'
import { keepalivedFiles, otherKeepalived } from './keepalived.ts'
import { type Lab, openLab, restDocker, watchFirst } from './lab.ts'
import { type PackageSet, resolveSets } from './node-packages.ts'
import { ensurePackageImages, fetchPackages } from './package-images.ts'
import { type Readiness, waitReady } from './readiness.ts'
import { untilInterrupted } from './until-interrupted.ts'

/** A built engine with the role images in it, saved while running: every lab goes on from here. */
export interface PreparedEngine {
  build: EngineBuild
  spec: MachineSpec
  images: SavedEntry<ImagesManifest>
  /** Nodes' own packages, each set with an image of its own on it. */
  packages: PackageSet[]
  /** Why this accelerator was taken. */
  why: string
}

/** What the saved engine with the role images remembers. */
interface ImagesManifest {
  /** Tag of the role images. */
  images: string
  /** Of this very entry: one made anew has other bytes, and no template that stood on the old one fits it. */
  id: string
}

/** What a lab's template remembers of its making. */
export interface TemplateManifest {
  /** The journal from the first watcher to the moment of saving. */
  events: LabEvent[]
  /** ms on the lab's clock, just before it was saved: the origin of every fork. */
  savedAt: number
}

/** Part of a template's key: counts up with each change of {@link TemplateManifest}. */
const MANIFEST = 2

export type LabTemplate = SavedEntry<TemplateManifest>

export interface PrepareOptions {
  clock: Clock | 'default'
  steps: Steps
  signal?: AbortSignal | undefined
}

const digest = (...parts: unknown[]): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16)

/**
 * Builds what is missing: the engine, and the role images in it. Nothing is done where both are in the cache.
 *
 * @param topology whose nodes may have packages of their own: a saved engine that has them too is made for it
 */
export const prepareEngine = async (
  { clock, steps, signal }: PrepareOptions,
  topology?: Topology,
): Promise<PreparedEngine> => {
  const build = await ensureEngine(steps, signal)
  const packages = topology ? await resolveSets(topology, steps, signal) : []
  const { accelerator, why } = await chooseAccelerator(build, steps, signal)
  if (clock === 'virtual' && accelerator === 'kvm') {
    throw new LvslabError('CLOCK_UNAVAILABLE', 'the virtual clock exists under software emulation only', {
      remedy: 'leave --clock out, or set LVSLAB_ACCELERATOR=tcg',
      exitCode: 2,
    })
  }
  const spec = machineSpec(accelerator, clock === 'default' ? defaultClock(accelerator) : clock)
  const images = await imagesKey()
  const base: Base = { kind: 'engines', key: build.key, locks: [entryLockFile('engines', build.key)] }
  const make = async (): Promise<{ engine: VmEngine; manifest: ImagesManifest }> => {
    const engine = await steps.step('Boot the engine', () => bootEngine(build, spec, { signal }))
    return endOnError(engine, signal, async () => {
      await engine.awake(async () => {
        await ensureImages(engine, images, build.baseImage, steps, signal)
        await freezeDisk(engine, images)
        await emptyMemory(engine, images)
      })
      return { engine, manifest: { images, id: randomUUID() } }
    })
  }
  const key = digest(build.id, spec, bootedWith(spec), images)
  const plain = await ensureSaved('images', key, base, make, { steps, signal })
  const prepared = { build, spec, why, packages, images: plain }
  // each set is saved by itself: what is installed is kept when the next one is interrupted, or another is wanted
  for (const set of packages) prepared.images = await addPackages(prepared, set, { steps, signal })
  return prepared
}

/** The saved engine with the image of one more set of packages. */
const addPackages = async (
  { build, spec, images }: PreparedEngine,
  set: PackageSet,
  { steps, signal }: Omit<PrepareOptions, 'clock'>,
): Promise<SavedEntry<ImagesManifest>> => {
  const tag = images.manifest.images
  const make = async (): Promise<{ engine: VmEngine; manifest: ImagesManifest }> => {
    await fetchPackages([set], steps, signal) // without a network, nothing is started for nothing
    const engine = await forkEngine(build, spec, images, 'copy', { signal })
    return endOnError(engine, signal, async () => {
      await engine.awake(async () => {
        await ensurePackageImages(engine, tag, [set], steps, signal)
        await emptyMemory(engine, tag)
      })
      return { engine, manifest: { images: tag, id: randomUUID() } }
    })
  }
  const key = digest(images.manifest.id, set.role, set.key)
  return ensureSaved('images', key, { kind: 'images', ...images }, make, { steps, signal })
}

const defaultClock = (accelerator: MachineSpec['accelerator']): Clock => (accelerator === 'tcg' ? 'virtual' : 'real')

/** Deploys a topology, waits until it is ready, and saves it; or finds it saved. @throws NotConverged */
export const ensureTemplate = async (
  prepared: PreparedEngine,
  topology: Topology,
  readiness: Readiness[],
  { steps, signal }: Omit<PrepareOptions, 'clock'>,
): Promise<LabTemplate> => {
  const { build, spec, images } = prepared
  const make = async (): Promise<{ engine: VmEngine; manifest: TemplateManifest }> => {
    const keepalived = await keepalivedFiles(topology, steps, signal)
    const engine = await forkEngine(build, spec, images, 'copy', { signal })
    return endOnError(engine, signal, async () => ({
      engine,
      manifest: await bringUp(prepared, engine, topology, { readiness, keepalived, steps, signal }),
    }))
  }
  const other = otherKeepalived(topology)
  const program = other ? [other.sha256] : []
  const key = digest(MANIFEST, images.manifest.id, await topologyKey(topology), readiness, ...program)
  const template = await ensureSaved<TemplateManifest>('templates', key, { kind: 'images', ...images }, make, {
    steps,
    signal,
    onWait: () => void steps.step('Wait for another lvslab that is making this lab', async () => {}),
  })
  await pruneTemplates()
  if (!(await exists(template.memory))) await requireRoom('a saved lab, unpacked')
  return template
}

const bringUp = async (
  prepared: PreparedEngine,
  engine: VmEngine,
  topology: Topology,
  options: Omit<PrepareOptions, 'clock'> & { readiness: Readiness[]; keepalived: NodeFile[] },
): Promise<TemplateManifest> => {
  const { readiness, keepalived, steps, signal } = options
  const { images } = prepared.images.manifest
  const { packages } = prepared
  const history = new History()
  const closed = { engine, topology, history, signal }
  const first = 'Start the watchers, and warm the probes up'
  // a director with a thousand health checks leaves a probe little of the processor to get fast on
  const beforeDirectors = (others: Node[]): Promise<void> => steps.step(first, () => watchFirst(closed, others))
  await engine.awake(() => deploy(engine, topology, { images, packages, keepalived, steps, signal, beforeDirectors }))
  const lab = await steps.step(history.size > 0 ? 'Start the watchers of the directors' : first, () =>
    openLab(engine, topology, 'convergence', { was: 'deployed', history, signal }),
  )
  try {
    await waitReady(lab, readiness, steps, signal)
  } finally {
    await lab[Symbol.asyncDispose]()
  }
  engine.disconnect()
  const savedAt = await restDocker(closed)
  return { events: [...history].filter(event => event.t <= savedAt), savedAt }
}

/** Ends the engine where that fails, or is interrupted: nobody waits then for what goes on in it, which ends with it. */
const endOnError = async <T>(engine: VmEngine, signal: AbortSignal | undefined, run: () => Promise<T>): Promise<T> => {
  try {
    return await untilInterrupted(run(), signal)
  } catch (error) {
    await engine[Symbol.asyncDispose]()
    throw error
  }
}

/** A copy of a saved lab, of its own and with its history, in well under a second. Disposing it ends its engine. */
export const forkLab = async (
  prepared: PreparedEngine,
  template: LabTemplate,
  topology: Topology,
  name: string,
  options: { signal?: AbortSignal | undefined; onEvent?: (event: LabEvent) => void } = {},
): Promise<Lab> => {
  const engine = await forkEngine(prepared.build, prepared.spec, template, 'private', { ...options, lazy: true })
  return endOnError(engine, options.signal, async () => {
    const history = historyOf(template.manifest.events)
    // on the real clock an emulated lab warms up first, in its own time
    const origin = engine.clock === 'virtual' ? { origin: template.manifest.savedAt } : {}
    const lab = await openLab(engine, topology, name, { was: 'forked', history, ...origin, ...options })
    return {
      ...lab,
      async [Symbol.asyncDispose]() {
        await lab[Symbol.asyncDispose]()
        await engine[Symbol.asyncDispose]()
      },
    }
  })
}
