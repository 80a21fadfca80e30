import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

/**
 * A folder for what a bench writes; it goes when the process ends, by Ctrl-C too.
 *
 * @param interrupted what a signal is to do, where that is not to end at once
 */
export const scratchFolder = (
  bench: string,
  interrupted: (signal: NodeJS.Signals) => void = () => process.exit(130),
): string => {
  const folder = mkdtempSync(path.join(tmpdir(), `lvslab-bench-${bench}-`))
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, interrupted)
  return folder
}
