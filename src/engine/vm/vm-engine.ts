import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { LvslabError, messageOf } from '../../errors.ts'
import { entryLockFile } from '../cache.ts'
import { verifiedDocker } from '../docker-client.ts'
import type { Engine } from '../engine.ts'
import type { EngineBuild } from './build.ts'
import { type Instance, type InstanceOptions, startInstance } from './instance.ts'
import { AGENT_PORT, MEMORY_IS_A_FILE, type MachineSpec, STATE_IN } from './machine.ts'

/** A saved machine, running or not: files that never change again, and the key of their cache entry. */
export interface SavedMachine {
  /** Lock files of every cache entry that this one stands on, itself included. */
  locks: string[]
  /** Frozen: of the saved machine with the images, or of that on which this one stands. */
  disk: string
  overlay: string
  /** Where it may be missing, it is packed beside. */
  memory: string
  state: string
}

/** An engine in a virtual machine of its own. */
export interface VmEngine extends Engine {
  kind: 'vm'
  instance: Instance
  build: EngineBuild
  spec: MachineSpec
  /** Cache entries that this engine's disk stands on. */
  locks: string[]
  /** Closes every connection to its Docker Engine: none may be open when it is saved. */
  disconnect(): void
}

/**
 * How long a machine may take until its Docker API answers, ms of the processor's time: on a busy host it gets little of that, and
 * has no fault. A boot takes about 10 s under software emulation; a fork that has had 8 s has lost its network or its state.
 */
const BOOT_DEADLINE_MS = 60_000
const FORK_DEADLINE_MS = 8_000

/** Reading a saved state takes a tenth of a second; by the clock, as it is QEMU's main loop that reads. */
const RESTORE_DEADLINE_MS = 30_000

/** A machine that waits for what does not come takes no processor time at all; it has so many times its deadline by the clock. */
const BY_THE_CLOCK = 8

export interface StartOptions {
  signal?: AbortSignal | undefined
  keep?: boolean
  /** Its Docker Engine is not waited for, but reached when it is asked for something. */
  lazy?: boolean
}

/** Boots an engine from its bare disk. */
export const bootEngine = (build: EngineBuild, spec: MachineSpec, options: StartOptions = {}): Promise<VmEngine> =>
  start(build, spec, options, {
    locks: [entryLockFile('engines', build.key)],
    deadlineMs: BOOT_DEADLINE_MS,
  })

/**
 * Goes on from a saved machine, in a copy that shares what it does not change.
 *
 * @param mode `private`: copy on write, for a test; `copy`: a full copy, that can itself be saved
 */
export const forkEngine = (
  build: EngineBuild,
  spec: MachineSpec,
  saved: SavedMachine,
  mode: 'private' | 'copy',
  options: StartOptions = {},
): Promise<VmEngine> =>
  start(build, spec, options, {
    saved: { ...saved, mode },
    locks: saved.locks,
    deadlineMs: FORK_DEADLINE_MS,
  })

const start = async (
  build: EngineBuild,
  spec: MachineSpec,
  options: StartOptions,
  from: {
    saved?: NonNullable<InstanceOptions['saved']>
    locks: string[]
    deadlineMs: number
  },
): Promise<VmEngine> => {
  const { deadlineMs, ...where } = from
  const { lazy = false, ...how } = options
  const instance = await startInstance({ build, spec, ...where, ...how })
  try {
    const awake = clockGate(instance, spec)
    if (from.saved) await restore(instance, spec, options.signal)
    const endpoint = { host: '127.0.0.1', port: instance.port, certificates: build.clientCertificates }
    const nonce = `lvslab-${randomBytes(16).toString('hex')}`
    const mark = async (): Promise<string> => {
      const { docker, close } = await verifiedDocker(endpoint)
      try {
        await untilAnswering(() => docker.ping(), instance, deadlineMs, options.signal)
        await docker.createVolume({ Name: nonce })
        return nonce
      } finally {
        close() // what is open now has not proved anything
      }
    }
    let marked: Promise<string> | undefined
    const identify = (): Promise<string> =>
      (marked ??= awake(mark).catch((error: unknown) => {
        marked = undefined // whoever asks next tries again
        throw error
      }))
    const { docker, close } = await verifiedDocker(endpoint, identify)
    if (!lazy) await identify()
    const environment = {
      DOCKER_HOST: `tcp://127.0.0.1:${instance.port}`,
      DOCKER_TLS_VERIFY: '1',
      DOCKER_CERT_PATH: build.clientCertificates,
    }
    const exports = Object.entries(environment).map(([name, value]) => `export ${name}='${value}'\n`)
    await writeFile(path.join(instance.dir, 'docker.env'), exports.join(''))
    return {
      kind: 'vm',
      id: nonce,
      clock: spec.clock,
      docker,
      environment,
      facts: { ...build.versions, accelerator: spec.accelerator, clock: spec.clock },
      awake,
      agentPort: { device: AGENT_PORT, open: instance.openAgentPort },
      ended: instance.ended,
      instance,
      build,
      spec,
      locks: from.locks,
      disconnect: close,
      async [Symbol.asyncDispose]() {
        close()
        await instance[Symbol.asyncDispose]()
      },
    }
  } catch (error) {
    await instance[Symbol.asyncDispose]()
    throw error
  }
}

