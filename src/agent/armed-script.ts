import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { inNode } from './namespace.ts'
import type { AgentNode, ScriptStep } from './protocol.ts'

/** Something that is prepared to the last, and waits for the word. */
export interface Armed {
  /** The word. Resolves when it has been done; @throws Error with the reason why it was not */
  go: () => Promise<void>
  /** What follows from it in its own time, and is no part of the fault's event. */
  after?: () => Promise<void>
  /** There will be no word. */
  abandon: () => void
}

export interface ArmOptions {
  /** ms, for the preparation and for the script, each */
  timeoutMs: number
  args?: string[]
  namespaces?: string[]
}

/** What every script of a fault may count on. */
export const PRELUDE = 'set -e; fail() { echo "$*" >&2; exit 1; }; mkdir -p /run/lvslab\n'

/** The script's own output goes to standard error: standard output says only that it is armed. */
const program = (prepare: string, script: string): string => `${PRELUDE}exec 3>&1 1>&2
${prepare}
echo armed >&3
exec 3>&-
read -r go || exit 0
${script}
`

/** Time that the words of a script that failed may take to arrive after its end, ms. */
const LAST_WORDS_MS = 500

/**
 * Starts a script in a node and has it do its preparation, up to the point where it waits for the word.
 *
 * @throws Error with its words where the preparation fails
 */
export const arm = async (
  node: AgentNode,
  { prepare = '', script }: Pick<ScriptStep, 'prepare' | 'script'>,
  { timeoutMs, args = [], namespaces }: ArmOptions,
): Promise<Armed> => {
  const [command, argv] = inNode(node, ['sh', '-c', program(prepare, script), 'fault', ...args], namespaces)
  const child = spawn(command, argv, { stdio: ['pipe', 'pipe', 'pipe'] })
  let words = ''
  child.stderr.on('data', (chunk: Buffer) => {
    words += chunk.toString()
  })
  child.stdin.on('error', () => {}) // it ended before the word
  const over = new Promise<number | string>(resolve => {
    child.on('exit', (code, signal) => resolve(code ?? signal ?? 'an unknown end'))
    child.on('error', error => resolve(error.message))
  })
  /** Waits for its end for so long as it may take. */
  const within = async <T>(what: Promise<T>): Promise<T> => {
    let late = false
    const timer = setTimeout(() => {
      late = true
      child.kill('SIGKILL')
    }, timeoutMs)
    const result = await what
    clearTimeout(timer)
    if (late) throw new Error(`${node.name}: no end after ${timeoutMs} ms: ${words.trim()}`)
    return result
  }
  const failed = async (code: number | string): Promise<Error> => {
    await Promise.race([once(child, 'close'), sleep(LAST_WORDS_MS)])
    return new Error(`${node.name}: ${words.trim() || `the script ended with ${code}`}`)
  }
  const ended = await within(Promise.race([over, once(child.stdout, 'data').then(() => undefined)]))
  if (ended !== undefined) throw await failed(ended)
  return {
    go: async () => {
      child.stdin.end('go\n')
      const code = await within(over)
      child.stderr.destroy() // a service that it started may hold it open
      if (code !== 0) throw await failed(code)
    },
    abandon: () => void child.stdin.end(),
  }
}
