/** Most events that wait to be sent together, and how long the first of them waits; ms. */
const [MOST, LONGEST_MS] = [100, 100]

/**
 * Collects what is recorded and sends it on in batches: a message to another process for each event would take the time that the next
 * request needs to leave, and a write for each would wake whoever carries it to the harness.
 */
export const batched = <T>(send: (batch: T[]) => void): { add: (one: T) => void; flush: () => void } => {
  let waiting: T[] = []
  let timer: NodeJS.Timeout | undefined
  const flush = (): void => {
    clearTimeout(timer)
    timer = undefined
    if (waiting.length > 0) send(waiting)
    waiting = []
  }
  const add = (one: T): void => {
    waiting.push(one)
    if (waiting.length >= MOST) flush()
    else timer ??= setTimeout(flush, LONGEST_MS)
  }
  return { add, flush }
}
