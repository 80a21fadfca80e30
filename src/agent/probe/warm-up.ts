import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { now } from '../clock.ts'
import { httpRequests } from './http.ts'

/** Requests in a round, and so many at once. */
const [ROUND, WIDTH] = [40, 4]

/** It has settled when so many rounds in a row were no faster than the fastest before them; but after so many at most. */
const [NO_FASTER, MOST] = [4, 60]

/** Requests that end otherwise: their paths are short. */
const FAILING = 100

/** By how much a round must beat the fastest to count as faster. */
const MARGIN = 0.97

const ANSWER = 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: text/html\r\nContent-Length: 8\r\n\r\nwarm up\n'

/**
 * Runs the whole path of a request, with each of its ends, until it gets no faster: against servers of its own on the
 * loopback, so that nothing of the lab is touched. The first hundreds of a cold process take half a second each, until they
 * are compiled; after a fork on the real clock an emulator translates the whole path once more, in the lab's time.
 *
 * Then the young generation is emptied: with the size that the agent starts this process with, minutes pass until it is full
 * again.
 *
 * @param least requests that are answered before it looks whether it has settled: a compiler takes its time to see what is hot
 * @returns the requests that it took
 */
export const warmUp = async (least: number): Promise<number> => {
  const answering = createServer(socket => {
    socket.on('error', () => {}).once('data', () => socket.end(ANSWER))
  })
  const silent = createServer(socket => {
    socket.on('error', () => {}).resume()
  })
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
  await send(FAILING, WIDTH, 1, 10_000)
  await send(FAILING, 20, ports[1], 20)
  let [sent, fastest, noFaster] = [0, Number.POSITIVE_INFINITY, 0]
  while (sent < least || (noFaster < NO_FASTER && sent < MOST * ROUND)) {
    const began = now()
    await send(ROUND, WIDTH, ports[0], 10_000)
    const took = now() - began
    noFaster = took < fastest * MARGIN ? 0 : noFaster + 1
    fastest = Math.min(fastest, took)
    sent += ROUND
  }
  for (const server of [answering, silent]) server.close()
  globalThis.gc?.()
  return sent
}
