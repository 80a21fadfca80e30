import { randomInt } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { commandLine, quote } from '../../shell.ts'

/** Processors by their numbers, of the kernel's list format (cpuset(7)): `0-2,5` is 0, 1, 2 and 5. */
export const parseProcessors = (list: string): number[] =>
  list.split(',').flatMap(range => {
    const [first = Number.NaN, last = first] = range.split('-').map(n => Number.parseInt(n, 10))
    return Number.isInteger(last) ? Array.from({ length: last - first + 1 }, (_, i) => first + i) : []
  })

/**
 * Processors that this process may run on (proc_pid_status(5), `Cpus_allowed_list`), in turn from any of them: other users' labs
 * would begin at the first as well.
 */
export const processorsToTry = async (): Promise<number[]> => {
  const status = await readFile('/proc/self/status', 'utf8')
  const all = parseProcessors(/^Cpus_allowed_list:(.*)$/m.exec(status)?.[1] ?? '')
  const start = randomInt(Math.max(all.length, 1))
  return [...all.slice(start), ...all.slice(0, start)]
}

/**
 * Shell that ends by becoming `command`, on a processor that no other such command of this cache has, as long as there is one.
 * On the virtual clock QEMU's two threads take turns, a hundred times and more in a second of an idle lab: on one processor, where
 * neither cuts in on the other (SCHED_BATCH), that second takes some three quarters of what it takes on two. The program
 * itself holds the lock of its processor, in descriptor 9.
 *
 * @param processors in the order of trying
 * @param locks folder of the lock files
 */
export const onOwnProcessor = (command: string[], processors: number[], locks: string): string =>
  `for n in ${processors.join(' ')}; do
  command exec 9>${quote(path.join(locks, 'processor-'))}$n.lock && flock --nonblock 9 || continue
  exec taskset --cpu-list $n chrt --batch 0 ${commandLine(command)}
done
exec 9>&- ${commandLine(command)}`
