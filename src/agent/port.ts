import { createReadStream, createWriteStream, openSync, writeSync } from 'node:fs'
import type { Readable, Writable } from 'node:stream'

/** A conversation's two directions. */
export interface Streams {
  input: Readable
  output: Writable
}

/**
 * A virtio-serial port (`/dev/vport1p1`): one for all who read and write it, as it can be opened once. Node has no poll for such a
 * device, so of the four threads of its pool one always waits in a read. An orderly end of the process would wait for it as well, for
 * ever: what nobody catches kills it.
 */
export const openPort = (device: string): Streams => {
  const fd = openSync(device, 'r+')
  process.on('uncaughtException', error => {
    writeSync(2, `${error.stack}\n`)
    process.kill(process.pid, 'SIGKILL')
  })
  return {
    input: createReadStream('', { fd, autoClose: false }),
    output: createWriteStream('', { fd, autoClose: false }),
  }
}
