import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { access, constants, mkdtemp, rm, stat } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Finding, firstLine } from '../finding.ts'
import { host } from '../host-command.ts'
import { silent } from '../progress.ts'
import { tryKvm } from './accelerator.ts'
import type { EngineBuild } from './build.ts'
import { INSTANCE_FILES, machineSpec, passtCommand, qemuCommand } from './machine.ts'
import { versionIn } from './requirements.ts'
import { freePort } from './free-port.ts'

/** passt has bound its socket within milliseconds, or never will. */
const PASST_DEADLINE_MS = 3_000

/** Starts the engine's passt for a moment, with the options that a lab's has, until it has made its socket. */
export const tryPasst = async (build: EngineBuild, signal?: AbortSignal): Promise<Finding> => {
  const what = 'passt'
  const dir = await mkdtemp(path.join(os.tmpdir(), 'lvslab-try-'))
  try {
    const [program = '', ...args] = passtCommand(build, await freePort())
    const child = spawn(program, args, { cwd: dir, stdio: ['ignore', 'ignore', 'pipe'] })
    let said = ''
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
    const exited = once(child, 'exit')
    exited.catch(() => {}) // it could not be started at all: no process ID either
    try {
      const deadline = performance.now() + PASST_DEADLINE_MS
      while (!(await isSocket(path.join(dir, INSTANCE_FILES.network)))) {
        signal?.throwIfAborted()
        if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) {
          return { what, state: 'missing', detail: `passt ended at once: ${lastLine(said)}` }
        }
        if (performance.now() > deadline) return { what, state: 'missing', detail: 'passt makes no socket' }
        await sleep(10)
      }
      return { what, state: 'found', detail: `${build.versions['passt']} listens` }
    } finally {
      child.kill('SIGKILL')
      await exited.catch(() => {})
    }
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

const isSocket = (file: string): Promise<boolean> =>
  stat(file).then(
    found => found.isSocket(),
    () => false,
  )

/** What a program died of stands at the end of what it said. */
const lastLine = (text: string): string => firstLine(text.trim().split('\n').at(-1) ?? '')

/** Starts the engine's QEMU without a machine, with the sandbox that a lab's has, and lets it quit. */
export const tryQemu = async (build: EngineBuild, signal?: AbortSignal): Promise<Finding> => {
  const what = 'QEMU'
  const files = { ...INSTANCE_FILES, frozen: false, private: false }
  const command = qemuCommand(build, machineSpec('tcg', 'real'), { files, incoming: false })
  const program = command.slice(0, command.indexOf('-nodefaults'))
  const version = await host({ signal, nothrow: true })`${[...program, '--version']}`
  signal?.throwIfAborted()
  if (version.exitCode !== 0)
    return { what, state: 'missing', detail: `it does not start: ${lastLine(version.stderr)}` }
  const option = (name: string): string[] => {
    const at = command.indexOf(name)
    return at < 0 ? [] : command.slice(at, at + 2)
  }
  const confined = ['-nodefaults', '-display', 'none', ...option('-sandbox'), ...option('-run-with')]
  const trial = ['timeout', '--signal', 'KILL', '10', ...program, ...confined, '-M', 'none', '-monitor', 'stdio']
  const result = await host({ signal, nothrow: true, input: 'quit\n' })`exec ${trial}`
  signal?.throwIfAborted()
  if (result.exitCode !== 0) {
    const said = lastLine(result.stderr || `it ended with ${result.signal ?? result.exitCode}`)
    return { what, state: 'missing', detail: `it does not run in its sandbox (seccomp): ${said}` }
  }
  return { what, state: 'found', detail: `${versionIn(version.stdout)} runs in its sandbox` }
}

/**
 * Whether labs run under KVM. Without it they run in software emulation: slower, and on the virtual clock.
 *
 * @param build undefined while the engine is not built: then only the permission is tried
 */
export const checkKvm = async (build: EngineBuild | undefined, signal?: AbortSignal): Promise<Finding> => {
  const what = 'KVM'
  const without = 'labs run in software emulation'
  try {
    await access('/dev/kvm', constants.R_OK | constants.W_OK)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      return { what, state: 'warning', detail: `this machine has no /dev/kvm: ${without}` }
    }
    return {
      what,
      state: 'warning',
      detail: `/dev/kvm is there, but this user may not use it: ${without}`,
      remedy: `sudo usermod --append --groups kvm ${os.userInfo().username} # then log in again`,
    }
  }
  if (!build) return { what, state: 'found', detail: 'permitted; a boot under it is tried once the engine is built' }
  const { works, why } = await tryKvm(build, silent, signal)
  return works ? { what, state: 'found', detail: why } : { what, state: 'warning', detail: `${why}: ${without}` }
}
