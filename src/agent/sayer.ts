import { batched } from './batch.ts'
import type { Reply } from './protocol.ts'

/**
 * Says things to the harness, one line each. Each write wakes whoever carries it (QEMU, or shim, dockerd, TLS and the network): so
 * events wait for each other, and a reply takes along all that happened before it.
 */
export const sayer = (write: (text: string) => void): ((reply: Reply) => void) => {
  const lines = batched<string>(batch => write(batch.join('')))
  let urgent = false
  return reply => {
    lines.add(`${JSON.stringify(reply)}\n`)
    // trouble may be the last that is said
    if (urgent || ('event' in reply && reply.event.kind !== 'trouble')) return
    urgent = true
    process.nextTick(() => {
      urgent = false
      lines.flush()
    })
  }
}
