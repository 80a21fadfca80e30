import { type ChildProcess, spawn } from 'node:child_process'
import { now } from './clock.ts'
import { record } from './journal.ts'

const GROUP = '/sys/fs/cgroup/lvslab-brake'

/**
 * A shell that does nothing, for ever, whenever nobody else wants the processor: in a control group of its own, as the idle policy
 * of a process counts within its group alone, and the nodes are in others.
 */
const BUSY = `mkdir -p ${GROUP} && echo 1 >${GROUP}/cpu.idle && echo $$ >${GROUP}/cgroup.procs && while :; do :; done`

let busy: ChildProcess | undefined
let waited = 0

/**
 * Keeps the virtual clock from leaping while the agent has nothing to do, which is as long as the host takes: a reply has to
 * come to the harness, the machine has to be stopped, the next request has to come in. An idle lab leaps over seconds in a
 * tenth of one; one that is busy goes on no faster than the host.
 */
export const startBrake = (): void => {
  // the engine's own mounts have all control groups, the agent's container only its own
  busy = spawn('nsenter', ['--target', '1', '--mount', '--cgroup', '--', 'sh', '-c', BUSY], { stdio: 'ignore' })
  const trouble = (why: string): void => record({ kind: 'trouble', t: now(), what: `the brake of the clock ${why}` })
  busy.on('error', error => trouble(`did not start: ${error.message}`))
  busy.on('exit', code => trouble(`ended with code ${code}`))
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
