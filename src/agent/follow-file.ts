import { closeSync, fstatSync, openSync, readSync, watch } from 'node:fs'
import { StringDecoder } from 'node:string_decoder'

/** A file that is being followed. */
export interface Followed {
  /** Ends it; returns how far it was read, in bytes. */
  close: () => number
}

/**
 * Calls back for each line that a file has, and for each that is appended to it, as soon as it is. (tail(1) looks once a
 * second at a file on overlayfs, which a container's root is.)
 *
 * @param from where to begin, in bytes; `end` for what is appended from now on
 */
export const followFile = (path: string, onLine: (line: string) => void, from: number | 'end' = 0): Followed => {
  const file = openSync(path, 'a+')
  const decoder = new StringDecoder()
  const buffer = Buffer.alloc(64 * 1024)
  let [position, rest] = [from === 'end' ? fstatSync(file).size : from, '']
  const read = (): void => {
    for (let length = 1; length > 0; ) {
      length = readSync(file, buffer, 0, buffer.length, position)
      position += length
      const lines = (rest + decoder.write(buffer.subarray(0, length))).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) onLine(line)
    }
  }
  let open = true
  const close = (): number => {
    if (open) {
      open = false
      watcher.close()
      read() // what was written and not yet announced
      closeSync(file)
    }
    return position
  }
  const watcher = watch(path, read).on('error', close)
  read()
  return { close }
}
