import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { now } from '../clock.ts'
import { httpRequests } from './http.ts'
import { openLoop } from './open-loop.ts'

/** Requests in a round, and so many at once. */
const [ROUND, WIDTH] = [40, 4]

/** It has settled when so many rounds in a row were no faster than the fastest before them; but after so many at most. */
const [NO_FASTER, MOST] = [4, 60]

/** Requests that end otherwise: their paths are short. */
const FAILING = 100

/** After a fork it has settled when so many requests in a row, at such a rate, left in time; after so many tries at most. */
const STEADY = { count: 100, rate: 100, tries: 8 }

/** By how much a round must beat the fastest to count as faster. */
const MARGIN = 0.97

const ANSWER = 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: text/html\r\nContent-Length: 8\r\n\r\nwarm up\n'

/**
 * Runs the whole path of a request, with each of its ends, until it gets no faster: against servers of its own on the
 * loopback, so that nothing of the lab is touched. The first hundreds of a cold process take half a second each, until they
 * are compiled.
 *
 * Then what it left is collected, and not in the middle of a measurement.
 *
 * @param least requests that are answered before it looks whether it has settled: a compiler takes its time to see what is hot
 */
export const warmUp = (least: number): Promise<void> =>
  withServers(async ({ answering, silent }) => {
    await send(FAILING, WIDTH, 1, 10_000)
    await send(FAILING, 20, silent, 20)
    let [sent, fastest, noFaster] = [0, Number.POSITIVE_INFINITY, 0]
    while (sent < least || (noFaster < NO_FASTER && sent < MOST * ROUND)) {
      const began = now()
      await send(ROUND, WIDTH, answering, 10_000)
      const took = now() - began
      noFaster = took < fastest * MARGIN ? 0 : noFaster + 1
      fastest = Math.min(fastest, took)
      sent += ROUND
    }
    globalThis.gc?.()
  })

/**
 * Runs an open loop, as a probe is one, until all of its requests leave in time. After a fork on the real clock an emulator
 * translates the whole path once more, in the lab's time: rounds of requests stop getting faster long before a loop that
 * pauses between them is steady (measured at 100/s: without this, one in fifty left late, nearly all in the first 2 s).
 */
export const steady = (): Promise<void> =>
  withServers(async ({ answering, silent }) => {
    await send(FAILING, WIDTH, 1, 10_000)
    await send(FAILING, 20, silent, 20)
    const request = httpRequests(toOwn(answering, 10_000))
    for (let tries = 0; tries < STEADY.tries; tries++) {
      const late = await new Promise<number>(resolve => {
        openLoop({ ...STEADY, send: request, ended: sent => resolve(sent.late) })
      })
      if (late === 0) break
    }
    globalThis.gc?.()
  })

const toOwn = (port: number, timeoutMs: number) => ({
  ...{ probe: 'warm-up', client: '', url: `http://127.0.0.1:${port}/`, timeoutMs },
})

const send = async (count: number, width: number, port: number, timeoutMs: number): Promise<void> => {
  const request = httpRequests(toOwn(port, timeoutMs))
  for (let n = 0; n < count; n += width)
    await Promise.all(Array.from({ length: width }, (_, i) => request(n + i, now())))
}

/** Ports of a server that answers, and of one that never does. */
const withServers = async (run: (ports: { answering: number; silent: number }) => Promise<void>): Promise<void> => {
  const servers = [
    createServer(socket => {
      socket.on('error', () => {}).once('data', () => socket.end(ANSWER))
    }),
    createServer(socket => {
      socket.on('error', () => {}).resume()
    }),
  ]
  const ports: number[] = []
  for (const server of servers) {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    ports.push((server.address() as AddressInfo).port)
  }
  await run({ answering: ports[0] ?? 0, silent: ports[1] ?? 0 })
  for (const server of servers) server.close()
}
