import path from 'node:path'

/** A name that fits into what the kernel keeps of a process's (TASK_COMM_LEN, 15 characters), without anything to quote. */
export const PROCESS_NAME = /^[A-Za-z0-9_][A-Za-z0-9_.+-]{0,14}$/

/** What a command that is run again and again succeeds by: a process of this name is there, or this file of the operator's says so. */
export type LooksFor = { process: string } | { file: string }

/** Programs that look for a process by its name, with the options that change nothing of that. */
const BY_NAME: Record<string, { options: string[]; needs?: string }> = {
  // without signal 0 they would do more than look
  killall: { options: ['-0', '-e', '-q'], needs: '-0' },
  pkill: { options: ['-0', '-x'], needs: '-0' },
  pgrep: { options: ['-a', '-l', '-x'] },
  pidof: { options: ['-q', '-s', '-x'] },
}

const SHELLS = ['bash', 'dash', 'sh']

/** Where a program came with the system, unless it has the name of a script. */
const OF_THE_SYSTEM = /^\/(?:usr\/)?s?bin\/[^.]*$/

/**
 * What a `script` or `misc_path` looks for, as far as its words say: `killall -0 haproxy`, `pidof haproxy`, `/etc/keepalived/check.sh 80`,
 * `/bin/sh /etc/keepalived/check.sh`. What a program of the system with any other words looks for is not known.
 */
export const looksFor = (command: string): LooksFor | undefined => {
  const [program = '', ...words] = command.trim().split(/\s+/)
  const byName = BY_NAME[path.basename(program)]
  if (byName) {
    const options = words.filter(word => word.startsWith('-'))
    const [name = '', ...more] = words.filter(word => !word.startsWith('-'))
    const looks =
      options.every(option => byName.options.includes(option)) && (!byName.needs || options.includes(byName.needs))
    return looks && more.length === 0 && PROCESS_NAME.test(name) ? { process: name } : undefined
  }
  const file = SHELLS.includes(path.basename(program)) ? (words[0] ?? '') : program
  return file.startsWith('/') && !OF_THE_SYSTEM.test(file) ? { file } : undefined
}
