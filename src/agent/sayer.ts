import type { Reply } from './protocol.ts'

/** How long an event waits for others, ms of lab time. */
const EVENTS_WAIT_MS = 100

/**
 * Says things to the harness, one line each. Each write goes the engine's whole way (shim, dockerd, TLS, the network), which costs an
 * emulated machine as much as a health check: so events wait for each other, and a reply takes along all that happened before it.
 */
export const sayer = (write: (text: string) => void): ((reply: Reply) => void) => {
  let text = ''
  let timer: NodeJS.Timeout | undefined
  let replied = false
  const flush = (): void => {
    clearTimeout(timer)
    timer = undefined
    replied = false
    write(text)
    text = ''
  }
  return reply => {
    text += `${JSON.stringify(reply)}\n`
    if ('event' in reply) timer ??= setTimeout(flush, EVENTS_WAIT_MS)
    else if (!replied) process.nextTick(flush)
    replied ||= !('event' in reply)
  }
}
