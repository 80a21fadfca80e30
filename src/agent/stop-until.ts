import { spawn } from 'node:child_process'

/** Processes that were stopped. */
export interface Stopped {
  /** Has them go on at once. */
  wake: () => void
}

/**
 * Stops processes (SIGSTOP), one after another, until a command ends, however that comes about.
 *
 * @param command says `listening on` on standard error when it is ready; nothing is stopped before
 * @throws Error with its words, where it ends before that
 */
export const stopUntil = async (command: string[], processes: number[]): Promise<Stopped> => {
  const backwards = processes.toReversed()
  const goOn = (): void => {
    for (const pid of backwards) {
      try {
        process.kill(pid, 'SIGCONT')
      } catch {
        // it has ended meanwhile
      }
    }
  }
  // a shell of its own has them go on as well: this process may be gone by then
  const script = `"$@"; kill -CONT ${backwards.join(' ')}`
  const shell = spawn('sh', ['-c', script, 'sh', ...command], { stdio: ['ignore', 'ignore', 'pipe'], detached: true })
  let words = ''
  await new Promise<void>((resolve, reject) => {
    shell.on('error', reject).on('close', () => {
      goOn() // it may have ended just before they were stopped
      reject(new Error(`\`${command[0]}\` ended: ${words.trim()}`)) // when it has said all
    })
    shell.stderr.on('data', (chunk: Buffer) => {
      words += chunk.toString()
      if (words.includes('listening on')) resolve()
    })
  })
  for (const pid of processes) process.kill(pid, 'SIGSTOP')
  return {
    wake: () => {
      if (shell.pid !== undefined && shell.exitCode === null && shell.signalCode === null)
        process.kill(-shell.pid, 'SIGKILL')
      goOn()
    },
  }
}
