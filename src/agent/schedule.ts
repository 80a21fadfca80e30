import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { endpoint, parseIpvs } from './ipvs.ts'
import type { SchedulerAnswer, SchedulerCase, SchedulerStep } from './scheduler-case.ts'
import { buildNetwork, type Member, run, start } from './scheduler-network.ts'
import type { ClientCommand, ClientReport } from './scheduler-process.ts'

/** How long something may take that needs no more than the kernel, ms of lab time. */
const DEADLINE_MS = 10_000
/** FIN_WAIT is 120 s (net/netfilter/ipvs/ip_vs_proto_tcp.c). */
const EXPIRY_MS = 130_000

const isMarked = (one: SchedulerCase): boolean => one.service.includes('/')

/** The service of a case as ipvsadm names it, and as /proc/net/ip_vs does. */
const serviceOf = (one: SchedulerCase, n: number): { option: string; name: string } =>
  isMarked(one)
    ? { option: `-f ${n + 1}`, name: `FWM ${n + 1}` }
    : { option: `-t ${one.service}:${one.port}`, name: `TCP ${one.service}:${one.port}` }

const serverOf = (one: SchedulerCase, server: number): string => {
  const address = one.servers[server]?.address
  if (address === undefined) throw new Error(`no server ${server} in the case ${JSON.stringify(one)}`)
  return `${address}:${isMarked(one) ? 0 : one.port}`
}

/** ipvsadm's command for a step that changes the destinations. */
const editOf = (one: SchedulerCase, n: number, step: SchedulerStep): string | undefined => {
  const { option } = serviceOf(one, n)
  if (step.do === 'remove') return `-d ${option} -r ${serverOf(one, step.server)}`
  if (step.do === 'weight') return `-e ${option} -r ${serverOf(one, step.server)} -g -w ${step.weight}`
  if (step.do === 'add') return `-a ${option} -r ${serverOf(one, step.server)} -g -w ${step.weight}`
  return undefined
}

/** The services and their destinations, in the order of the case. */
const addServices = async (director: Member, cases: SchedulerCase[]): Promise<void> => {
  const marks = cases.flatMap((one, n) =>
    isMarked(one) ? `-A PREROUTING -d ${one.service} -j MARK --set-mark ${n + 1}` : [],
  )
  if (marks.length > 0) await run(director, ['iptables-restore'], ['*mangle', ...marks, 'COMMIT'])
  const lines = cases.flatMap((one, n) => {
    const { option } = serviceOf(one, n)
    const flags = one.flags.length > 0 ? ` -b ${one.flags.join(',')}` : ''
    const servers = one.servers.map(({ weight }, server) => `-a ${option} -r ${serverOf(one, server)} -g -w ${weight}`)
    return [`-A ${option} -s ${one.scheduler}${flags}`, ...servers]
  })
  await run(director, ['ipvsadm', '-R'], lines)
}

/** Inactive connections of each service, by its name. */
const inactiveOf = (director: Member): Map<string, number> =>
  new Map(
    parseIpvs(readFileSync(`/proc/${director.pid}/net/ip_vs`, 'utf8')).map(({ service, destinations }) => [
      service,
      destinations.reduce((sum, { inactive }) => sum + inactive, 0),
    ]),
  )

/** Looks until it is so, ever more seldom. @throws Error with what `look` says in the end */
const until = async (look: () => string | undefined, deadlineMs: number): Promise<void> => {
  const end = performance.now() + deadlineMs
  for (let pauseMs = 0; ; pauseMs = Math.min(2000, pauseMs * 2 + 1)) {
    const missing = look()
    if (missing === undefined) return
    if (performance.now() > end) throw new Error(`${missing} after ${deadlineMs} ms`)
    await sleep(pauseMs)
  }
}

const connectionTable = (director: Member): string => readFileSync(`/proc/${director.pid}/net/ip_vs_conn`, 'utf8')

/** Whether there are entries that do not count as active. */
const hasClosed = (director: Member): boolean =>
  connectionTable(director)
    .split('\n')
    .slice(1)
    .some(line => line !== '' && !/ (SYN_RECV|ESTABLISHED) /.test(line))

