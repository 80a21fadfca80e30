import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { endpoint } from './ipvs.ts'
import type { SchedulerAnswer, SchedulerCase, SchedulerStep } from './scheduler-case.ts'
import { buildNetwork, type Member, run, start } from './scheduler-network.ts'
import type { ClientCommand, ClientReport } from './scheduler-process.ts'

/** How long something may take that needs no more than the kernel, ms of lab time. */
const DEADLINE_MS = 10_000
/** FIN_WAIT is 120 s (net/netfilter/ipvs/ip_vs_proto_tcp.c). */
const EXPIRY_MS = 130_000
/** Half-open connections expire after 60 s, closed ones after 120 s: unseen, that would look like a difference. */
const LIFETIME_MS = 55_000

const isMarked = (one: SchedulerCase): boolean => one.service.includes('/')

/** The service of a case as ipvsadm names it. */
const optionOf = (one: SchedulerCase, n: number): string =>
  isMarked(one) ? `-f ${n + 1}` : `-t ${one.service}:${one.port}`

const serverOf = (one: SchedulerCase, server: number): string => {
  const address = one.servers[server]?.address
  if (address === undefined) throw new Error(`no server ${server} in the case ${JSON.stringify(one)}`)
  return `${address}:${isMarked(one) ? 0 : one.port}`
}

/** ipvsadm's command for a step that changes the destinations. */
const editOf = (one: SchedulerCase, n: number, step: SchedulerStep): string | undefined => {
  const option = optionOf(one, n)
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
    const option = optionOf(one, n)
    const flags = one.flags.length > 0 ? ` -b ${one.flags.join(',')}` : ''
    const servers = one.servers.map(({ weight }, server) => `-a ${option} -r ${serverOf(one, server)} -g -w ${weight}`)
    return [`-A ${option} -s ${one.scheduler}${flags}`, ...servers]
  })
  await run(director, ['ipvsadm', '-R'], lines)
}

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

/** An entry of the connection table. */
interface Entry {
  /** Address of the server that got the connection. */
  server: string
  /** Whether it counts as active: tcp_state_active_table, net/netfilter/ipvs/ip_vs_proto_tcp.c. */
  active: boolean
}

/**
 * The director's connections, by `source:port`. Not from the counters in /proc/net/ip_vs, which cannot be
 * trusted beyond a page: see ipvs.ts.
 */
const entriesOf = (director: Member): Map<string, Entry> =>
  new Map(
    readFileSync(`/proc/${director.pid}/net/ip_vs_conn`, 'utf8')
      .split('\n')
      .slice(1)
      .flatMap(line => {
        const [, source = '', port = '', , , server = '', , state = ''] = line.split(/\s+/)
        if (!state) return []
        const active = state === 'SYN_RECV' || state === 'ESTABLISHED'
        return [[endpoint(`${source}:${port}`).join(':'), { server: endpoint(`${server}:0`)[0], active }]]
      }),
  )

/** Connections of a case so far. */
interface Progress {
  one: SchedulerCase
  /** By `source:port`. */
  connections: { key: string; server: string | undefined }[]
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
    progress.connections.push({ key, server: undefined })
    return { id: key, source: step.source, port: step.port, destination: step.destination, to: progress.one.port }
  })
  if (connect.length > 0) await ask(clients, { connect })
}

const closeAll = async (
  director: Member,
  clients: Member,
  steps: { progress: Progress; step: SchedulerStep }[],
): Promise<void> => {
  const close = steps.flatMap(({ progress, step }) => {
    if (step.do !== 'close') return []
    const connection = progress.connections[step.connection]
    if (!connection) throw new Error(`no connection ${step.connection} yet in the case of ${progress.one.service}`)
    return connection.key
  })
  if (close.length === 0) return
  await ask(clients, { close })
  await until(() => {
    const entries = entriesOf(director)
    const late = close.find(key => entries.get(key)?.active !== false)
    if (late === undefined) return undefined
    return entries.has(late) ? `the connection ${late} counts as active` : `there is no connection ${late}`
  }, DEADLINE_MS)
}

const learnServers = (director: Member, all: Progress[]): void => {
  const entries = entriesOf(director)
  for (const { connections } of all) for (const one of connections) one.server ??= entries.get(one.key)?.server
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
  const all: Progress[] = cases.map(one => ({ one, connections: [] }))
  let begun = performance.now()
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
      await until(
        () =>
          [...entriesOf(director).values()].every(({ active }) => active) ? undefined : 'closed connections are left',
        EXPIRY_MS,
      )
      begun = performance.now()
      continue
    }
    const edits = steps.flatMap(({ progress, step, n }) => editOf(progress.one, n, step) ?? [])
    if (edits.length > 0) await run(director, ['ipvsadm', '-R'], edits)
    await connectAll(clients, steps)
    await closeAll(director, clients, steps)
    const tookMs = performance.now() - begun
    if (tookMs > LIFETIME_MS) throw new Error(`${cases.length} cases take too long: ${tookMs} ms up to step ${place}`)
  }
  learnServers(director, all)
  return all.map(({ one, connections }) =>
    connections.map(({ server }) => {
      const found = one.servers.findIndex(({ address }) => address === server)
      return found < 0 ? null : found
    }),
  )
}
