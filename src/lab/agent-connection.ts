import { randomBytes } from 'node:crypto'
import { type Duplex, PassThrough, type Writable } from 'node:stream'
import readline from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import type Docker from 'dockerode'
import type { Operation, Operations, Reply } from '../agent/protocol.ts'
import type { Engine, Line } from '../engine/engine.ts'
import { LvslabError, messageOf } from '../errors.ts'
import type { LabEvent } from '../history/event.ts'
import { callSite, notAwaited } from './call-site.ts'

/** A conversation with the agent of one lab. Closing it leaves the agent running. */
export interface AgentConnection extends AsyncDisposable {
  /**
   * Has the agent do something and waits for its answer.
   *
   * @param at ms on the lab's clock; the agent begins at that moment, at once where it is left out
   * @throws LvslabError AGENT_REFUSED with the agent's words, AGENT_LOST when the conversation ends meanwhile,
   * LAB_CALL_PENDING when it is closed meanwhile
   */
  call<O extends Operation>(op: O, args: Operations[O]['args'], at?: number): Promise<Operations[O]['result']>
}

type Answer = Exclude<Reply, { event: LabEvent }>

interface PendingCall {
  answer: (reply: Answer) => void
  /** There will be no answer any more: whoever asked did not wait for it. */
  close: () => void
}

/**
 * Talks to the agent over the engine's port for it, or else over the standard input and output of its container: the way that every
 * Docker Engine offers, however far away it is, and that starts no process.
 */
export const connectAgent = async (
  engine: Engine,
  container: Docker.Container,
  onEvent: (event: LabEvent) => void,
  signal?: AbortSignal,
): Promise<AgentConnection> => {
  const errors = new PassThrough()
  const { from, to } = engine.agentPort?.open() ?? (await attach(engine, container, errors))
  const close = (): void => {
    to.destroy()
    from.destroy()
  }
  const waiting = new Map<string, PendingCall>()
  const conversation = randomBytes(6).toString('hex')
  let next = 1
  let attached = false
  let lost: string | undefined
  const lines = readline.createInterface({ input: from })
  lines.on('line', line => {
    const reply = parseReply(line)
    if (reply === undefined) {
      if (!attached) return // the end of what was said to another
      lost ??= line.slice(0, 500) // its last words
      close()
    } else if (!('event' in reply)) waiting.get(reply.id)?.answer(reply)
    else if (reply.to === conversation) onEvent(reply.event)
  })
  let words = ''
  errors.on('data', (chunk: Buffer) => {
    words += chunk.toString()
  })
  const end = (): void => {
    lost ??= words.trim() || 'the connection closed'
    for (const [id, { answer }] of waiting) answer({ id, error: lost })
  }
  to.on('close', end).on('end', end).on('error', end)
  lines.on('error', end)
  // a port does not say that nobody is at its other end any more
  void engine.ended.then(why => {
    lost ??= `the engine has ended: ${why}`
    close()
  })
  // whoever waits for something in the lab waits no longer
  const interrupt = (): void => {
    lost ??= 'interrupted'
    close()
  }
  if (signal?.aborted) interrupt()
  else signal?.addEventListener('abort', interrupt, { once: true })
  const call: AgentConnection['call'] = (op, args, at) => {
    const id = `${conversation}-${next++}`
    const site = callSite() // of whoever asks: what is awaited later has another stack
    const { promise: answered, resolve: answer, reject } = Promise.withResolvers<Answer>()
    answered.catch(() => {}) // it may be closed before the engine is awake
    waiting.set(id, { answer, close: () => reject(notAwaited(op, args, site)) })
    return engine
      .awake(async () => {
        if (lost === undefined) to.write(`${JSON.stringify({ id, op, args, at })}\n`)
        else answer({ id, error: lost })
        const reply = await answered
        if ('error' in reply) {
          const code = lost === undefined ? 'AGENT_REFUSED' : 'AGENT_LOST'
          const { error, remedy } = reply
          throw new LvslabError(code, `${op}: ${error}`, remedy === undefined ? {} : { remedy, exitCode: 2 })
        }
        return reply.result as never
      })
      .finally(() => waiting.delete(id))
  }
  to.write('\n') // ends what another may have left half said
  {
    using _watching = watchContainer(container, why => {
      lost ??= why
      close()
    })
    await call('attach', { conversation })
  }
  attached = true
  return {
    call,
    async [Symbol.asyncDispose]() {
      signal?.removeEventListener('abort', interrupt)
      for (const { close } of waiting.values()) close()
      if (lost === undefined) {
        const detached = call('detach', { conversation }).catch(() => {})
        await Promise.race([detached, engine.ended, sleep(DETACH_MS, undefined, { ref: false })])
      }
      lost ??= 'the lab is closed'
      close()
    },
  }
}

const attach = async (engine: Engine, container: Docker.Container, errors: Writable): Promise<Line> => {
  const options = { stream: true, hijack: true, stdin: true, stdout: true, stderr: true }
  const to = (await engine.awake(() => container.attach(options))) as Duplex
  const from = new PassThrough()
  engine.docker.modem.demuxStream(to, from, errors)
  return { from, to }
}

/** Nothing depends on the agent's goodbye, and an engine far away may be gone without a word; ms. */
const DETACH_MS = 5_000

const parseReply = (line: string): Reply | undefined => {
  try {
    return JSON.parse(line) as Reply
  } catch {
    return undefined
  }
}

/** How long an agent may say nothing before it is looked at, ms: an engine lets one attach to a container that has ended. */
const SILENCE_MS = 5_000

/** Calls back where the container has ended; until it is disposed. */
const watchContainer = (container: Docker.Container, onEnd: (why: string) => void): Disposable => {
  const timer = setInterval(() => {
    container.inspect().then(
      ({ State }) => {
        if (!State.Running) onEnd(`the agent has ended with code ${State.ExitCode}${State.Error && `: ${State.Error}`}`)
      },
      (error: unknown) => onEnd(messageOf(error)),
    )
  }, SILENCE_MS)
  return { [Symbol.dispose]: () => clearInterval(timer) }
}
