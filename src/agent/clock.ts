/** ms on the lab's clock: the kernel's monotonic clock, the same for every process of the engine. */
export const now = (): number => Number(process.hrtime.bigint() / 1000n) / 1000

/** Turns a wall-clock stamp of the same kernel (ms, as tcpdump writes it) into the lab's clock. */
export const fromWallClock = (wallMs: number): number => {
  const before = now()
  const offset = before - Date.now() // the guest's wall clock is never stepped; Date is whole ms, good enough for the wire
  return wallMs + offset
}
