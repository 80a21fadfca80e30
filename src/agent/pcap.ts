const FILE_HEADER = 24
const RECORD_HEADER = 16

/** Takes a classic pcap stream (little-endian, microseconds, as tcpdump writes it) apart, however it is cut into chunks. */
export class PcapReader {
  #pending = Buffer.alloc(0)
  #header = false
  readonly #onFrame: (frame: Buffer, wallMs: number) => void

  /** @param onFrame called with each frame and its stamp, ms of wall clock */
  constructor(onFrame: (frame: Buffer, wallMs: number) => void) {
    this.#onFrame = onFrame
  }

  push(chunk: Buffer): void {
    let rest = Buffer.concat([this.#pending, chunk])
    if (!this.#header && rest.length >= FILE_HEADER) {
      this.#header = true
      rest = rest.subarray(FILE_HEADER)
    }
    while (this.#header && rest.length >= RECORD_HEADER) {
      const length = rest.readUInt32LE(8)
      if (rest.length < RECORD_HEADER + length) break
      const wallMs = rest.readUInt32LE(0) * 1000 + rest.readUInt32LE(4) / 1000
      this.#onFrame(rest.subarray(RECORD_HEADER, RECORD_HEADER + length), wallMs)
      rest = rest.subarray(RECORD_HEADER + length)
    }
    this.#pending = rest
  }
}
