/**
 * Mixes an index into 32 bits that look random (the finalizer of MurmurHash3); the same index always gives the same
 * bits.
 */
const mix = (index: number): number => {
  let bits = (index + 1) | 0
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b)
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35)
  return (bits ^ (bits >>> 16)) >>> 0
}

/**
 * Keeps at most `limit` items of a stream of unknown length, a sample of all of it: when it is full, half of it goes,
 * and from then on a 2nd, a 4th, an 8th... of what comes is kept. Not every 2nd or 4th in order: against a round robin
 * that would keep one server's answers and drop the others'. The same stream always leaves the same items.
 */
export class Thinner<T> {
  readonly limit: number
  #kept: { item: T; bits: number }[] = []
  #mask = 0
  #seen = 0

  constructor(limit: number) {
    this.limit = limit
  }

  add(item: T): void {
    const bits = mix(this.#seen++)
    if ((bits & this.#mask) !== 0) return
    while (this.#kept.length >= this.limit && this.#mask !== -1) this.halve()
    if ((bits & this.#mask) === 0) this.#kept.push({ item, bits })
  }

  /** Lets half of it go, of what is kept and of what will come. */
  halve(): void {
    this.#mask = (this.#mask << 1) | 1
    this.#kept = this.#kept.filter(({ bits }) => (bits & this.#mask) === 0)
  }

  /** How many are left. */
  get size(): number {
    return this.#kept.length
  }

  /** What is left, in the order of its coming. */
  get items(): T[] {
    return this.#kept.map(({ item }) => item)
  }

  /** How many came. */
  get seen(): number {
    return this.#seen
  }
}
