import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { LvslabError } from '../../errors.ts'

/**
 * QEMU's monitor, the one for humans. Not QMP, as that has a thread of its own, which QEMU wakes at every leap of the virtual
 * clock: a quarter of what an idle lab costs. Whoever reaches it can run commands on the host, so its socket
 * stands in a 0700 folder.
 */
export interface Monitor extends Disposable {
  /** Runs one command and returns what it says; throws ENGINE_MONITOR with QEMU's own words when it refuses. */
  command(line: string): Promise<string>
}

const PROMPT = '(qemu) '

/** Connects to the socket of a monitor, which appears soon. */
export const connectMonitor = async (file: string, deadlineMs: number, signal?: AbortSignal): Promise<Monitor> => {
  const socket = await connectSoon(file, deadlineMs, signal)
  let text = ''
  let closed = false
  let answer = (_said: string | undefined): void => {}
  socket.setEncoding('utf8')
  socket.on('data', (chunk: string) => {
    text += chunk
    if (text.endsWith(PROMPT)) answer(text)
  })
  socket.on('error', () => {}) // 'close' follows and tells those who wait
  socket.on('close', () => {
    closed = true
    answer(undefined)
  })
  const said = async (name: string): Promise<string> => {
    const all = await new Promise<string | undefined>(resolve => {
      answer = resolve
      if (closed || text.endsWith(PROMPT)) resolve(closed ? undefined : text)
    })
    text = ''
    if (all === undefined) throw new LvslabError('ENGINE_MONITOR', `${name}: QEMU has ended`)
    return all
  }
  let turn: Promise<unknown> = said('connecting')
  await turn
  const run = async (line: string): Promise<string> => {
    if (!closed) socket.write(`${line}\n`)
    // before the first line feed is the echo of what was typed, letter by letter
    const [, reply = ''] = /\n([^]*)\(qemu\) $/.exec(await said(line)) ?? []
    const words = reply.replaceAll('\r', '').trim()
    if (words.startsWith('Error: ') || words.startsWith('unknown command'))
      throw new LvslabError('ENGINE_MONITOR', `${line}: ${words}`)
    return words
  }
  const command = (line: string): Promise<string> => {
    const result = turn.catch(() => {}).then(() => run(line))
    turn = result
    return result
  }
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
      if (performance.now() > deadline) throw new LvslabError('ENGINE_MONITOR', `no monitor at ${file}`, { cause })
      await sleep(10)
    }
  }
}
