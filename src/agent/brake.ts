import { type ChildProcess, spawn } from 'node:child_process'

/** A shell that does nothing, for ever, whenever nobody else wants the processor. */
const BUSY = ['--idle', '0', 'sh', '-c', 'while :; do :; done']

let busy: ChildProcess | undefined
let waited = 0

/**
 * Keeps the virtual clock from leaping while the agent has nothing to do, which is as long as the host takes: a reply has to
 * come to the harness, the machine has to be stopped, the next request has to come in. An idle lab leaps over seconds in a
 * tenth of one; one that is busy, at the lowest priority, goes on no faster than the host.
 */
export const startBrake = (): void => {
  busy = spawn('chrt', BUSY, { stdio: 'ignore' })
  if (waited > 0) busy.kill('SIGSTOP')
}

/** Lets the clock leap while somebody waits for something in the lab. */
export const releasedBrake = async <T>(wait: () => Promise<T>): Promise<T> => {
  if (waited++ === 0) busy?.kill('SIGSTOP')
  try {
    return await wait()
  } finally {
    if (--waited === 0) busy?.kill('SIGCONT')
  }
}
