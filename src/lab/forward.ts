import { createServer, type AddressInfo, type Socket } from 'node:net'
import { type Duplex, PassThrough, type Readable, type Writable } from 'node:stream'
import { LvslabError } from '../errors.ts'
import type { Lab } from './lab.ts'
import { containerName } from './names.ts'

/** A port of this host's loopback that leads into a lab. */
export interface Forward extends AsyncDisposable {
  port: number
}

/** The other half of a forwarded connection. */
export interface FarEnd {
  /** What it says; ends when it says no more. */
  from: Readable
  /** What it is told. */
  to: Writable
  /** Whether it ended by a failure: refused, timed out, reset. Known when `from` has ended. */
  broken: () => boolean
  destroy: () => void
}

/**
 * Has programs on this host, a browser above all, reach an address of a lab as a node does: each connection to the port is one of
 * socat in that node to the target. One that the target refuses is reset here, as it was accepted before the target was asked.
 *
 * @param node whose connections they are in the lab
 * @param target `192.168.0.111:80`
 * @throws LvslabError FORWARD_CLOCK on the virtual clock: a program outside waits in the time of this host
 */
export const forward = async (
  { engine, topology, name }: Pick<Lab, 'engine' | 'topology' | 'name'>,
  node: string,
  target: string,
): Promise<Forward> => {
  if (engine.clock !== 'real') {
    throw new LvslabError('FORWARD_CLOCK', `${name}: a port of this host leads into a lab on the real clock only`, {
      remedy: "labTest(dir, { realClock: 'why' })",
      exitCode: 2,
    })
  }
  const container = engine.docker.getContainer(containerName(topology, node))
  return serve(async () => {
    const streams = { AttachStdin: true, AttachStdout: true, AttachStderr: true }
    const exec = await container.exec({ Cmd: ['socat', '-', `TCP:${target}`], ...streams })
    const stream: Duplex = await exec.start({ hijack: true, stdin: true })
    const [from, complaints] = [new PassThrough(), new PassThrough()]
    let complained = false
    complaints.on('data', () => {
      complained = true
    })
    engine.docker.modem.demuxStream(stream, from, complaints)
    stream
      .on('error', () => {})
      .on('end', () => from.end())
      .on('close', () => from.end())
    return { from, to: stream, broken: () => complained, destroy: () => stream.destroy() }
  })
}

/** Takes connections on a free port of the loopback; each gets a far end of its own. */
export const serve = async (reach: () => Promise<FarEnd>): Promise<Forward> => {
  const open = new Set<Socket>()
  const server = createServer(socket => {
    open.add(socket)
    socket.on('close', () => open.delete(socket)).on('error', () => {}) // whoever asked may go at any time
    reach().then(
      far => join(socket, far),
      () => socket.resetAndDestroy(),
    )
  })
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        for (const socket of open) socket.destroy()
      }),
  }
}

const join = (socket: Socket, far: FarEnd): void => {
  if (socket.destroyed) return far.destroy()
  socket.on('close', far.destroy)
  socket.pipe(far.to)
  far.from.pipe(socket, { end: false })
  far.from.once('end', () => (far.broken() ? socket.resetAndDestroy() : socket.end()))
}
