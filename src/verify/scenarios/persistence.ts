import type { PlannedCheck } from '../../judge/rules.ts'
import type { Lab } from '../../lab/lab.ts'
import { REQUEST_TIMEOUT_MS } from '../../lab/probes.ts'
import { seconds } from '../../model/bound.ts'
import { UDP_TIMEOUT } from '../../model/ipvs-defaults.ts'
import { idleReleaseBound } from '../../model/persistence.ts'
import type { Plan, PlannedService } from '../plan.ts'
import { asksByUdp } from '../reach.ts'
import { paced, PROBE_RATE, type Scenario } from '../scenario.ts'
import { addClients, PROBE, startClients } from './common.ts'
import { exactShares, placementOf } from './shares.ts'

/** Clients that come more than once. */
const CLIENTS = 5

/** Schedulers that keep the server which they have chosen for an address. */
const REMEMBERING = ['lblc', 'lblcr']

/** What their probe is called. */
const NEWCOMING = 'newcomers'

/** Clients that have never been there; as many more as a full cycle needs, up to what a network may have free. */
const NEWCOMERS = 20
const MOST_NEWCOMERS = 100

/** Where the kernel lists templates: connections whose client has port 0. */
const LIST = ['ipvsadm', '-Lnc']

/** They come again when so much of `persistence_timeout` is over, or so long after, ms: time costs, also where nothing happens. */
const LATE_SHARE = 0.8
const LATE_AT_MOST_MS = 48_000

/** A look before a template may go, and one after it must have gone, are so far from the limits, ms. */
const ASIDE_MS = 1_000

/** A look at the table takes less, ms. */
const APART_MS = 250

/** Looks between the first moment at which a template may go and the last one. */
const LOOKS = 4

/** A persistent service with what its clients are, and the director whose kernel keeps their templates. */
interface Persistent {
  planned: PlannedService
  timeoutMs: number
  director: string
  /** `a client`, or with a mask whoever is of a network. */
  whose: string
  /** Of what judges it, beside the probe. */
  mask: { prefix?: number }
  /** So many addresses for the clients. */
  sources: (lab: Lab, count: number) => Promise<{ sources: string[] }>
}

/** Each client stays with its real server when it comes again. */
export const persistence = (plan: Plan, planned: PlannedService): Scenario[] => {
  const persistent = persistentOf(plan, planned)
  if (persistent) return [sticks(plan, persistent)]
  if (planned.service.persistence !== undefined)
    plan.untested.push({ what: `persistence of ${planned.name}`, why: 'all clients have the one real server' })
  return []
}

/** Each client is free again when its template has expired. */
export const release = (plan: Plan, planned: PlannedService): Scenario[] => {
  const persistent = persistentOf(plan, planned)
  return persistent ? isReleased(plan, persistent) : []
}

/** Undefined where the service is not persistent, or has no choice. */
const persistentOf = (plan: Plan, planned: PlannedService): Persistent | undefined => {
  const { service, servers, vip } = planned
  const timeoutMs = service.persistence
  const director = vip.members[0]?.node
  if (timeoutMs === undefined || director === undefined) return undefined
  if (servers.filter(({ server }) => server.weight > 0).length < 2) return undefined
  const prefix = networkOf(planned)
  return {
    ...{ planned, timeoutMs, director },
    whose: prefix === undefined ? 'a client' : `whoever is of one /${prefix} network`,
    mask: prefix === undefined ? {} : { prefix },
    sources: (lab, count) => addClients(lab, plan, planned, count),
  }
}

/** Prefix length of the networks whose clients are one; undefined where each client stands for itself. */
const networkOf = ({ service, vip }: PlannedService): number | undefined =>
  service.persistencePrefix === (vip.address.includes(':') ? 128 : 32) ? undefined : service.persistencePrefix

const isIPv6 = ({ vip }: PlannedService): boolean => vip.address.includes(':')

const come = async (
  lab: Lab,
  plan: Plan,
  probe: string,
  planned: PlannedService,
  count: number,
  from: { sources: string[] },
) => {
  const rate = paced(planned, PROBE_RATE)
  const clients = await startClients(lab, plan, planned, { probe, rate, count, ...from })
  await clients.ended()
}

const stickiness = ({ planned, timeoutMs, whose, mask }: Persistent, check: string, until: string): PlannedCheck => ({
  check: `${check}-${planned.name}`,
  title: `${planned.name} sends ${whose} to the same real server ${until}`,
  rule: 'stickiness',
  params: { probe: PROBE, timeoutMs, ...mask },
})

