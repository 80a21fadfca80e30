import { access } from 'node:fs/promises'
import { connectDocker, type DockerEngine } from '../engine/docker/docker-engine.ts'
import { preflight } from '../engine/docker/preflight.ts'
import { schedulersIn } from '../engine/docker/schedulers.ts'
import { silent, type Steps } from '../engine/progress.ts'
import { findEngine } from '../engine/vm/build.ts'
import { LvslabError, messageOf } from '../errors.ts'
import type { LabEvent } from '../history/event.ts'
import { type History, historyOf } from '../history/history.ts'
import { type NodeFile, nodeFiles } from '../topology/node-files.ts'
import type { Topology } from '../topology/types.ts'
import { checkMoment } from './checks.ts'
import { claimName, deploy, labelsOf, remove } from './deploy.ts'
import { ensureImages, imageName, imagesKey } from './images.ts'
import { keepalivedFacts, keepalivedFiles } from './keepalived.ts'
import { type Lab, openLab } from './lab.ts'
import { type PackageSet, resolveSets } from './node-packages.ts'
import { ensurePackageImages, fetchPackages } from './package-images.ts'
import type { Probe } from './probes.ts'
import type { LabSource } from './lab-source.ts'
import { thisProcess } from './owner.ts'
import { type Readiness, waitReady } from './readiness.ts'

/** What a lab is made from, again and again. */
interface Recipe {
  engine: DockerEngine
  topology: Topology
  readiness: Readiness[]
  images: string
  packages: PackageSet[]
  keepalived: NodeFile[]
  owner: string
  steps: Steps
}

/** The one lab that every use shares, with its one connection to the agent. */
interface SharedLab {
  lab: Lab
  /** What happened until it had converged. */
  convergence: History
  /** Whoever uses it now. */
  listener: ((event: LabEvent) => void) | undefined
  /** Why it is not fit for a further use. */
  unfit: string | undefined
  /** How often it was used. */
  uses: number
}

/** @throws LvslabError LAB_BRIDGE: on a bridge the packet filter of somebody's Docker Engine would have its say */
const refuseBridges = ({ networks }: Topology): void => {
  const bridge = networks.find(({ driver }) => driver === 'bridge')
  if (!bridge) return
  throw new LvslabError(
    'LAB_BRIDGE',
    `the network ${bridge.name} is a bridge, which the engine docker does not build`,
    {
      remedy:
        'use --engine vm; or take `driver: bridge` out of topology.yaml (`lvslab derive PATH --to DIR` writes one), without which no failover between VMACs is judged',
      exitCode: 2,
    },
  )
}

/**
 * Labs on the Docker Engine that DOCKER_HOST names. It cannot fork, so there is one lab, used by one scenario after the other:
 * each heals what it breaks, and the lab is ready again before the next has it. One that does not become so is deployed afresh.
 */
