import { $ } from 'zx'

/**
 * zx for commands on the host: quiet, in a process group of its own (Ctrl-C on the terminal reaches lvslab alone, which
 * then ends the command), ended by TERM when the signal aborts.
 */
export const host = (options: { signal?: AbortSignal | undefined; nothrow?: boolean; input?: string } = {}) =>
  $({
    quiet: true,
    detached: true,
    nothrow: options.nothrow ?? false,
    ...(options.signal ? { signal: options.signal } : {}),
    ...(options.input === undefined ? {} : { input: options.input }),
  })
