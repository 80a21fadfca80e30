import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import type { AgentNode } from './protocol.ts'

/** IDs of the processes of this name, as /proc/PID/comm has it, that are in the process namespace of another, and no zombies. */
export const processesBeside = (pid: number, name: string): number[] => {
  const namespace = namespaceOf(pid)
  if (namespace === undefined) return []
  const numbers = readdirSync('/proc').filter(entry => /^\d+$/.test(entry))
  return numbers.filter(one => nameOf(one) === name && namespaceOf(one) === namespace).map(Number)
}

/** Whether a process of this name runs in a node. */
export const hasProcess = (node: AgentNode, name: string): boolean => processesBeside(node.pid, name).length > 0

const namespaceOf = (pid: number | string): string | undefined => {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`)
  } catch {
    return undefined // ended meanwhile, or a zombie
  }
}

const nameOf = (pid: string): string | undefined => {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim()
  } catch {
    return undefined
  }
}