export const dockerSource = (): LabSource => {
  let facts: Record<string, string> = { engine: 'docker' }
  let engine: DockerEngine | undefined
  let labels: Record<string, string> | undefined
  let recipe: Recipe | undefined
  let shared: SharedLab | undefined
  let inUse: string | undefined

  const bringUp = async (from: Recipe, signal?: AbortSignal): Promise<SharedLab> => {
    const { engine, topology, images, packages, keepalived, owner, steps } = from
    await deploy(engine, topology, { images, packages, keepalived, owner, steps, signal })
    signal?.throwIfAborted()
    shared = await steps.step('Start the watchers, and warm the probes up', () => openShared(engine, topology))
    using _abort = endOnAbort(shared, signal)
    try {
      await waitReady(shared.lab, from.readiness, steps, signal)
    } catch (error) {
      shared.unfit ??= messageOf(error)
      throw error
    }
    shared.convergence = historyOf(shared.lab.history)
    return shared
  }

  const afresh = (from: Recipe, signal?: AbortSignal): Promise<SharedLab> =>
    from.steps.step(`Deploy the lab afresh: ${shared?.unfit ?? 'there is none'}`, async () => {
      await shared?.lab[Symbol.asyncDispose]()
      shared = undefined
      await remove(from.engine, labelsOf(from.topology.name, from.owner))
      return bringUp(from, signal)
    })

  return {
    parallel: 1,
    facts: () => facts,
    prepare: async (topology, readiness, { steps, signal }) => {
      refuseBridges(topology)
      const running = await steps.step('Connect to the Docker Engine', async progress => {
        engine = await connectDocker(signal)
        progress(`${engine.address}, Docker ${engine.facts['docker']}, Linux ${engine.facts['kernel']}`)
        return engine
      })
      facts = { engine: 'docker', ...running.facts }
      await claimName(running, topology.name, steps)
      const owner = await thisProcess()
      labels = labelsOf(topology.name, owner)
      const images = await imagesKey()
      const rootfs = await pinnedRootfs()
      const packages = await packagesOn(rootfs, topology, steps, signal)
      await fetchPackages(packages, steps, signal)
      const keepalived = await keepalivedFiles(topology, steps, signal)
      await ensureImages(running, images, rootfs, steps, signal)
      await ensurePackageImages(running, images, packages, steps, signal)
      const [image, schedulers] = [imageName('director', images), schedulersOf(topology)]
      const trial = { image, schedulers, labels, signal }
      const versions = await steps.step(
        `Try ip_vs${schedulers.length ? ` (${schedulers.join(', ')})` : ''} and macvlan in its kernel`,
        () => preflight(running, trial),
      )
      facts = { ...facts, ...versions, ...keepalivedFacts(topology) }
      recipe = { engine: running, topology, readiness, images, packages, keepalived, owner, steps }
      const { convergence } = await bringUp(recipe, signal)
      return convergence
    },
    open: async (name, { signal, onEvent }) => {
      if (!recipe) throw new LvslabError('LAB_NOT_PREPARED', 'open() before prepare()')
      if (inUse !== undefined) throw new LvslabError('LAB_IN_USE', `${name}: the one lab is in use by ${inUse}`)
      const { readiness } = recipe
      inUse = name
      try {
        const usable = shared && shared.unfit === undefined ? shared : await afresh(recipe, signal)
        return await borrow(usable, name, { readiness, signal, onEvent }, () => {
          inUse = undefined
        })
      } catch (error) {
        inUse = undefined
        throw error
      }
    },
    async [Symbol.asyncDispose]() {
      await using _engine = engine
      await shared?.lab[Symbol.asyncDispose]()
      if (engine && labels) await remove(engine, labels)
    },
  }
}

/** The base image's root filesystem from the cache, as it is pinned; undefined where Debian's must be pulled. */
const pinnedRootfs = async (): Promise<string | undefined> => {
  const file = (await findEngine())?.baseImage
  if (file === undefined) return undefined
  return access(file).then(
    () => file,
    () => undefined,
  )
}

/** Nodes' own packages fit the pinned base image; what Debian's public one has today is not known before it is pulled. */
const packagesOn = async (
  rootfs: string | undefined,
  topology: Topology,
  steps: Steps,
  signal?: AbortSignal,
): Promise<PackageSet[]> => {
  if (rootfs === undefined && topology.nodes.some(node => node.packages)) {
    throw new LvslabError(
      'PACKAGE_BASE',
      `${topology.name} has nodes with packages of their own: they need the pinned base image`,
      {
        remedy: 'lvslab engine build # once',
      },
    )
  }
  return resolveSets(topology, steps, signal)
}

const schedulersOf = (topology: Topology): string[] =>
  schedulersIn(
    topology.nodes
      .filter(node => node.role === 'director')
      .flatMap(node => nodeFiles(node).map(f => f.content.toString())),
  )

const openShared = async (engine: DockerEngine, topology: Topology): Promise<SharedLab> => {
  const convergence = historyOf()
  const shared: Omit<SharedLab, 'lab'> = { convergence, listener: undefined, unfit: undefined, uses: 0 }
  const onEvent = (event: LabEvent): void => {
    // a watcher that ended stays ended: whoever comes next would have a gap and no word of it
    if (event.kind === 'trouble') shared.unfit ??= event.what
    shared.listener?.(event)
  }
  const lab = await openLab(engine, topology, 'convergence', { was: 'deployed', onEvent })
  return Object.assign(shared, { lab })
}

