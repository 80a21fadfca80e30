import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { httpRequests } from './http.ts'

const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nrs1\n'

const cleanUp: (() => void)[] = []
afterEach(() => {
  for (const end of cleanUp.splice(0)) end()
})

/** A server that does this when a connection has asked for something; what came over each connection, and its end. */
const server = async (
  onRequest: (socket: Socket) => void,
  host = '127.0.0.1',
): Promise<{ url: string; asked: string[]; from: string[]; closed: Promise<unknown>[] }> => {
  const asked: string[] = []
  const from: string[] = []
  const closed: Promise<unknown>[] = []
  const listening = createServer(socket => {
    const n = asked.push('') - 1
    from.push(`${socket.remoteAddress} ${socket.remotePort}`)
    closed.push(new Promise(resolve => void socket.once('close', resolve)))
    socket.on('error', () => {})
    socket.on('data', text => void (asked[n] += String(text)))
    socket.once('data', () => onRequest(socket))
    cleanUp.push(() => socket.destroy())
  }).listen(0, host)
  await once(listening, 'listening')
  cleanUp.push(() => listening.close())
  const { port } = listening.address() as AddressInfo
  return { url: `http://${host.includes(':') ? `[${host}]` : host}:${port}/a?b`, asked, from, closed }
}

const asking = (url: string, more: { sources?: string[]; ports?: number[] } = {}) =>
  httpRequests({ url, probe: 'p', client: 'client', timeoutMs: 100, ...more })

it('asks on a connection of its own each time, also of a server that would keep it', async () => {
  const { url, asked, from } = await server(socket => socket.write(ANSWER))
  const ask = asking(url)
  for (const n of [0, 1]) {
    const event = await ask(n, 5)
    expect(event).toMatchObject({ n, scheduled: 5, outcome: 'answered', status: 200, server: 'rs1' })
    expect(`${event.source} ${event.sourcePort}`).toBe(from[n])
  }
  await Promise.all([2, 3, 4].map(n => ask(n, 5)))
  expect(asked.map(text => text.match(/^GET \/a\?b HTTP\/1.1\r\n/g)?.length)).toEqual([1, 1, 1, 1, 1])
  expect(new Set(from).size).toBe(5)
})

it('asks from the sources in turn, and by IPv6', async () => {
  const { url, from } = await server(socket => socket.write(ANSWER))
  const ask = asking(url, { sources: ['127.0.0.7', '127.0.0.8'] })
  for (const n of [0, 1, 2]) expect((await ask(n, 0)).source).toBe(['127.0.0.7', '127.0.0.8', '127.0.0.7'][n])
  expect(from.map(one => one.split(' ')[0])).toEqual(['127.0.0.7', '127.0.0.8', '127.0.0.7'])
  const ipv6 = await server(socket => socket.write(ANSWER), '::1')
  expect(await asking(ipv6.url)(0, 0)).toMatchObject({ outcome: 'answered', source: '::1' })
})

it('says how a request ended, and never asks again by itself', async () => {
  const outcomeOf = async (onRequest: (socket: Socket) => void): Promise<string> => {
    const { url, asked } = await server(onRequest)
    const { outcome } = await asking(url)(0, 0)
    return `${outcome}, asked ${asked.length}`
  }
  expect(await outcomeOf(socket => socket.resetAndDestroy())).toBe('reset, asked 1')
  expect(await outcomeOf(socket => socket.end())).toBe('reset, asked 1')
  expect(await outcomeOf(socket => socket.end('hello\r\n\r\n'))).toBe('error, asked 1')
  expect(await outcomeOf(() => {})).toBe('timeout, asked 1')
  expect(await asking('http://127.0.0.1:9/')(0, 0)).toMatchObject({ outcome: 'refused', source: '' })
})

it('asks from chosen ports in turn', async () => {
  const free = createServer().listen(0, '127.0.0.1')
  await once(free, 'listening')
  const { port } = free.address() as AddressInfo
  free.close()
  await once(free, 'close')
  const { url, from } = await server(socket => socket.write(ANSWER))
  expect(await asking(url, { ports: [port] })(0, 0)).toMatchObject({ outcome: 'answered', sourcePort: port })
  expect(from).toEqual([`127.0.0.1 ${port}`])
})

it.each<[string, string, (socket: Socket) => void]>([
  ['was reset', 'reset', socket => socket.resetAndDestroy()],
  ['had no end', 'timeout', socket => socket.write('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nrs1')],
  ['was cut short', 'timeout', socket => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nrs1')],
])('is not disturbed by a request before it whose answer %s', async (_how, outcome, fail) => {
  let n = 0
  const { url, closed } = await server(socket => (n++ === 1 ? fail(socket) : socket.write(ANSWER)))
  const ask = asking(url)
  const outcomes = []
  for (const n of [0, 1, 2, 3]) {
    outcomes.push((await ask(n, 0)).outcome)
    await closed[n] // undici may tell of a connection once more when it is cut off
  }
  expect(outcomes).toEqual(['answered', outcome, 'answered', 'answered'])
})
