import { readFile } from 'node:fs/promises'
import os from 'node:os'

/** When a process began, in the kernel's ticks (proc_pid_stat(5), field 22); undefined where there is none. */
const startOf = async (pid: number): Promise<string | undefined> => {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  // the second field is the program's name in parentheses, which may itself contain anything
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
}

/** This process, as a label says it: `host:pid:start`; process IDs are given out again, so the start belongs to it. */
export const thisProcess = async (): Promise<string> => `${os.hostname()}:${process.pid}:${await startOf(process.pid)}`

/** Whether the process that a label names is known to have ended; of another host's, nothing is known. */
export const hasEnded = async (owner: string | undefined): Promise<boolean> => {
  const [host, pid, start] = owner?.split(':') ?? []
  return host === os.hostname() && start !== undefined && (await startOf(Number(pid))) !== start
}
