/**
 * Has something that is dear run at times: once at a time, each run begun after it was asked for, and after each a rest of `rest` times
 * what it took. Whoever asks meanwhile shares the next run.
 */
export const atTimes = <T>(run: () => Promise<T>, rest: number): (() => Promise<T>) => {
  let rested: Promise<void> | undefined
  let next: Promise<T> | undefined
  const begin = (): Promise<T> => {
    next = undefined
    const began = performance.now()
    const result = run()
    const ended = result.then(
      () => {},
      () => {},
    )
    rested = ended
      .then(() => new Promise<void>(resolve => setTimeout(resolve, rest * (performance.now() - began))))
      .then(() => {
        if (!next) rested = undefined
      })
    return result
  }
  return () => {
    if (!rested) return begin()
    next ??= rested.then(begin)
    return next
  }
}
