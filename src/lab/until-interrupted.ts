/**
 * What some work comes to, or why it was interrupted, whichever is first: nobody waits then for the work, which has to end by itself.
 *
 * @throws the reason of the signal
 */
export const untilInterrupted = async <T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> => {
  if (!signal) return work
  const interrupted = Promise.withResolvers<never>()
  const listener = (): void => interrupted.reject(signal.reason)
  if (signal.aborted) listener()
  else signal.addEventListener('abort', listener, { once: true })
  try {
    return await Promise.race([work, interrupted.promise])
  } finally {
    signal.removeEventListener('abort', listener)
  }
}
