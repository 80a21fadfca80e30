import type {
  AdvertEvent,
  ConnectionEvent,
  FaultEvent,
  GratuitousArpEvent,
  IpvsEvent,
  KeepalivedEvent,
  LabEvent,
  RequestEvent,
} from '../history/event.ts'
import { type History, historyOf } from '../history/history.ts'
import type { Bound } from '../model/types.ts'

/**
 * Hand-made journals for unit tests: directors d1 and d2, real servers rs1 and rs2, one VIP, one probe; times in ms.
 */

export const VIP = '10.0.0.100'
export const SERVICE = `TCP ${VIP}:80`
export const DIRECTORS = ['d1', 'd2']
const ADDRESSES: Record<string, string> = { d1: '10.0.0.2', d2: '10.0.0.3', rs1: '10.0.0.11', rs2: '10.0.0.12' }
export const addressOf = (node: string): string => ADDRESSES[node] ?? '10.0.0.99'

export const historyInTime = (events: LabEvent[]): History => historyOf(events.toSorted((a, b) => a.t - b.t))

export const bound = (maxMs: number, minMs?: number): Bound => ({
  name: 'test',
  formula: `${maxMs} ms`,
  maxMs,
  ...(minMs === undefined ? {} : { minMs }),
  source: 'test',
})

export const holds = (t: number, node: string, change: 'add' | 'remove' = 'add'): LabEvent => ({
  kind: 'address',
  t,
  change,
  node,
  device: 'eth0',
  address: VIP,
  prefix: 24,
})

export const fault = (
  t: number,
  name: string,
  node: string,
  phase: FaultEvent['phase'] = 'inject',
  took = 0,
): FaultEvent => ({ kind: 'fault', t, done: t + took, phase, fault: name, node })

/** d1 held the VIP, and still does, but its keepalived has crashed: d2 attends to it from 3 s on. */
export const staleOnD1 = (): LabEvent[] => [holds(0, 'd1'), fault(1000, 'keepalived-crash', 'd1'), holds(3000, 'd2')]

export const mark = (t: number): LabEvent => ({ kind: 'mark', t, label: 'end' })

export const advert = (t: number, node: string, priority = 100): AdvertEvent => ({
  kind: 'advert',
  t,
  network: 'lan',
  source: addressOf(node),
  node,
  destination: '224.0.0.18',
  version: 2,
  vrid: 51,
  priority,
  interval: 1000,
  addresses: [VIP],
})

export const request = (t: number, changes: Partial<RequestEvent> = {}): RequestEvent => ({
  kind: 'request',
  t,
  scheduled: t,
  done: t + 2,
  probe: 'p',
  n: t / 100,
  client: 'c1',
  source: '10.0.0.50',
  target: `http://${VIP}/`,
  outcome: 'answered',
  status: 200,
  server: 'rs1',
  ...changes,
})

/** A request every 100 ms, from `from` up to and without `until`. */
export const requests = (
  from: number,
  until: number,
  change: (n: number) => Partial<RequestEvent> = () => ({}),
): RequestEvent[] =>
  Array.from({ length: Math.ceil((until - from) / 100) }, (_, n) => request(from + n * 100, change(n)))

export const failing = (from: number, until: number): RequestEvent[] =>
  requests(from, until, () => ({ outcome: 'refused' }))

export const table = (t: number, node: string, servers: string[], weight = 1): IpvsEvent => ({
  kind: 'ipvs',
  t,
  node,
  reason: 'log',
  services: [
    {
      service: SERVICE,
      scheduler: 'rr',
      persistent: false,
      destinations: servers.map(server => ({
        address: addressOf(server),
        port: 80,
        forwarding: 'Route',
        weight,
        active: 0,
        inactive: 0,
      })),
    },
  ],
})

/** A connection of a `tcp` probe: opened, and what became of it. Without `ended` it is still open. */
export const connection = (
  n: number,
  server: string | undefined,
  opened: number,
  ended?: Partial<ConnectionEvent> & { t: number },
): ConnectionEvent[] => {
  const all = {
    kind: 'connection' as const,
    probe: 'held',
    n,
    client: 'c1',
    source: '10.0.0.50',
    sourcePort: 40_000 + n,
    target: `${VIP}:80`,
    ...(server === undefined ? {} : { server }),
  }
  const open: ConnectionEvent = { ...all, t: opened, change: 'open', exchanges: 0 }
  return ended ? [open, { ...all, change: 'closed', exchanges: 5, lastAnswer: ended.t - 50, ...ended }] : [open]
}

/** One gratuitous ARP every 10 ms. */
export const garps = (from: number, node: string, count = 5): GratuitousArpEvent[] =>
  Array.from({ length: count }, (_, n) => ({
    kind: 'garp',
    t: from + n * 10,
    network: 'lan',
    address: VIP,
    mac: '02:00:00:00:00:01',
    node,
  }))

export const transition = (
  t: number,
  node: string,
  state: NonNullable<KeepalivedEvent['transition']>['state'],
): KeepalivedEvent => ({
  kind: 'keepalived',
  t,
  node,
  line: `(VI_1) Entering ${state} STATE`,
  transition: { instance: 'VI_1', state },
})
