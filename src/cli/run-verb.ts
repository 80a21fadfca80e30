import type { Steps } from '../engine/progress.ts'
import { type ExitCode, formatPosition, LvslabError, messageOf } from '../errors.ts'
import { visible } from '../report/visible.ts'
import { Interrupted, onInterrupt } from './interrupt.ts'
import { terminalSteps } from './steps.ts'

export interface VerbContext {
  steps: Steps
  signal: AbortSignal
}

/** Runs a verb: progress, Ctrl-C, errors with their remedy, and the exit code that goes with each. */
export const runVerb = async (run: (context: VerbContext) => Promise<ExitCode>): Promise<void> => {
  using interrupt = onInterrupt()
  const steps = terminalSteps(process.stderr)
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') return // whoever read it has seen enough; what was found is the exit code all the same
    process.stderr.write(`error: cannot write to standard output: ${error.message} [STDOUT]\n`)
    process.exit(3)
  })
  try {
    // an interrupt that came when all was done interrupted nothing: a run that it did interrupt throws
    process.exitCode = await run({ steps, signal: interrupt.signal })
  } catch (error) {
    if (interrupt.signal.aborted) process.exitCode = 130
    else process.exitCode = printError(error)
  } finally {
    steps[Symbol.dispose]()
  }
}

/** Whether a file or a folder stopped it that an operator gave: the permission to read it, or where links lead. */
const isUnreadable = (error: unknown): error is NodeJS.ErrnoException => {
  const { code = '', syscall = '' } = error instanceof Error ? (error as NodeJS.ErrnoException) : {}
  const isRead = ['open', 'stat', 'lstat', 'scandir', 'read'].includes(syscall)
  return isRead && ['EACCES', 'ELOOP', 'ENOTDIR', 'ENAMETOOLONG'].includes(code)
}

/** Prints an error as people need it: what, where, and what to do. Returns the exit code. */
export const printError = (error: unknown): ExitCode => {
  if (error instanceof Interrupted) return 130
  if (isUnreadable(error)) {
    process.stderr.write(visible(`error: ${error.message} [FILE_UNREADABLE]\n`))
    process.stderr.write('remedy: check the path, and that whoever runs lvslab may read it\n')
    return 2
  }
  if (!(error instanceof LvslabError)) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
    process.stderr.write(`error: this is a fault of lvslab itself: ${text}\n`)
    return 3
  }
  const at = error.at ? `${formatPosition(error.at)} ` : ''
  // names of files and of nodes are in it
  process.stderr.write(visible(`error: ${at}${error.message} [${error.code}]\n`))
  if (error.remedy) process.stderr.write(visible(`remedy: ${error.remedy}\n`))
  if (process.env['LVSLAB_DEBUG']) process.stderr.write(`${error.stack}\n${messageOf(error.cause)}\n`)
  return error.exitCode
}