/** Waits in the lab cannot be interrupted, except by ending the conversation. */
const endOnAbort = (shared: SharedLab, signal: AbortSignal | undefined): Disposable => {
  const end = (): void => {
    shared.unfit ??= 'its last use was interrupted'
    void shared.lab[Symbol.asyncDispose]()
  }
  if (signal?.aborted) end()
  signal?.addEventListener('abort', end, { once: true })
  return { [Symbol.dispose]: () => signal?.removeEventListener('abort', end) }
}

interface BorrowOptions {
  readiness: Readiness[]
  signal?: AbortSignal | undefined
  onEvent?: ((event: LabEvent) => void) | undefined
}

/** The shared lab for one use: its events from now on, and given back as it was taken. */
export const borrow = async (
  shared: SharedLab,
  name: string,
  { readiness, signal, onEvent }: BorrowOptions,
  onReturn: () => void,
): Promise<Lab> => {
  const { lab } = shared
  const abort = endOnAbort(shared, signal)
  const undone = new Set<object>()
  /** Knows what a use leaves running. */
  const noted =
    <O extends object>(start: (options: O) => Promise<Probe>) =>
    async (options: O): Promise<Probe> => {
      undone.add(options)
      const probe = await start(options)
      const done = (): void => void undone.delete(options)
      return { ...probe, stop: () => probe.stop().then(done), ended: () => probe.ended().then(done) }
    }
  let origin: number
  const history = historyOf(shared.convergence)
  try {
    await takeFreshPorts(lab, shared.uses++) // its answer also comes after all that belongs to nobody any more
    shared.listener = event => {
      history.add(event)
      onEvent?.(event)
    }
    origin = await lab.snapshot()
  } catch (error) {
    shared.unfit ??= messageOf(error)
    abort[Symbol.dispose]()
    throw error
  }
  return {
    ...lab,
    name,
    history,
    origin,
    at: async (t, step) => {
      checkMoment(t, origin) // the shared lab's own began with its first use
      return lab.at(t, step)
    },
    http: noted(options => lab.http(options)),
    curl: noted(options => lab.curl(options)),
    tcp: noted(options => lab.tcp(options)),
    udp: noted(options => lab.udp(options)),
    capture: async options => {
      undone.add(options)
      const stop = await lab.capture(options)
      return () => stop().then(() => void undone.delete(options))
    },
    async [Symbol.asyncDispose]() {
      shared.listener = undefined
      try {
        if (undone.size > 0) shared.unfit ??= `${name} left a probe or a capture running`
        if (shared.unfit === undefined) await lab.faults.healAll()
        if (shared.unfit === undefined) await waitReady(lab, readiness, silent, signal)
      } catch (error) {
        shared.unfit = messageOf(error)
      } finally {
        abort[Symbol.dispose]()
        onReturn()
      }
    },
  }
}

/**
 * Gives the clients ports that they did not use lately. IPVS keeps a connection for up to two minutes after its end (FIN_WAIT);
 * while the real server of one is out of the table, a new connection from the same port is dropped, and tried again 1 s later.
 * In a fork nobody comes back to a port; here the next scenario would.
 */
const takeFreshPorts = async (lab: Lab, use: number): Promise<void> => {
  const setting = `net.ipv4.ip_local_port_range=${portRange(use)}`
  for (const { name } of lab.topology.nodes.filter(node => node.role === 'client')) {
    const { code, stderr } = await lab.exec(name, ['sysctl', '-qw', setting])
    if (code !== 0) throw new LvslabError('LAB_PORTS', `${name}: sysctl -w ${setting} ended with ${code}: ${stderr}`)
  }
}

/** One of the seven ranges of 8192 ports that are no system ports; a scenario's probe takes some 10 ports for each request. */
export const portRange = (use: number): string => {
  const first = 8192 * (1 + (use % 7))
  return `${first} ${first + 8191}`
}
