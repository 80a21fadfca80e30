import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { constants, mkdirSync, openSync, writeFileSync } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { Socket } from 'node:net'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { LvslabError, messageOf } from '../../errors.ts'
import { commandLine, quote } from '../../shell.ts'
import { cacheDir, exists } from '../cache.ts'
import type { Line } from '../engine.ts'
import type { EngineBuild } from './build.ts'
import { INSTANCE_FILES, type MachineFiles, type MachineSpec, passtCommand, qemuCommand } from './machine.ts'
import { connectMonitor, type Monitor } from './monitor.ts'
import { freePort } from './free-port.ts'
import { packedFile, unpackCommand } from './packed.ts'
import { onOwnProcessor, processorsToTry } from './processors.ts'

/** A running QEMU with its passt, in a folder of its own. Disposing it leaves nothing behind. */
export interface Instance extends AsyncDisposable {
  id: string
  dir: string
  /** Port on the host's loopback that leads to the Docker API. */
  port: number
  monitor: Monitor
  /** The host's end of the guest's port, see `AGENT_PORT`: for one at a time. @throws LvslabError ENGINE_ENDED */
  openAgentPort: () => Line
  /** What QEMU has had of the processors so far, ms. */
  processorMs: () => Promise<number>
  /** Resolves when QEMU has ended, with the reason as far as it is known. */
  ended: Promise<string>
  /** Lets this process end while a kept instance goes on. */
  release: () => void
}

export interface InstanceOptions {
  build: EngineBuild
  spec: MachineSpec
  /** What the machine goes on from; without it, it boots from a copy of the engine's disk. */
  saved?: { disk: string; overlay: string; memory: string; state: string; mode: 'private' | 'copy' }
  /** Lock files to hold shared for as long as QEMU runs: the cache entries that it reads. */
  locks: string[]
  /** true: goes on when this process ends, until it is told to stop. */
  keep?: boolean
  signal?: AbortSignal | undefined
}

/** Cache entries that a guard can hold: a shell has the descriptors 4 to 9 for them. Engine, role images, lab: three are left for packages. */
const MAX_LOCKS = 6

/** Starts QEMU and passt under a guard: a shell that ends both, and removes the folder, when this process is gone. */
export const startInstance = async (options: InstanceOptions): Promise<Instance> => {
  const { build, spec, saved } = options
  if (options.locks.length > MAX_LOCKS) {
    const message = `a lab stands on ${options.locks.length} entries of the cache, and ${MAX_LOCKS} can be held`
    throw new LvslabError('ENGINE_LOCKS', message, {
      remedy: 'give nodes of one role the same `packages`: each choice is an entry',
      exitCode: 2,
    })
  }
  const id = randomBytes(4).toString('hex')
  const dir = cacheDir('run', id)
  let guard: ReturnType<typeof spawn> | undefined
  try {
    const port = await freePort()
    const { files, copies, unpack } = filesOf(build, saved)
    const qemu = qemuCommand(build, spec, { files, incoming: saved !== undefined })
    const script = guardScript({
      dir,
      passt: passtCommand(build, port),
      qemu:
        spec.clock === 'virtual'
          ? onOwnProcessor(qemu, await processorsToTry(), cacheDir('locks'))
          : `exec ${commandLine(qemu)}`,
      stateIn: saved?.state ?? '/dev/null',
      copies,
      unpack: unpack && unpackLine(build, unpack),
      locks: options.locks,
      keep: options.keep ?? false,
    })
    // whoever is ended from without in between leaves a folder that nobody removes
    mkdirSync(dir, { recursive: true, mode: 0o700 })
    writeFileSync(path.join(dir, 'guard'), script, { mode: 0o700 })
    guard = spawn('sh', [path.join(dir, 'guard')], {
      stdio: [options.keep ? 'ignore' : 'pipe', options.keep ? 'ignore' : 'pipe', 'ignore'],
      detached: true,
    })
    const child = guard
    const over = once(child, 'exit') // a guard that fails before QEMU says nothing
    const ended = (child.stdout ? Promise.race([once(child.stdout, 'data'), over]) : over).then(async ([said]) => {
      const code = /exit code (\d+)/.exec(String(said))?.[1]
      // its memory and its disks are files: writing where there is no room is a bus error
      const full = code === '135' ? 'exit code 135' : String(said).includes(NOT_UNPACKED) && NOT_UNPACKED
      const how = full ? `${full}, as where the disk is full` : code && `exit code ${code}`
      return `${how ? `${how}; ` : ''}${await lastWords(dir)}`
    })
    const lost = ended.then(why => {
      throw new LvslabError('ENGINE_START', `QEMU ended at once: ${why}`, { remedy: 'run `lvslab doctor`' })
    })
    const connecting = untilStarted(dir, child, options.signal).then(() =>
      connectMonitor(path.join(dir, INSTANCE_FILES.monitor), MONITOR_DEADLINE_MS, options.signal),
    )
    lost.catch(() => {})
    // a machine that ends while it is being connected to says why on its own; the broken connection does not
    const monitor = await Promise.race([connecting.catch(error => Promise.race([lost, laterReject(error)])), lost])
    return {
      id,
      dir,
      port,
      monitor,
      openAgentPort: () => openAgentPort(dir),
      processorMs: () => processorMs(dir),
      ended,
      release: () => child.unref(),
      async [Symbol.asyncDispose]() {
        monitor[Symbol.dispose]()
        await stopGuard(child, dir)
      },
    }
  } catch (error) {
    if (guard) await stopGuard(guard, dir)
    await rm(dir, { recursive: true, force: true })
    throw error
  }
}

