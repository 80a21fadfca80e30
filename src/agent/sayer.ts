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
  let urgent = false
  const flush = (): void => {
    clearTimeout(timer)
    timer = undefined
    urgent = false
    write(text)
    text = ''
  }
  return reply => {
    text += `${JSON.stringify(reply)}\n`
    // trouble may be the last that is said
    if ('event' in reply && reply.event.kind !== 'trouble') timer ??= setTimeout(flush, EVENTS_WAIT_MS)
    else if (!urgent) {
      urgent = true
      process.nextTick(flush)
    }
  }
}
