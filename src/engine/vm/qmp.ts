import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import readline from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { LvslabError } from '../../errors.ts'

interface Reply {
  id?: number
  return?: unknown
  error?: { class: string; desc: string }
}

/** QEMU's own control protocol. Whoever reaches it can run commands on the host, so its socket stands in a 0700 folder. */
export interface Qmp extends Disposable {
  /** Runs one command; throws ENGINE_QMP with QEMU's own words when it refuses. */
  command(name: string, args?: Record<string, unknown>): Promise<unknown>
}

/** Connects to a QMP socket that appears soon. */
export const connectQmp = async (file: string, deadlineMs: number, signal?: AbortSignal): Promise<Qmp> => {
  const socket = await connectSoon(file, deadlineMs, signal)
  const waiting = new Map<number, (reply: Reply) => void>()
  let next = 1
  let closed = false
  const lines = readline.createInterface({ input: socket })
  lines.on('line', line => {
    const reply = JSON.parse(line) as Reply
    if (reply.id !== undefined) waiting.get(reply.id)?.(reply)
  })
  for (const emitter of [socket, lines]) emitter.on('error', () => {}) // 'close' follows and tells those who wait
  socket.on('close', () => {
    closed = true
    for (const answer of waiting.values()) answer({ error: { class: 'Closed', desc: 'QEMU has ended' } })
  })
  const command = async (name: string, args: Record<string, unknown> = {}): Promise<unknown> => {
    if (closed) throw new LvslabError('ENGINE_QMP', `${name}: QEMU has ended`)
    const id = next++
    const reply = await new Promise<Reply>(resolve => {
      waiting.set(id, resolve)
      socket.write(`${JSON.stringify({ execute: name, arguments: args, id })}\n`)
    })
    waiting.delete(id)
    if (reply.error) throw new LvslabError('ENGINE_QMP', `${name}: ${reply.error.desc}`)
    return reply.return
  }
  await command('qmp_capabilities')
  return { command, [Symbol.dispose]: () => void socket.destroy() }
}

const connectSoon = async (file: string, deadlineMs: number, signal?: AbortSignal): Promise<Socket> => {
  const deadline = performance.now() + deadlineMs
  for (;;) {
    signal?.throwIfAborted()
    const socket = connect(file)
    try {
      await once(socket, 'connect')
      return socket
    } catch (cause) {
      socket.destroy()
      if (performance.now() > deadline) throw new LvslabError('ENGINE_QMP', `no QMP socket at ${file}`, { cause })
      await sleep(10)
    }
  }
}
