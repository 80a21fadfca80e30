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
    // As the first shell of a session (cron, systemd, CI) bash takes a socket on its standard input, as Node gives it, for sshd,
    // and runs the user's .bashrc (bash shell.c run_startup_files).
    env: { ...process.env, SHLVL: '1' },
    ...(options.signal ? { signal: options.signal } : {}),
    ...(options.input === undefined ? {} : { input: options.input }),
  })
