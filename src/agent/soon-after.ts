/**
 * Runs something a while after each call, ms; calls of one moment share a run. keepalived with 1000 real servers writes as many
 * lines at once, and to look at a table is dear.
 */
export const soonAfter = (ms: number, run: () => void): (() => void) => {
  let last = 0
  let armed = false
  const arm = (wait: number): void => {
    armed = true
    setTimeout(fire, wait)
  }
  const fire = (): void => {
    armed = false
    const left = last + ms - performance.now()
    // a timer may fire a fraction of a millisecond early
    if (left >= 1) arm(left)
    run()
  }
  return () => {
    last = performance.now()
    if (!armed) arm(ms)
  }
}
