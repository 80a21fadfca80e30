import { closeSync, openSync, readSync, watch } from 'node:fs'
import { StringDecoder } from 'node:string_decoder'

/**
 * Calls back for each line that a file has, and for each that is appended to it, as soon as it is. (tail(1) looks once a
 * second at a file on overlayfs, which a container's root is.)
 */
export const followFile = (path: string, onLine: (line: string) => void): void => {
  const file = openSync(path, 'a+')
  const decoder = new StringDecoder()
  const buffer = Buffer.alloc(64 * 1024)
  let [position, rest] = [0, '']
  const read = (): void => {
    for (let length = 1; length > 0; ) {
      length = readSync(file, buffer, 0, buffer.length, position)
      position += length
      const lines = (rest + decoder.write(buffer.subarray(0, length))).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) onLine(line)
    }
  }
  watch(path, read).on('error', () => closeSync(file))
  read()
}