/** The address of the server that each connection has, by `source:port`. */
const readConnections = (director: Member): Map<string, string> =>
  new Map(
    connectionTable(director)
      .split('\n')
      .slice(1)
      .flatMap(line => {
        const [, source = '', port = '', , , server = ''] = line.split(/\s+/)
        if (!server) return []
        return [[endpoint(`${source}:${port}`).join(':'), endpoint(`${server}:0`)[0]]]
      }),
  )

/** Connections of a case so far. */
interface Progress {
  one: SchedulerCase
  service: string
  connections: { id: string; key: string; server: string | undefined }[]
}

/** Has the clients do something and waits for the answer. */
const ask = async (clients: Member, command: ClientCommand): Promise<ClientReport> => {
  clients.process.send(command)
  const report = await clients.hear<ClientReport>()
  if ('failed' in report) throw new Error(`a connection failed: ${report.failed}`)
  return report
}

const connectAll = async (clients: Member, steps: { progress: Progress; step: SchedulerStep }[]): Promise<void> => {
  const connect = steps.flatMap(({ progress, step }) => {
    if (step.do !== 'connect') return []
    const key = `${step.source}:${step.port}`
    progress.connections.push({ id: key, key, server: undefined })
    return { id: key, source: step.source, port: step.port, destination: step.destination, to: progress.one.port }
  })
  if (connect.length > 0) await ask(clients, { connect })
}

const closeAll = async (
  director: Member,
  clients: Member,
  steps: { progress: Progress; step: SchedulerStep }[],
): Promise<void> => {
  const closing = steps.flatMap(({ progress, step }) => {
    if (step.do !== 'close') return []
    const connection = progress.connections[step.connection]
    if (!connection) throw new Error(`no connection ${step.connection} yet in the case of ${progress.service}`)
    return { service: progress.service, id: connection.id }
  })
  if (closing.length === 0) return
  const before = inactiveOf(director)
  await ask(clients, { close: closing.map(({ id }) => id) })
  await until(() => {
    const is = inactiveOf(director)
    const late = closing.find(({ service }) => is.get(service) !== (before.get(service) ?? 0) + 1)
    if (!late) return undefined
    const counts = `${before.get(late.service)} inactive connections before it closed ${late.id}, ${is.get(late.service)}`
    return `${late.service} has ${counts} (${connectionTable(director)})`
  }, DEADLINE_MS)
}

const learnServers = (director: Member, all: Progress[]): void => {
  const table = readConnections(director)
  for (const { connections } of all) for (const one of connections) one.server ??= table.get(one.key)
}

/**
 * Plays cases into the real ip_vs and says who got each connection. Their steps go side by side, the first of all cases, then
 * the second of all: what one case does never meets what another does, since each has its own service.
 */
export const schedule = async (cases: SchedulerCase[]): Promise<SchedulerAnswer[]> => {
  const services = cases.map(one => one.service)
  if (new Set(services).size < services.length) throw new Error('two cases have the same service')
  await using director = await start('director')
  await using clients = await start('clients')
  await using servers = await start('servers')
  await buildNetwork({ director, clients, servers })
  await addServices(director, cases)
  const all: Progress[] = cases.map((one, n) => ({ one, service: serviceOf(one, n).name, connections: [] }))
  const length = Math.max(0, ...cases.map(({ steps }) => steps.length))
  for (let place = 0; place < length; place++) {
    const steps = all.flatMap((progress, n) => {
      const step = progress.one.steps[place]
      return step ? { progress, step, n } : []
    })
    const expiring = steps.filter(({ step }) => step.do === 'expire')
    if (expiring.length > 0) {
      if (expiring.length < steps.length) throw new Error(`only some cases have an expire as step ${place}`)
      learnServers(director, all)
      await until(() => (hasClosed(director) ? 'closed connections are left' : undefined), EXPIRY_MS)
      continue
    }
    const edits = steps.flatMap(({ progress, step, n }) => editOf(progress.one, n, step) ?? [])
    if (edits.length > 0) await run(director, ['ipvsadm', '-R'], edits)
    await connectAll(clients, steps)
    await closeAll(director, clients, steps)
  }
  learnServers(director, all)
  return all.map(({ one, connections }) =>
    connections.map(({ server }) => {
      const found = one.servers.findIndex(({ address }) => address === server)
      return found < 0 ? null : found
    }),
  )
}