/** A packed file, and what it becomes where that is not there yet. */
interface Unpack {
  packed: string
  to: string
  mode: '400' | '600'
}

/** Where each file of a machine is, and what becomes of others first. */
const filesOf = (
  build: EngineBuild,
  saved: InstanceOptions['saved'],
): { files: MachineFiles; copies: Copy[]; unpack?: Unpack } => {
  const { disk, overlay, memory } = INSTANCE_FILES
  if (!saved) return { files: { disk, frozen: false, overlay, memory, private: false }, copies: [[build.disk, disk]] }
  const frozen = { disk: saved.disk, frozen: true }
  const packed = packedFile(saved.memory)
  if (saved.mode === 'copy')
    return {
      files: { ...frozen, overlay, memory, private: false },
      copies: [[saved.overlay, overlay]],
      unpack: { packed, to: memory, mode: '600' },
    }
  return {
    files: { ...frozen, overlay: saved.overlay, memory: saved.memory, private: true },
    copies: [],
    unpack: { packed, to: saved.memory, mode: '400' },
  }
}

/** What the guard says of it: on a full disk it can write nothing down. */
const NOT_UNPACKED = 'the saved lab could not be unpacked'

/** Of the guard, when it holds the locks: nobody removes in between what is there. Two guards may unpack the same at once. */
const unpackLine = ({ tools }: EngineBuild, { packed, to, mode }: Unpack): string => {
  const aside = 'unpacked'
  const made = `${commandLine(unpackCommand(tools, packed, aside))} && chmod ${mode} ${aside} && mv -f ${aside} ${quote(to)}`
  return `[ -e ${quote(to)} ] || { ${made}; } || { echo '${NOT_UNPACKED}'; leave; }`
}

/** QEMU makes its socket within a second; it is counted from its start. */
const MONITOR_DEADLINE_MS = 20_000

/** Copying comes first, which takes what the host's disk takes. */
const untilStarted = async (dir: string, guard: ChildProcess, signal?: AbortSignal): Promise<void> => {
  while (guard.exitCode === null && guard.signalCode === null) {
    signal?.throwIfAborted()
    if (await exists(path.join(dir, PIDS))) return
    await sleep(10)
  }
}

const openAgentPort = (dir: string): Line => {
  const end = (name: 'in' | 'out'): Socket => {
    const fd = openSync(path.join(dir, `${INSTANCE_FILES.agentPort}.${name}`), constants.O_RDWR | constants.O_NONBLOCK)
    return new Socket({ fd, readable: name === 'out', writable: name === 'in' })
  }
  try {
    return { from: end('out'), to: end('in') }
  } catch (cause) {
    // its folder goes with it
    const message = `the engine has ended: ${messageOf(cause)}`
    throw new LvslabError('ENGINE_ENDED', message, { remedy: 'run `lvslab doctor`', cause })
  }
}

/** Process IDs of passt and QEMU, written when both are started. */
const PIDS = 'pids'

/** Of user and system mode, in ticks of 10 ms: proc_pid_stat(5), fields 14 and 15. */
const processorMs = async (dir: string): Promise<number> => {
  const [, qemu = ''] = (await readFile(path.join(dir, PIDS), 'utf8').catch(() => '')).trim().split(' ')
  const stat = await readFile(`/proc/${qemu}/stat`, 'utf8').catch(() => '')
  const [user = 0, system = 0] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13)
    .map(Number)
  return (user + system) * 10
}

