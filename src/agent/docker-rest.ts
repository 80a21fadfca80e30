import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { processesBeside } from './processes.ts'

/** Of the Docker Engine, as /proc/PID/comm has them; who asks stands before who answers. */
const PROGRAMS = ['dockerd', 'containerd', 'containerd-shim']

/** That somebody begins to speak to the Docker API: nothing else comes in by this interface. */
const ARRIVAL = [
  'tcpdump',
  '-i',
  'eth0',
  '-p',
  '-n',
  '--immediate-mode',
  '-c',
  '1',
  '-w',
  '/dev/null',
  'tcp[tcpflags] & tcp-syn != 0',
]

let resting: { processes: number[]; wake: () => void } | undefined

/**
 * Stops the programs of the Docker Engine until somebody wants something of it: by a connection from outside, or {@link wakeDocker}.
 * The nodes need none of them. Their timers are a quarter of what wakes an idle lab, and cost a fork what an emulator has to translate
 * for them. For an engine of the lab's own alone, while no connection to it is open.
 */
export const restDocker = async (): Promise<void> => {
  if (resting) return
  const [command = '', ...args] = ARRIVAL
  const watcher = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  // whatever ends it, a lab whose Docker Engine cannot be woken is worse than one that is not at rest
  watcher.on('error', wakeDocker).on('exit', wakeDocker)
  await Promise.race([once(watcher.stderr, 'data'), once(watcher, 'exit')]) // `listening on eth0`
  watcher.stderr.resume()
  if (watcher.exitCode !== null) return
  const processes = PROGRAMS.flatMap(name => processesBeside(1, name))
  resting = { processes, wake: () => watcher.kill('SIGKILL') }
  for (const pid of processes) process.kill(pid, 'SIGSTOP')
}

/** Has the Docker Engine go on, where it rests. */
export const wakeDocker = (): void => {
  if (!resting) return
  const { processes, wake } = resting
  resting = undefined
  wake()
  for (const pid of processes.toReversed()) {
    try {
      process.kill(pid, 'SIGCONT')
    } catch {
      // a shim may have been killed meanwhile, as everything may that runs in a lab
    }
  }
}
