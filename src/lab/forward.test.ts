import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { LvslabError } from '../errors.ts'
import { type FarEnd, forward, serve } from './forward.ts'
import type { Lab } from './lab.ts'

const listening = async (onConnection: (socket: Socket) => void): Promise<Server> => {
  const server = createServer(onConnection).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

/** A far end that is a connection of this process. */
const to = (server: Server) => async (): Promise<FarEnd> => {
  const far = connect((server.address() as AddressInfo).port, '127.0.0.1')
  let broken = false
  const from = new PassThrough()
  far
    .on('error', () => {
      broken = true
    })
    .on('close', () => from.end())
    .pipe(from, { end: false })
  await once(far, 'connect')
  return { from, to: far, broken: () => broken, destroy: () => far.destroy() }
}

const ask = (port: number, question: string): Promise<string> => {
  const socket = connect(port, '127.0.0.1')
  socket.write(question)
  return text(socket)
}

test('both directions pass, each connection by itself, until the target ends it', async () => {
  const server = await listening(socket =>
    socket.once('data', (question: Buffer) => socket.end(`heard ${question.toString()} `.repeat(50_000))),
  )
  await using forwarded = await serve(to(server))
  const answers = await Promise.all(['a', 'b', 'c'].map(question => ask(forwarded.port, question)))
  expect(answers).toEqual(['a', 'b', 'c'].map(question => `heard ${question} `.repeat(50_000)))
  server.close()
})

test('who goes away is gone at the target too', async () => {
  const closed = Promise.withResolvers<void>()
  const server = await listening(socket => socket.resume().on('close', () => closed.resolve()))
  await using forwarded = await serve(to(server))
  const socket = connect(forwarded.port, '127.0.0.1').on('connect', () => socket.end('and no more'))
  await expect(closed.promise).resolves.toBeUndefined()
  server.close()
})

test('a target that is not reached, or breaks off, is a reset and no empty answer', async () => {
  await using nobody = await serve(() => Promise.reject(new Error('refused')))
  await expect(ask(nobody.port, 'hello')).rejects.toMatchObject({ code: 'ECONNRESET' })

  const server = await listening(socket =>
    socket.once('data', () => socket.write('half', () => socket.resetAndDestroy())),
  )
  await using breaking = await serve(to(server))
  await expect(ask(breaking.port, 'hello')).rejects.toMatchObject({ code: 'ECONNRESET' })
  server.close()
})

test('on the virtual clock there is none', async () => {
  const lab = { name: 'x', topology: {}, engine: { clock: 'virtual' } } as unknown as Lab
  await expect(forward(lab, 'c1', '10.0.0.100:80')).rejects.toThrow(LvslabError)
})
