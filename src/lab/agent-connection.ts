import { randomBytes } from 'node:crypto'
import { type Duplex, PassThrough } from 'node:stream'
import readline from 'node:readline'
import type Docker from 'dockerode'
import type { Operation, Operations, Reply } from '../agent/protocol.ts'
import type { Engine } from '../engine/engine.ts'
import { LvslabError } from '../errors.ts'
import type { LabEvent } from '../history/event.ts'

/** A conversation with the agent of one lab. Closing it leaves the agent running. */
export interface AgentConnection extends AsyncDisposable {
  /**
   * Has the agent do something and waits for its answer.
   *
   * @param at ms on the lab's clock; the agent begins at that moment, at once where it is left out
   * @throws LvslabError AGENT_REFUSED with the agent's words, AGENT_LOST when the conversation ends meanwhile
   */
  call<O extends Operation>(op: O, args: Operations[O]['args'], at?: number): Promise<Operations[O]['result']>
}

/**
 * Talks to the agent over the standard input and output of its container: the way that every Docker Engine offers, whether it
 * is in a virtual machine or far away, and that starts no process.
 */
export const connectAgent = async (
  engine: Engine,
  container: Docker.Container,
  onEvent: (event: LabEvent) => void,
  signal?: AbortSignal,
): Promise<AgentConnection> => {
  const options = { stream: true, hijack: true, stdin: true, stdout: true, stderr: true }
  const stream = (await engine.awake(() => container.attach(options))) as Duplex
  const waiting = new Map<string, (reply: Exclude<Reply, { event: LabEvent }>) => void>()
  const conversation = randomBytes(6).toString('hex')
  let next = 1
  let lost: string | undefined
  const [out, errors] = [new PassThrough(), new PassThrough()]
  engine.docker.modem.demuxStream(stream, out, errors)
  readline.createInterface({ input: out }).on('line', line => {
    const reply = JSON.parse(line) as Reply
    if ('event' in reply) onEvent(reply.event)
    else waiting.get(reply.id)?.(reply)
  })
  let words = ''
  errors.on('data', (chunk: Buffer) => {
    words += chunk.toString()
  })
  const end = (): void => {
    lost ??= words.trim() || 'the connection closed'
    for (const [id, answer] of waiting) answer({ id, error: lost })
  }
  stream.on('close', end).on('end', end).on('error', end)
  // whoever waits for something in the lab waits no longer
  const interrupt = (): void => {
    lost ??= 'interrupted'
    stream.destroy()
  }
  if (signal?.aborted) interrupt()
  else signal?.addEventListener('abort', interrupt, { once: true })
  const call: AgentConnection['call'] = (op, args, at) =>
    engine.awake(async () => {
      if (lost !== undefined) throw new LvslabError('AGENT_LOST', `${op}: ${lost}`)
      const id = `${conversation}-${next++}`
      const reply = await new Promise<Exclude<Reply, { event: LabEvent }>>(resolve => {
        waiting.set(id, resolve)
        stream.write(`${JSON.stringify({ id, op, args, at })}\n`)
      })
      waiting.delete(id)
      if ('error' in reply) {
        throw new LvslabError(lost === undefined ? 'AGENT_REFUSED' : 'AGENT_LOST', `${op}: ${reply.error}`)
      }
      return reply.result as never
    })
  stream.write('\n') // ends what another may have left half said
  await call('attach', {})
  return {
    call,
    async [Symbol.asyncDispose]() {
      signal?.removeEventListener('abort', interrupt)
      if (lost === undefined) await Promise.race([call('detach', {}), engine.ended]).catch(() => {})
      stream.destroy()
    },
  }
}
