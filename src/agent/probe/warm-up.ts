import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { now } from '../clock.ts'
import { httpRequests } from './http.ts'

/** Requests of each kind that a new process sends to itself; the first hundreds of a cold JIT take half a second each. */
const WARM_UP = { answered: 400, refused: 100, timeout: 100 }

/**
 * Runs the whole path of a request, with each of its ends, until it is compiled: against servers of its own on the loopback,
 * so that nothing of the lab is touched. Then the young generation is emptied: with the size that the agent starts this
 * process with, minutes pass until it is full again.
 */
export const warmUp = async (): Promise<void> => {
  const answering = createServer((_request, response) => response.end('warm up'))
  const silent = createServer(() => {})
  const ports: number[] = []
  for (const server of [answering, silent]) {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    ports.push((server.address() as AddressInfo).port)
  }
  const send = async (count: number, width: number, port: number | undefined, timeoutMs: number): Promise<void> => {
    const url = `http://127.0.0.1:${port}/`
    const request = httpRequests({ probe: 'warm-up', client: '', url, timeoutMs })
    for (let n = 0; n < count; n += width)
      await Promise.all(Array.from({ length: width }, (_, i) => request(n + i, now())))
  }
  await send(WARM_UP.answered, 4, ports[0], 10_000)
  await send(WARM_UP.refused, 4, 1, 10_000)
  await send(WARM_UP.timeout, 20, ports[1], 20)
  for (const server of [answering, silent]) server.close().closeAllConnections()
  globalThis.gc?.()
}
