/** Told by a first Ctrl-C (or TERM, or HUP); everything unwinds through it and nothing is left behind. */
export interface Interrupt extends Disposable {
  signal: AbortSignal
}

/** Thrown, through the signal, where an interrupt unwinds a run. */
export class Interrupted extends Error {}

/** Listens for interrupts. Further ones are only acknowledged: what is being cleaned up must be cleaned up. */
export const onInterrupt = (): Interrupt => {
  const controller = new AbortController()
  let told = false
  const listener = (): void => {
    if (!controller.signal.aborted) {
      process.stderr.write('\ninterrupted: cleaning up\n')
      controller.abort(new Interrupted('interrupted'))
    } else if (!told) {
      told = true
      process.stderr.write('still cleaning up\n')
    }
  }
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const name of signals) process.on(name, listener)
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      for (const name of signals) process.off(name, listener)
    },
  }
}
