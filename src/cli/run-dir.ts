import path from 'node:path'

/** Folder of one run below the folder for reports; two runs in one second do not share it. */
export const runDir = (reports: string, name: string, started: Date): string => {
  const stamp = started
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replaceAll(':', '')
  return path.join(reports, `${stamp}-${name}-${process.pid}`)
}
