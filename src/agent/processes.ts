import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import type { AgentNode } from './protocol.ts'

/** Whether a process of this name runs in a node: is in its process namespace, and no zombie. */
export const hasProcess = (node: AgentNode, name: string): boolean => {
  const namespace = namespaceOf(node.pid)
  if (namespace === undefined) return false
  const numbers = readdirSync('/proc').filter(entry => /^\d+$/.test(entry))
  return numbers.some(pid => nameOf(pid) === name && namespaceOf(pid) === namespace)
}

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
