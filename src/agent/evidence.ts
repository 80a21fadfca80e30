import type { CommandEvent } from '../history/event.ts'
import type { CommandResult } from './protocol.ts'

/** Longest output that the journal keeps of one command, characters. */
const OUTPUT_LIMIT = 65_536

/** What a command came to, as the journal has it. */
export const evidenceOf = (
  node: string,
  argv: string[],
  { started: t, ended: done, code, stdout, stderr }: CommandResult,
): CommandEvent => {
  const all = `${stdout}${stderr}`
  return {
    ...{ kind: 'command', t, node, command: argv.join(' '), done, code },
    output: all.slice(0, OUTPUT_LIMIT),
    ...(all.length > OUTPUT_LIMIT && { truncated: true }),
  }
}