/** On the virtual clock the machine stands where it was saved, see {@link clockGate}. */
const restore = async (instance: Instance, { clock }: MachineSpec, signal?: AbortSignal): Promise<void> => {
  const { monitor } = instance
  await monitor.command(MEMORY_IS_A_FILE)
  await monitor.command(`migrate_incoming ${STATE_IN}`)
  const deadline = performance.now() + RESTORE_DEADLINE_MS
  for (;;) {
    const status = await monitor.command('info status')
    if (!status.includes('inmigrate')) break
    if (performance.now() > deadline) throw new LvslabError('ENGINE_RESTORE', `the saved machine stays so: ${status}`)
    signal?.throwIfAborted()
    await sleep(5)
  }
  if (clock === 'real') await monitor.command('cont')
}

const untilAnswering = async (
  ping: () => Promise<unknown>,
  instance: Instance,
  deadlineMs: number,
  signal?: AbortSignal,
): Promise<void> => {
  const [cpu, started] = [await instance.processorMs(), performance.now()]
  const seen: { ended?: string; refusal?: unknown } = {}
  const answered = Promise.withResolvers<true>()
  const over = instance.ended.then(why => {
    seen.ended = why
  })
  const ask = (): Promise<void> =>
    ping().then(
      () => answered.resolve(true),
      (error: unknown) => {
        seen.refusal = error
      },
    )
  for (;;) {
    // one that had no answer goes on: on a busy host it may only have been slow
    const next = Promise.race([ask(), over, sleep(2_000, undefined, { signal }).catch(() => {})])
    if (await Promise.race([answered.promise, next])) return
    signal?.throwIfAborted()
    if (seen.ended !== undefined) throw new LvslabError('ENGINE_START', `QEMU ended: ${seen.ended}`)
    const [spent, passed] = [(await instance.processorMs()) - cpu, performance.now() - started]
    if (spent > deadlineMs || passed > BY_THE_CLOCK * deadlineMs) {
      const cause = seen.refusal
      const why = cause === undefined ? '' : `: ${messageOf(cause)}`
      const times = `${seconds(passed)}, ${seconds(spent)} of them on a processor`
      throw new LvslabError('ENGINE_SILENT', `no answer from the Docker API within ${times}${why}`, {
        remedy: `look at the console of the engine, ${instance.dir}/serial.log, with \`lvslab up\``,
        cause,
      })
    }
    await sleep(25)
  }
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`

/** On the virtual clock the machine runs only while somebody inside {@link Engine.awake} talks to it. */
const clockGate = (instance: Instance, spec: MachineSpec): Engine['awake'] => {
  if (spec.clock === 'real') return run => run()
  let users = 0
  let turn: Promise<unknown> = Promise.resolve()
  const next = (command: 'cont' | 'stop'): Promise<unknown> => {
    turn = turn.then(async () => {
      if (command === 'stop' && users > 0) return // somebody came in the meantime
      await instance.monitor.command(command)
    })
    return turn
  }
  return async run => {
    if (users++ === 0) await next('cont')
    else await turn
    try {
      return await run()
    } finally {
      if (--users === 0) await next('stop').catch(() => {}) // QEMU may have ended meanwhile
    }
  }
}
