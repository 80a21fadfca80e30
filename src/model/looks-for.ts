import path from 'node:path'
import { commandWords } from './command.ts'

/** A name that fits into what the kernel keeps of a process's (TASK_COMM_LEN, 15 characters), without anything to quote. */
export const PROCESS_NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}$/

/** What a command that is run again and again succeeds by. */
export type LooksFor =
  /** A process of this name is there; `isPart`: one with this in its name. */
  | { process: string; isPart?: true }
  /** A script of the operator's says so; one that a shell is given to read need not be executable. */
  | { file: string; isRead: boolean }

/** Programs that look for a process by its name, with the options that change nothing of that. */
const BY_NAME = new Map<string, { options: string[]; needs?: string; finds?: 'parts' }>([
  // without signal 0 they would do more than look
  ['killall', { options: ['-0', '-e', '-q'], needs: '-0' }],
  ['pkill', { options: ['-0', '-x'], needs: '-0', finds: 'parts' }],
  ['pgrep', { options: ['-a', '-l', '-x'], finds: 'parts' }],
  ['pidof', { options: ['-q', '-s', '-x'] }],
])

const SHELLS = ['bash', 'dash', 'sh']

/** Where programs come with the system: there, what is not called like a script is none of the operator's. */
const OF_THE_SYSTEM = /^\/(?:usr\/)?s?bin\/(?!.*\.(?:bash|lua|php|pl|py|rb|sh)$)/

/** What runs a script that is named behind it, in a language of its own. */
const INTERPRETER = /^(?:lua|node|perl|php|python|ruby)[\d.]*$/

const isScript = (file: string): boolean =>
  path.posix.isAbsolute(file) &&
  path.posix.normalize(file) === file &&
  !file.endsWith('/') &&
  !OF_THE_SYSTEM.test(file) &&
  !INTERPRETER.test(path.posix.basename(file))

/**
 * What the `script` of a `vrrp_script` looks for, as far as its words say: `killall -0 haproxy`, `pidof haproxy`, `/etc/keepalived/check.sh
 * 80`, `/bin/sh /etc/keepalived/check.sh`. What a program of the system with any other words looks for is not known.
 */
export const looksFor = (command: string): LooksFor | undefined => {
  const [program = '', ...words] = commandWords(command)
  const name = path.posix.basename(program)
  const byName = BY_NAME.get(name)
  if (byName) {
    const options = words.filter(word => word.startsWith('-'))
    const [process = '', ...more] = words.filter(word => !word.startsWith('-'))
    const looks =
      options.every(option => byName.options.includes(option)) && (!byName.needs || options.includes(byName.needs))
    if (!looks || more.length > 0 || !PROCESS_NAME.test(process)) return undefined
    return byName.finds && !options.includes('-x') ? { process, isPart: true } : { process }
  }
  const isRead = SHELLS.includes(name)
  const file = isRead ? (words[0] ?? '') : program
  return isScript(file) ? { file, isRead } : undefined
}
