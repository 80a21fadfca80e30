import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { Socket } from 'node:net'
import path from 'node:path'
import { LvslabError } from '../errors.ts'

/** A lock that is held until it is disposed, or this process ends. */
export interface FileLock extends AsyncDisposable {
  /** Lets this process end with the lock held. */
  unref: () => void
}

/**
 * Takes flock(2) on a file, for as long as the returned object is not disposed. The kernel holds the lock through a child
 * process that ends when this process does, however it ends, so no stale lock can be left.
 *
 * @param mode `shared` for users of an entry, `exclusive` for its builder or remover
 * @param options.wait false: give up at once where somebody holds it (returns undefined from {@link tryLockFile})
 * @param options.onWait called once when the lock is not free at once
 */
export const lockFile = async (
  file: string,
  mode: 'shared' | 'exclusive',
  options: { signal?: AbortSignal | undefined; onWait?: () => void } = {},
): Promise<FileLock> => {
  const free = await tryLockFile(file, mode)
  if (free) return free
  options.onWait?.()
  const lock = await flock(file, [`--${mode}`], options.signal)
  if (!lock) throw new LvslabError('LOCK_FAILED', `cannot lock ${file}`)
  return lock
}

/** Takes the lock where it is free, without waiting; undefined where it is not. */
export const tryLockFile = (file: string, mode: 'shared' | 'exclusive'): Promise<FileLock | undefined> =>
  flock(file, [`--${mode}`, '--nonblock'])

const flock = async (file: string, flags: string[], signal?: AbortSignal): Promise<FileLock | undefined> => {
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 })
  signal?.throwIfAborted()
  // --no-fork would let `sh` hold the lock itself; `read` ends at end of file, that is when this process is gone
  const child = spawn('flock', [...flags, '--no-fork', file, 'sh', '-c', 'echo locked; read _'], {
    stdio: ['pipe', 'pipe', 'ignore'],
    detached: true, // Ctrl-C on the terminal must not take the lock away during the clean-up
  })
  const abort = (): void => void child.kill('SIGKILL')
  signal?.addEventListener('abort', abort, { once: true })
  const exited = once(child, 'exit')
  exited.catch(() => {})
  try {
    const locked = await Promise.race([once(child.stdout, 'data').then(() => true), exited.then(() => false)])
    signal?.throwIfAborted()
    if (!locked) return undefined
  } finally {
    signal?.removeEventListener('abort', abort)
  }
  return {
    unref: () => {
      child.unref()
      for (const pipe of [child.stdin, child.stdout]) if (pipe instanceof Socket) pipe.unref()
    },
    async [Symbol.asyncDispose]() {
      child.stdin.end()
      await exited
    },
  }
}
