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

/** What a process and all that it has started have taken of the host. */
export interface Usage {
  /** bytes */
  memory: number
  /** Processor time so far by process, s. */
  cpu: Map<number, number>
}

/** Ticks of a second in which the kernel counts processor time for everybody (USER_HZ). */
const TICKS = 100

/** @returns utime and stime (proc(5), /proc/pid/stat) */
const cpuOf = (pid: number): number => {
  const words = read(`/proc/${pid}/stat`)
    .replace(/^.*\) /s, '')
    .split(' ')
  return (Number(words[11] ?? 0) + Number(words[12] ?? 0)) / TICKS
}

/**
 * Memory of a process and all that it has started, bytes: the proportional share (PSS), which counts once what several have
 * mapped, such as the template that forks go on from. (Documentation/filesystems/proc.rst, smaps_rollup)
 */
export const usageOf = (pid: number): Usage => {
  const family = familyOf(pid)
  const shares = family.map(one => Number(/^Pss:\s+(\d+) kB/m.exec(read(`/proc/${one}/smaps_rollup`))?.[1] ?? 0) * 1024)
  return {
    memory: shares.reduce((total, bytes) => total + bytes, 0),
    cpu: new Map(family.map(one => [one, cpuOf(one)])),
  }
}
