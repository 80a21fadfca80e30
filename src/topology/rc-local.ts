import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** `ip addr add 10.0.0.100/32 dev lo`; of what else a script does nobody knows what comes of it. */
const ON_LO = /^\s*ip\s+(?:-\S+\s+)*a(?:ddr(?:ess)?)?\s+(?:add|replace)\s+([\d.]+)(?:\/32)?\s+(?:.*\s)?dev\s+lo\b/gm

/** The addresses that a node's own /etc/rc.local puts on lo when the node starts, as far as it can be read. @param root the node's */
export const addressesOfScript = (root: string): string[] => {
  const file = join(root, 'etc/rc.local')
  const stat = statSync(file, { throwIfNoEntry: false })
  // one that is not executable is not run
  if (!stat?.isFile() || (stat.mode & 0o100) === 0) return []
  return [...readFileSync(file, 'utf8').matchAll(ON_LO)].flatMap(([, address]) => address ?? [])
}