/** Clients come, and at once again. */
const sticks = (plan: Plan, persistent: Persistent): Scenario => {
  const { planned, sources } = persistent
  const { name } = planned
  const newcomers = newcomersOf(planned)
  const tried = typeof newcomers === 'string' ? undefined : newcomers
  if (typeof newcomers === 'string')
    plan.untested.push({ what: `shares of the new clients of ${name}`, why: newcomers })
  const checks = [stickiness(persistent, 'persistence', 'when it comes again'), ...(tried ? [tried.check] : [])]
  const drive = async (lab: Lab): Promise<void> => {
    const clients = await sources(lab, CLIENTS)
    await come(lab, plan, PROBE, planned, 3 * CLIENTS, clients)
    if (!tried) return
    // what the clients before have left in the table may count
    await lab.snapshot()
    await come(lab, plan, NEWCOMING, planned, tried.count, await sources(lab, tried.count))
  }
  return { name: `persistence-${name}`, drive, checks }
}

/** Clients come late in their time, and again after it. */
const isReleased = (plan: Plan, persistent: Persistent): Scenario[] => {
  const { planned, timeoutMs, director, whose, mask, sources } = persistent
  const { name } = planned
  if (isIPv6(planned) && mask.prefix !== undefined) {
    plan.untested.push({ what: `release of the clients of ${name}`, why: 'templates of IPv6 networks are not read' })
    return []
  }
  const { finWait, udpTimeout = UDP_TIMEOUT } = plan.configs.find(({ node }) => node === director) ?? {}
  const udp = asksByUdp(planned) ? (planned.service.onePacket ? 0 : udpTimeout) : undefined
  const servers = planned.servers.map(({ server }) => server)
  const bound = idleReleaseBound(timeoutMs, REQUEST_TIMEOUT_MS, { servers, finWait, udp })
  const { minMs = 0, maxMs } = bound
  const lateMs = Math.min(LATE_SHARE * timeoutMs, LATE_AT_MOST_MS)
  const between = Array.from({ length: LOOKS }, (_, n) => minMs + ((n + 1) * (maxMs - minMs)) / (LOOKS + 1))
  const aside = [minMs - ASIDE_MS, maxMs - ASIDE_MS, maxMs + ASIDE_MS]
  // of a short bound, aside of its end is before some between, or as good as at one
  const looks = [...aside, ...between]
    .toSorted((a, b) => a - b)
    .filter((after, n, all) => n === 0 || after - (all[n - 1] ?? 0) >= APART_MS)
  return [
    {
      name: `release-${name}`,
      waitsMs: lateMs + maxMs,
      drive: async lab => {
        const clients = await sources(lab, CLIENTS)
        const look = (): Promise<unknown> => lab.exec(director, LIST, { record: true })
        await come(lab, plan, PROBE, planned, CLIENTS, clients)
        await lab.sleep(lateMs)
        const asked = await lab.now()
        await come(lab, plan, PROBE, planned, CLIENTS, clients)
        await look()
        for (const after of looks) await lab.at(asked + after, look)
        await come(lab, plan, PROBE, planned, CLIENTS, clients)
      },
      checks: [
        stickiness(persistent, 'stays', `when it comes again ${seconds(lateMs)} later`),
        {
          check: `release-${name}`,
          title: `${name} lets go of ${whose} when its last connection is ${seconds(minMs)} to ${seconds(maxMs)} ago`,
          rule: 'release',
          // only the template tells: who is free may come to the same server
          params: {
            probe: PROBE,
            bound,
            ...mask,
            sameByChance: 1,
            templates: { node: director, command: LIST.join(' ') },
          },
        },
      ],
    },
  ]
}

/** What the scheduler promises of clients that have no template yet, to it each is a connection; else why that is not tried. */
const newcomersOf = (planned: PlannedService): { count: number; check: PlannedCheck } | string => {
  if (networkOf(planned) !== undefined) return 'the clients of one network count as one'
  const { name, service } = planned
  const check = `newcomers-${name}`
  const expected = exactShares(planned)
  if (typeof expected !== 'string') {
    const { cycle, shares } = expected
    if (cycle > MOST_NEWCOMERS) return `a full cycle is ${cycle} clients, and at most ${MOST_NEWCOMERS} are sent`
    const title = `${service.scheduler} shares the clients that are new to ${name} out to ${Object.keys(shares).join(', ')}`
    return {
      count: cycle * Math.ceil(NEWCOMERS / cycle),
      check: { check, title, rule: 'shares', params: { probe: NEWCOMING, expected } },
    }
  }
  const params = placementOf(planned, NEWCOMING)
  if (typeof params === 'string') return params
  // the clients before have filled what it keeps, which no table shows
  if (REMEMBERING.includes(service.scheduler))
    return `${service.scheduler} goes on with the server that it chose before`
  const title = `${service.scheduler} sends each client that is new to ${name} to the real server that its algorithm chooses`
  return { count: NEWCOMERS, check: { check, title, rule: 'placement', params } }
}