const laterReject = async (error: unknown): Promise<never> => {
  await sleep(500)
  throw error
}

const stopGuard = async (guard: ReturnType<typeof spawn>, dir: string): Promise<void> => {
  if (guard.exitCode === null && guard.signalCode === null) {
    const exited = once(guard, 'exit')
    if (guard.stdin) guard.stdin.end()
    else guard.kill('SIGTERM')
    await exited
  }
  await rm(dir, { recursive: true, force: true })
}

/** Ends a kept instance by its folder. */
export const stopKept = async (dir: string): Promise<void> => {
  const pid = Number(await readFile(path.join(dir, 'guard.pid'), 'utf8').catch(() => '0'))
  if (pid > 0) {
    try {
      process.kill(pid, 'SIGTERM')
      for (let i = 0; i < 200; i++) {
        process.kill(pid, 0)
        await new Promise(resolve => setTimeout(resolve, 20))
      }
    } catch {
      // gone
    }
  }
  await rm(dir, { recursive: true, force: true })
}

const lastWords = async (dir: string): Promise<string> => {
  const texts = await Promise.all(
    [INSTANCE_FILES.serial, 'guard.log', 'passt.log', 'qemu.log'].map(async name => {
      const text = await readFile(path.join(dir, name), 'utf8').catch(() => '')
      const last = text.trim().split('\n').slice(-3).join(' | ')
      return last && `${name}: ${last}`
    }),
  )
  return texts.filter(text => text !== '').join('; ') || 'no message'
}

/** A file, and its name in the instance folder. */
type Copy = [from: string, to: string]

/** See {@link startInstance}; a test has it start other programs. */
export const guardScript = (parts: {
  dir: string
  passt: string[]
  /** Shell that becomes QEMU. */
  qemu: string
  stateIn: string
  copies: Copy[]
  unpack: string | undefined
  locks: string[]
  keep: boolean
}): string => `#!/bin/sh
# Guard of one engine: starts passt and QEMU, and ends both when lvslab is gone (its end of the pipe on standard input closes)
# or when it gets TERM. Descriptors 4 to 9 hold the cache entries in use, 3 is the pipe; QEMU's own 3 and 4 are its state, out and in.
set -u
umask 077
exec 3<&0
cd ${quote(parts.dir)} || exit 1
exec 2> guard.log
echo $$ > guard.pid
${parts.locks.map((file, i) => `exec ${i + 4}>${quote(file)} && flock --shared ${i + 4} || exit 1`).join('\n')}
stopped= passt= qemu= watch=
stop() { stopped=1; kill -KILL $passt $qemu 2>/dev/null; }
leave() { kill $watch 2>/dev/null; kill -KILL $passt 2>/dev/null; [ -z "$stopped" ] || rm -rf ${quote(parts.dir)}; exit 1; }
# passt's socket is there a moment before it listens, and QEMU would go on without a network for ever
listening() { while read -r line; do case $line in *'You can now start qemu'*) return 0 ;; esac; done < passt.log; return 1; }
trap 'stop' TERM
trap '' INT HUP PIPE
${parts.keep ? '' : '{ read _; kill -TERM $$; } <&3 2>/dev/null & watch=$!'}
${parts.copies.map(([from, to]) => `cp --sparse=always ${commandLine([from, to])} && chmod 600 ${quote(to)} || leave`).join('\n')}
${parts.unpack ?? ''}
mkfifo -m 600 ${INSTANCE_FILES.agentPort}.in ${INSTANCE_FILES.agentPort}.out || leave
> passt.log
${commandLine(parts.passt)} > passt.log 2>&1 & passt=$!
while ! listening; do kill -0 $passt 2>/dev/null || leave; sleep 0.01; done
[ -z "$stopped" ] || leave
{
${parts.qemu}
} > qemu.log 2>&1 3> ${INSTANCE_FILES.state} 4< ${quote(parts.stateIn)} & qemu=$!
[ -z "$stopped" ] || stop
echo $passt $qemu > ${PIDS}
code=
while kill -0 $qemu 2>/dev/null; do wait $qemu; code=$?; done # a signal to the guard interrupts a wait
echo "exit code $code" # above 128 it was a signal. The folder stays until whoever started it has read why, or is gone
kill -KILL $passt 2>/dev/null
passt= qemu=
${parts.keep ? 'exit 0' : 'wait $watch'}
rm -rf ${quote(parts.dir)}
`
