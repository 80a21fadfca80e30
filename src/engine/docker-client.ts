import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import https from 'node:https'
import path from 'node:path'
import { connect, type TLSSocket } from 'node:tls'
import Docker from 'dockerode'
import { LvslabError } from '../errors.ts'

/** Where a TLS-protected Docker API listens and the client's certificates for it. */
export interface DockerEndpoint {
  host: string
  port: number
  /** Folder with ca.pem, cert.pem and key.pem. */
  certificates: string
}

/**
 * A Docker client each of whose connections has proved, before its first request, that it ends at the engine that was asked
 * for: forks share certificates, names and IDs, and a port freed by one may be taken by another.
 *
 * @param identity name of a volume that only this engine has; without it nothing is proved
 */
export const verifiedDocker = async (
  endpoint: DockerEndpoint,
  identity?: () => Promise<string>,
): Promise<{ docker: Docker; close: () => void }> => {
  const read = (name: string): Promise<Buffer> => readFile(path.join(endpoint.certificates, name))
  const [ca, cert, key] = await Promise.all(['ca.pem', 'cert.pem', 'key.pem'].map(read))
  const agent = new https.Agent({ keepAlive: true, maxSockets: 16 })
  const open = async (options: object): Promise<TLSSocket> => {
    const volume = await identity?.()
    const to = { ...options, host: endpoint.host, port: endpoint.port, ca, cert, key }
    const socket = await untilSecure(() => connect(to as never))
    if (volume !== undefined) await prove(socket, volume)
    return socket
  }
  Object.assign(agent, {
    createConnection: (options: object, done: (error: Error | null, socket?: TLSSocket) => void) => {
      open(options).then(socket => done(null, socket), done)
    },
  })
  const docker = new Docker({ protocol: 'https', host: endpoint.host, port: endpoint.port, agent } as never)
  return { docker, close: () => agent.destroy() }
}

/**
 * A guest goes on with the connections of whoever saved it, and sees ours come from the ports that they have on this host: where
 * one of theirs comes from the same port, ours is reset before anything is said. The next one comes from another port. (To Node an
 * orderly end before that is a reset too: a guest that boots is asked this often.)
 */
const TRIES = 5

/** Begins a connection, anew where it is reset before it is secured, and returns it secured. */
export const untilSecure = async (begin: () => TLSSocket, tries = TRIES): Promise<TLSSocket> => {
  const socket = begin()
  try {
    await once(socket, 'secureConnect')
    return socket
  } catch (error) {
    socket.destroy()
    if ((error as NodeJS.ErrnoException).code !== 'ECONNRESET' || tries === 1) throw error
    return untilSecure(begin, tries - 1)
  }
}

/** Asks for the volume on the bare connection, before anything else may use it. */
const prove = (socket: TLSSocket, volume: string): Promise<void> =>
  new Promise((resolve, reject) => {
    let text = ''
    const over = (): void => void socket.off('data', onData).off('close', onClose).off('error', fail)
    const fail = (error: Error): void => {
      over()
      socket.on('error', () => {}).destroy()
      reject(error)
    }
    const refuse = (why: string): void =>
      fail(new LvslabError('ENGINE_IDENTITY', `another engine answers on this port: ${why}`))
    const onClose = (): void => refuse('it closed the connection')
    const onData = (chunk: Buffer): void => {
      text += chunk.toString('latin1')
      const head = text.indexOf('\r\n\r\n')
      if (head < 0) return
      if (!text.startsWith('HTTP/1.1 200')) return refuse(text.slice(0, text.indexOf('\r\n')))
      const length = Number(/content-length: (\d+)/i.exec(text.slice(0, head))?.[1] ?? Number.NaN)
      if (Number.isNaN(length)) return refuse('an answer without a length')
      if (text.length < head + 4 + length) return
      over()
      resolve()
    }
    socket.on('data', onData).once('close', onClose).once('error', fail)
    socket.write(`GET /volumes/${volume} HTTP/1.1\r\nHost: lvslab\r\n\r\n`)
  })
