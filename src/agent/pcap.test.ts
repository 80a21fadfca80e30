import { expect, it } from 'vitest'
import { PcapReader } from './pcap.ts'

const packet = (seconds: number, micros: number, data: string): Buffer => {
  const header = Buffer.alloc(16)
  header.writeUInt32LE(seconds, 0)
  header.writeUInt32LE(micros, 4)
  header.writeUInt32LE(data.length, 8)
  header.writeUInt32LE(data.length, 12)
  return Buffer.concat([header, Buffer.from(data)])
}
const stream = Buffer.concat([Buffer.alloc(24), packet(1, 500_000, 'first'), packet(2, 250, 'second one')])

it.for([1, 7, 40, 1000])('finds the same frames in chunks of %d bytes', size => {
  const frames: [string, number][] = []
  const reader = new PcapReader((frame, wallMs) => frames.push([frame.toString(), wallMs]))
  for (let at = 0; at < stream.length; at += size) reader.push(stream.subarray(at, at + size))
  expect(frames).toEqual([
    ['first', 1500],
    ['second one', 2000.25],
  ])
})
