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
 * @param identity name of a volume that only this engine has; undefined while it is not made yet
 */
export const verifiedDocker = async (
  endpoint: DockerEndpoint,
  identity: () => string | undefined,
): Promise<{ docker: Docker; close: () => void }> => {
  const read = (name: string): Promise<Buffer> => readFile(path.join(endpoint.certificates, name))
  const [ca, cert, key] = await Promise.all(['ca.pem', 'cert.pem', 'key.pem'].map(read))
  const agent = new https.Agent({ keepAlive: true, maxSockets: 16 })
  Object.assign(agent, {
    createConnection: (options: object, done: (error: Error | null, socket?: TLSSocket) => void) => {
      const socket = connect({ ...options, host: endpoint.host, port: endpoint.port, ca, cert, key } as never)
      const fail = (error: Error): void => {
        socket.destroy()
        done(error)
      }
      socket.once('error', fail)
      socket.once('secureConnect', () => {
        const volume = identity()
        const proof = volume === undefined ? Promise.resolve() : prove(socket, volume)
        proof.then(() => {
          socket.off('error', fail)
          done(null, socket)
        }, fail)
      })
    },
  })
  const docker = new Docker({ protocol: 'https', host: endpoint.host, port: endpoint.port, agent } as never)
  return { docker, close: () => agent.destroy() }
}

/** Asks for the volume on the bare connection, before anything else may use it. */
const prove = (socket: TLSSocket, volume: string): Promise<void> =>
  new Promise((resolve, reject) => {
    let text = ''
    const refuse = (why: string): void => {
      socket.off('data', onData)
      reject(new LvslabError('ENGINE_IDENTITY', `another engine answers on this port: ${why}`))
    }
    const onData = (chunk: Buffer): void => {
      text += chunk.toString('latin1')
      const head = text.indexOf('\r\n\r\n')
      if (head < 0) return
      if (!text.startsWith('HTTP/1.1 200')) return refuse(text.slice(0, text.indexOf('\r\n')))
      const length = Number(/content-length: (\d+)/i.exec(text.slice(0, head))?.[1] ?? Number.NaN)
      if (Number.isNaN(length)) return refuse('an answer without a length')
      if (text.length < head + 4 + length) return
      socket.off('data', onData)
      resolve()
    }
    socket.on('data', onData)
    socket.once('close', () => refuse('it closed the connection'))
    socket.write(`GET /volumes/${volume} HTTP/1.1\r\nHost: lvslab\r\n\r\n`)
  })
