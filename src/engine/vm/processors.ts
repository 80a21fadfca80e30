import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { quote } from './shell.ts'

/** Processors by their numbers, of the kernel's list format (cpuset(7)): `0-2,5` is 0, 1, 2 and 5. */
export const parseProcessors = (list: string): number[] =>
  list
    .trim()
    .split(',')
    .flatMap(range => {
      const [first = Number.NaN, last = first] = range.split('-').map(n => Number.parseInt(n, 10))
      return Number.isInteger(last) ? Array.from({ length: last - first + 1 }, (_, i) => first + i) : []
    })

/** Processors that this process may run on: proc_pid_status(5), `Cpus_allowed_list`. */
export const allowedProcessors = async (): Promise<number[]> => {
  const status = await readFile('/proc/self/status', 'utf8')
  return parseProcessors(/^Cpus_allowed_list:(.*)$/m.exec(status)?.[1] ?? '')
}

/**
 * Shell that ends by becoming `command`, on a processor that no other such command of this cache has, as long as there is one.
 * On the virtual clock QEMU's two threads take turns, several hundred times for each second of an idle lab: on one processor,
 * where neither cuts in on the other (SCHED_BATCH), that costs half of what waking another processor does, see
 * `npm run bench -- clock`. The program itself holds the lock of its processor, in descriptor 9.
 *
 * @param processors in the order of trying
 * @param locks folder of the lock files
 */
export const onOwnProcessor = (command: string[], processors: number[], locks: string): string =>
  `for n in ${processors.join(' ')}; do
  command exec 9>${quote([path.join(locks, 'processor-')])}$n.lock && flock --nonblock 9 || continue
  exec taskset --cpu-list $n chrt --batch 0 ${quote(command)}
done
exec 9>&- ${quote(command)}`
