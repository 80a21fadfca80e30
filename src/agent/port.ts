import { createReadStream, createWriteStream, openSync } from 'node:fs'
import type { Readable, Writable } from 'node:stream'

/** A conversation's two directions. */
export interface Line {
  input: Readable
  output: Writable
}

/**
 * A virtio-serial port (`/dev/vport1p1`): one for all who read and write it, as it can be opened once. Node has no poll for such a
 * device, so a thread of its pool waits in each read.
 */
export const openPort = (device: string): Line => {
  const fd = openSync(device, 'r+')
  return {
    input: createReadStream('', { fd, autoClose: false }),
    output: createWriteStream('', { fd, autoClose: false }),
  }
}
