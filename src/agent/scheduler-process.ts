import { createServer, connect as openSocket, type Socket } from 'node:net'
import { LISTENING_PORT } from './scheduler-case.ts'

/** What the client's process is told: connections to open, or to close, all at once. It answers when all are. */
export type ClientCommand =
  | { connect: { id: string; source: string; port: number; destination: string; to: number }[] }
  | { close: string[] }
/** `connected`: those that were not refused. */
export type ClientReport = { ready: true } | { connected: string[] } | { closed: true } | { failed: string }

/** Whose network namespace a process is in. */
export type SchedulerRole = 'director' | 'clients' | 'servers'

const report = (message: ClientReport): void => void process.send?.(message)

/** Main program of the process in the real servers' network namespace: accepts, and hangs up when the client does. */
const serve = (): void => {
  createServer(socket => socket.on('error', () => {}).resume()).listen(LISTENING_PORT, () => report({ ready: true }))
}

/** Main program of the process in the clients' network namespace. */
const drive = (): void => {
  const open = new Map<string, Socket>()
  const connect = ({ id, source, port, destination, to }: { id: string } & Record<string, string | number>) =>
    new Promise<string | undefined>((resolve, reject) => {
      const socket = openSocket({
        ...{ host: String(destination), port: Number(to) },
        ...{ localAddress: String(source), localPort: Number(port) },
      })
      socket.on('connect', () => {
        open.set(id, socket)
        resolve(id)
      })
      socket.on('error', (error: NodeJS.ErrnoException) =>
        error.code === 'ECONNREFUSED' ? resolve(undefined) : reject(error),
      )
    })
  const close = (id: string): Promise<void> =>
    new Promise(resolve => {
      open
        .get(id)
        ?.on('close', () => resolve())
        .destroy()
      open.delete(id)
    })
  const obey = async (command: ClientCommand): Promise<void> => {
    if ('close' in command) {
      await Promise.all(command.close.map(close))
      report({ closed: true })
      return
    }
    const ids = await Promise.all(command.connect.map(connect))
    report({ connected: ids.filter(id => id !== undefined) })
  }
  process.on('message', (command: ClientCommand) => {
    obey(command).catch((error: Error) => report({ failed: error.message }))
  })
  report({ ready: true })
}

export const schedulerMain = (role: SchedulerRole): void => {
  process.on('disconnect', () => process.exit())
  if (role === 'servers') serve()
  else if (role === 'clients') drive()
  else report({ ready: true }) // the director is the kernel: its process only holds the namespace
}
