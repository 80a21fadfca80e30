import { readdirSync, readFileSync } from 'node:fs'

const read = (file: string): string => {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return '' // it has ended
  }
}

/** A process and all that it has started, by their parents. */
const familyOf = (root: number): number[] => {
  const children = new Map<number, number[]>()
  for (const pid of readdirSync('/proc').filter(name => /^\d+$/.test(name))) {
    // the name, in parentheses, may have anything in it
    const parent = Number(
      read(`/proc/${pid}/stat`)
        .replace(/^.*\) /s, '')
        .split(' ')[1],
    )
    children.set(parent, [...(children.get(parent) ?? []), Number(pid)])
  }
  const family = [root]
  for (const pid of family) family.push(...(children.get(pid) ?? []))
  return family
}

/**
 * Memory of a process and all that it has started, bytes: the proportional share (PSS), which counts once what several have
 * mapped, such as the template that forks go on from. (Documentation/filesystems/proc.rst, smaps_rollup)
 */
export const memoryOf = (pid: number): number =>
  familyOf(pid)
    .map(one => Number(/^Pss:\s+(\d+) kB/m.exec(read(`/proc/${one}/smaps_rollup`))?.[1] ?? 0) * 1024)
    .reduce((total, bytes) => total + bytes, 0)
