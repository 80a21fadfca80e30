import { processesBeside } from './processes.ts'
import { type Stopped, stopUntil } from './stop-until.ts'

/** Of the Docker Engine, as /proc/PID/comm has them; who asks stands before who answers. */
const PROGRAMS = ['dockerd', 'containerd', 'containerd-shim']

/** Ends when a connection begins, on the interface by which nothing but the Docker API is reached. */
const ARRIVAL = [
  ...'tcpdump -i eth0 -p -n --immediate-mode -c 1 -w /dev/null'.split(' '),
  'tcp[tcpflags] & tcp-syn != 0',
]

let resting: Stopped | undefined

/**
 * Stops the programs of the Docker Engine until somebody wants something of it: by a connection from outside, or {@link wakeDocker}; from
 * then on they run. A node needs none of them, as its process 1 writes to files. Awake, they are a third of what an idle lab costs, and
 * what they run an emulator has to translate in each fork. For an engine of the lab's own alone, while no connection to it is open.
 *
 * @throws Error where it cannot be seen that somebody connects
 */
export const restDocker = async (): Promise<void> => {
  resting ??= await stopUntil(
    ARRIVAL,
    PROGRAMS.flatMap(name => processesBeside(1, name)),
  )
}

/** Has the Docker Engine go on, where it rests. */
export const wakeDocker = (): void => {
  resting?.wake()
  resting = undefined
}
