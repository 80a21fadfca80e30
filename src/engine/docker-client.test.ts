import { once } from 'node:events'
import { type AddressInfo, createServer as createPlainServer } from 'node:net'
import { connect, createServer } from 'node:tls'
import { expect, it, onTestFinished } from 'vitest'
import { untilSecure } from './docker-client.ts'

/** TLS by a key that both know: there is no certificate to make. */
const KEY = Buffer.from('6c76736c6162', 'hex')
const COMMON = { ciphers: 'PSK-AES128-GCM-SHA256', maxVersion: 'TLSv1.2' } as const

/** Listens on the loopback, resets so many connections, and says what comes after them. */
const resetting = async (resets: number) => {
  let connections = 0
  const secure = createServer({ ...COMMON, pskCallback: () => KEY }, socket => socket.end('hello'))
  const server = createPlainServer(socket => {
    connections++
    if (connections > resets) secure.emit('connection', socket)
    else socket.resetAndDestroy()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const { port } = server.address() as AddressInfo
  const begin = () =>
    connect({
      ...COMMON,
      ...{ host: '127.0.0.1', port, checkServerIdentity: () => undefined },
      pskCallback: () => ({ psk: KEY, identity: 'lvslab' }),
    })
  return { begin, count: () => connections }
}

it('begins a connection anew that is reset before anything was said', async () => {
  const { begin, count } = await resetting(2)
  const socket = await untilSecure(begin)
  const [said] = await once(socket, 'data')
  expect([String(said), count()]).toEqual(['hello', 3])
  socket.destroy()
})

it('gives up where all are reset', async () => {
  const { begin, count } = await resetting(9)
  await expect(untilSecure(begin, 3)).rejects.toMatchObject({ code: 'ECONNRESET' })
  expect(count()).toBe(3)
})

it('does not try again where nobody listens', async () => {
  let tries = 0
  const nowhere = () => {
    tries++
    return connect({ host: '127.0.0.1', port: 1 })
  }
  await expect(untilSecure(nowhere)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  expect(tries).toBe(1)
})
