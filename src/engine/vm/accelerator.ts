import { open, readFile, writeFile } from 'node:fs/promises'
import os from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { cacheDir } from '../cache.ts'
import { host } from '../host-command.ts'
import type { Steps } from '../progress.ts'
import type { EngineBuild } from './build.ts'
import type { Accelerator } from './machine.ts'
import { toolCommand } from './tools.ts'

/** What came of trying KVM on this machine: `works`, or why not. */
export interface KvmTrial {
  works: boolean
  why: string
}

/** A kernel that has not reached its first program by then never will; the trial boot takes well under a second where it works. */
const TRIAL_DEADLINE_MS = 6_000

/**
 * Tries a real boot under KVM, once for an engine and a host: that /dev/kvm exists proves nothing. The answer is remembered
 * beside the engines, under the host's kernel and processor.
 */
export const tryKvm = async (build: EngineBuild, steps: Steps, signal?: AbortSignal): Promise<KvmTrial> => {
  try {
    await using _kvm = await open('/dev/kvm', 'r+')
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'EACCES') {
      const why =
        '/dev/kvm is there, but this user may not use it: sudo usermod --append --groups kvm $USER, then log in again'
      return { works: false, why }
    }
    return { works: false, why: 'this machine has no /dev/kvm' }
  }
  const machine = `${os.release()} ${os.cpus()[0]?.model ?? ''}`
  const memory = cacheDir(`kvm-${build.key}.json`)
  const remembered = await readFile(memory, 'utf8').then(
    text => JSON.parse(text) as KvmTrial & { machine: string },
    () => undefined,
  )
  if (remembered?.machine === machine) return remembered
  const trial = await steps.step('Try a boot under KVM', () => bootTrial(build, signal))
  await writeFile(memory, JSON.stringify({ ...trial, machine }))
  return trial
}

const bootTrial = async (build: EngineBuild, signal?: AbortSignal): Promise<KvmTrial> => {
  const qemu = toolCommand(build.tools, 'usr/bin/qemu-system-x86_64', [
    ...['-L', `${build.tools}/usr/share/qemu`, '-L', `${build.tools}/usr/share/seabios`],
    ...['-nodefaults', '-display', 'none', '-no-reboot', '-accel', 'kvm', '-cpu', 'host', '-m', '256M', '-M', 'q35'],
    ...['-kernel', build.kernel, '-initrd', build.trialInitramfs, '-append', 'console=ttyS0 quiet panic=-1'],
    ...['-serial', 'stdio'],
  ])
  const controller = new AbortController()
  const stop = (): void => controller.abort()
  signal?.addEventListener('abort', stop, { once: true })
  const command = ['timeout', '--signal', 'KILL', String(TRIAL_DEADLINE_MS / 1000), ...qemu]
  const running = host({ signal: controller.signal, nothrow: true })`exec ${command}`
  const result = await Promise.race([running, sleep(TRIAL_DEADLINE_MS + 2000)])
  signal?.removeEventListener('abort', stop)
  signal?.throwIfAborted()
  if (result?.stdout.includes('lvslab-trial-ok')) return { works: true, why: 'a trial boot under KVM worked' }
  const lines = `${result?.stderr ?? ''}\n${result?.stdout ?? ''}`.split('\n').map(line => line.trim())
  const words = lines.find(line => /panic|BUG|Oops|fault|invalid opcode|unexpected|failed|error/i.test(line))
  return { works: false, why: `a trial boot under KVM failed${words ? `: ${words.slice(0, 160)}` : ' without a word'}` }
}

/** KVM where it really works, software emulation otherwise; virtual time exists under software emulation only. */
export const chooseAccelerator = async (
  build: EngineBuild,
  steps: Steps,
  signal?: AbortSignal,
): Promise<{ accelerator: Accelerator; why: string }> => {
  const forced = process.env['LVSLAB_ACCELERATOR']
  if (forced === 'tcg' || forced === 'kvm') return { accelerator: forced, why: `LVSLAB_ACCELERATOR=${forced}` }
  const { works, why } = await tryKvm(build, steps, signal)
  return { accelerator: works ? 'kvm' : 'tcg', why }
}
