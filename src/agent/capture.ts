import { once } from 'node:events'
import type { ChildProcess } from 'node:child_process'
import { fromWallClock, now } from './clock.ts'
import { record } from './journal.ts'
import { startInNode } from './namespace.ts'
import { decodePacket } from './packet.ts'
import { PcapReader } from './pcap.ts'
import type { AgentNode, CaptureOptions } from './protocol.ts'

const running = new Map<string, { node: AgentNode; child: ChildProcess }>()

/** Bytes of each packet that are looked at: headers with all their options. */
const SNAP_LENGTH = '160'

/** Records what passes an interface as `packet` events. Resolves when tcpdump says that it listens. */
export const startCapture = async (node: AgentNode, { capture, device, filter }: CaptureOptions): Promise<void> => {
  if (running.has(capture)) throw new Error(`a capture ${capture} is running already`)
  // not in immediate mode, the kernel keeps packets back for up to a second, and tcpdump ends without them
  const argv = [
    'tcpdump',
    '-i',
    device,
    '-n',
    '--immediate-mode',
    '-U',
    '-s',
    SNAP_LENGTH,
    '-Z',
    'root',
    '-w',
    '-',
    filter,
  ]
  const child = startInNode(node, argv, ['--net'], ['ignore', 'pipe', 'pipe'])
  running.set(capture, { node, child })
  const reader = new PcapReader((frame, wallMs) => {
    const packet = decodePacket(frame)
    if (packet) record({ kind: 'packet', t: fromWallClock(wallMs), capture, node: node.name, device, ...packet })
  })
  child.stdout?.on('data', (chunk: Buffer) => reader.push(chunk))
  let words = ''
  let listening = false
  await new Promise<void>((resolve, reject) => {
    child.stderr?.on('data', (chunk: Buffer) => {
      words += chunk.toString()
      if (!words.includes('listening on')) return
      listening = true
      resolve()
    })
    child.on('error', reject)
    child.on('exit', code => {
      if (!running.delete(capture)) return // it was asked to
      const what = `tcpdump on ${device} ended with code ${code}: ${words.trim()}`
      reject(new Error(what))
      if (listening) record({ kind: 'trouble', t: now(), node: node.name, what })
    })
  })
}

/** Ends the captures of a node that is about to go down; what it sends no more is no gap in them. */
export const endCaptures = (node: AgentNode): void => {
  for (const [capture, { node: of, child }] of running) {
    if (of !== node) continue
    running.delete(capture)
    child.kill('SIGINT')
  }
}

/** Ends a capture; tcpdump writes what it has first. */
export const stopCapture = async (capture: string): Promise<void> => {
  const child = running.get(capture)?.child
  if (!child) throw new Error(`no capture ${capture} is running; one ends with its node`)
  running.delete(capture)
  child.kill('SIGINT')
  await once(child, 'close')
}
