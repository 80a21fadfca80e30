import { type ChildProcess, execFile, spawn, type StdioOptions } from 'node:child_process'
import os from 'node:os'
import readline from 'node:readline'
import { now } from './clock.ts'
import { record } from './journal.ts'
import type { AgentNode, CommandResult } from './protocol.ts'

/** Every namespace of the node: the command runs as if in the container. */
const ALL = ['--mount', '--uts', '--ipc', '--net', '--pid', '--cgroup']

/** Command line that runs a command inside a node. */
export const inNode = (node: AgentNode, argv: string[], namespaces: string[] = ALL): [string, string[]] => [
  'nsenter',
  ['--target', String(node.pid), ...namespaces, '--', ...argv],
]

/** Runs a command in a node to its end, or to the timeout (code 124, as timeout(1) says it). */
export const runInNode = (node: AgentNode, argv: string[], timeoutMs: number): Promise<CommandResult> =>
  new Promise(resolve => {
    const started = now()
    const [command, args] = inNode(node, argv)
    const options = { timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: 8 * 2 ** 20 } as const
    execFile(command, args, options, (error, stdout, stderr) => {
      const code = error ? (error.killed ? 124 : typeof error.code === 'number' ? error.code : 127) : 0
      resolve({ started, ended: now(), code, stdout, stderr })
    })
  })

/** Starts a command in a node. */
export const startInNode = (
  node: AgentNode,
  argv: string[],
  namespaces: string[],
  stdio: StdioOptions,
): ChildProcess => {
  const [command, args] = inNode(node, argv, namespaces)
  return spawn(command, args, { stdio })
}

/** Runs a watcher for as long as the node lives, and calls back for each line; its end is trouble, and said so. */
export const watchLines = (
  node: AgentNode,
  argv: string[],
  namespaces: string[],
  onLine: (line: string) => void,
): ChildProcess => {
  const child = watchProcess(node, argv, namespaces)
  readline.createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', onLine)
  return child
}

/**
 * As {@link watchLines}, for output that is not lines. A watcher goes before services and probes: one that had to wait for its
 * turn stamps what it sees too late.
 */
export const watchProcess = (node: AgentNode, argv: string[], namespaces: string[]): ChildProcess => {
  const child = startInNode(node, argv, namespaces, ['ignore', 'pipe', 'ignore'])
  if (child.pid !== undefined) os.setPriority(child.pid, os.constants.priority.PRIORITY_HIGHEST)
  const end = (what: string): void =>
    record({ kind: 'trouble', t: now(), node: node.name, what: `watcher \`${argv[0]}\` ${what}` })
  child.on('error', error => end(`could not start: ${error.message}`))
  child.on('exit', code => end(`ended with code ${code}`))
  const own = watchers.get(node) ?? new Set()
  watchers.set(node, own.add(child))
  return child
}

const watchers = new Map<AgentNode, Set<ChildProcess>>()

/** Ends a node's watchers as planned: that is no trouble. */
export const endWatchers = (node: AgentNode): void => {
  for (const child of watchers.get(node) ?? []) {
    child.removeAllListeners('exit')
    child.stdout?.destroy()
    child.kill('SIGKILL')
  }
  watchers.delete(node)
}
