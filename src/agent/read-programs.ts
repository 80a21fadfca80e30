import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/** Where the programs of faults, probes and services are, and what they load. */
const FOLDERS = ['/usr/bin', '/usr/sbin', '/usr/lib/x86_64-linux-gnu', '/usr/lib/apache2', '/usr/lib/lvslab']

/**
 * Reads the programs of the nodes once, all of which stand on the image that the agent stands on, so that nobody has to wait
 * for the disk later. On the virtual clock a machine that waits for its disk is idle, and idle time is leapt over: the first
 * fault of a fork took up to 1 s of lab time to be armed, and how long was the host's doing.
 */
export const readPrograms = async (): Promise<void> => {
  const read = `find ${FOLDERS.join(' ')} -type f -exec cat {} + >/dev/null`
  await promisify(execFile)('sh', ['-c', read])
}
