import type { IpvsService, JournalLine, LabEvent } from '../history/event.ts'
import { createRunReport, type RunReport } from './run.ts'

/**
 * A run made by hand for tests and for looking at the page: a failover that is too slow, a real server that crashes,
 * and a check whose lab left no events.
 */
export const sampleRun = (
  text: (plain: string) => string = plain => plain,
): { report: RunReport; lines: JournalLine[] } => {
  const slow = slowFailover(text)
  const crash = webCrash(text)
  const bound = {
    name: 'VIP failover after a link failure',
    formula: '3 x 1 s + (256-80)/256 s = 3.69 s, + 0.05 s probe step',
    maxMs: 3737.5,
    source: 'RFC 3768 section 6.1; keepalived vrrp/vrrp.c',
  }
  const find = (lines: LabEvent[], match: (event: LabEvent) => boolean): LabEvent[] => lines.filter(match).slice(0, 1)
  const report = createRunReport({
    lvslab: '0.1.0',
    verb: 'verify',
    topology: {
      name: text('keepalived-dr'),
      drawing: 'client -- front -- d1, d2, web1, web2, web3',
      networks: [
        { name: 'outside', subnet: '192.0.2.0/24' },
        { name: text('front'), subnet: '10.0.0.0/24' },
      ],
      nodes: [
        node('client', 'client', [['outside', '192.0.2.10']]),
        node('r1', 'router', [
          ['outside', '192.0.2.1'],
          [text('front'), '10.0.0.254'],
        ]),
        node('d1', 'director', [[text('front'), '10.0.0.1']]),
        node('d2', 'director', [[text('front'), '10.0.0.2']]),
        ...[1, 2, 3].map(i =>
          node(text(`web${i}`), 'realserver', [[text('front'), `10.0.0.1${i}`]], ['10.0.0.100/32']),
        ),
      ],
    },
    started: '2024-05-13T09:41:22.103Z',
    tookMs: 48_210,
    engine: {
      engine: 'vm',
      clock: 'virtual',
      accelerator: 'tcg',
      kernel: '6.12.30',
      keepalived: '2.3.3',
      docker: '26.1.5',
    },
    command: text('lvslab verify topologies/keepalived-dr --seed 4711'),
    results: [
      {
        check: 'failover-link-down',
        title: text('d2 takes over the VIP 10.0.0.100 after the link of d1 fails'),
        lab: text('failover-link-down'),
        tookMs: 9120,
        outcome: 'FAIL',
        reason: text(
          'Nobody answered the VIP for 4.20 s; the configuration promises at most 3.74 s. ' +
            'd2 took the VIP late: a last advert of d1 restarted its master-down timer.',
        ),
        measurements: [
          { name: 'outage', value: 4200, unit: 'ms', bound },
          { name: 'failed requests', value: 210, unit: 'requests' },
        ],
        proof: [
          ...find(slow, event => event.kind === 'fault'),
          ...find(slow, event => event.kind === 'request' && event.outcome !== 'answered'),
          ...find(slow, event => event.kind === 'address' && event.node === 'd2'),
          ...find(slow, event => event.kind === 'request' && event.t > 87_500 && event.outcome === 'answered'),
        ],
      },
      {
        check: 'web-crash',
        title: text('web2 leaves the pool after its web server crashes, and comes back'),
        lab: 'web-crash',
        tookMs: 7300,
        outcome: 'PASS',
        reason: text('web2 left the table 2.31 s after the crash and came back 1.42 s after the heal.'),
        measurements: [
          {
            name: 'removal',
            value: 2310,
            unit: 'ms',
            bound: {
              ...bound,
              formula: '2 s + 1 x 1 s + 1 s = 4.00 s',
              maxMs: 4000,
              minMs: 1000,
              source: 'keepalived check/check_http.c',
            },
          },
        ],
        proof: crash.filter(event => event.kind === 'fault' || (event.kind === 'ipvs' && event.reason === 'log')),
      },
      {
        check: 'persistence',
        title: text('A client stays on its real server for 50 s'),
        lab: 'persistence',
        tookMs: 12,
        outcome: 'INCONCLUSIVE',
        reason: text('The lab never became testable: d1 did not reach MASTER within 30 s.'),
        measurements: [],
        proof: [],
      },
    ],
    untested: [
      { what: text('auth_type AH on VI_1'), why: text('AH needs a kernel option that the engine does not have') },
    ],
  })
  const lines = [
    ...slow.map(event => ({ ...event, lab: text('failover-link-down') })),
    ...crash.map(event => ({ ...event, lab: 'web-crash' })),
    { kind: 'mark' as const, t: 1, label: 'not ours', lab: 'template' },
  ]
  return { report, lines }
}

const node = (
  name: string,
  role: 'client' | 'router' | 'director' | 'realserver',
  interfaces: [string, string][],
  loopback: string[] = [],
) => ({
  name,
  role,
  interfaces: interfaces.map(([network, address], i) => ({ name: `eth${i}`, network, address, addresses: [] })),
  loopback,
  tunnels: [],
})

const table = (weights: [number, number][], counter: number): IpvsService[] => [
  {
    service: 'TCP 10.0.0.100:80',
    scheduler: 'rr',
    persistent: false,
    destinations: weights.map(([i, weight]) => ({
      address: `10.0.0.1${i}`,
      port: 80,
      forwarding: 'Route',
      weight,
      active: 0,
      inactive: counter,
    })),
  },
]

const requests = (
  text: (plain: string) => string,
  from: number,
  count: number,
  answer: (t: number, n: number) => { server?: string; outcome?: 'timeout' | 'refused' | 'reset' },
): LabEvent[] =>
  Array.from({ length: count }, (_, n) => {
    const scheduled = from + n * 20
    const t = scheduled + (n % 5) * 0.11
    const { server, outcome = 'answered' } = answer(t, n)
    const took = outcome === 'timeout' ? 1000 : 2.1 + ((n * 7919) % 13) / 5
    return {
      kind: 'request',
      t,
      scheduled,
      done: t + took,
      probe: text('http'),
      n,
      client: 'client',
      source: '192.0.2.10',
      sourcePort: 20_000 + n,
      target: '10.0.0.100:80',
      outcome,
      ...(outcome === 'answered' && { status: 200 }),
      ...(server !== undefined && { server: text(server) }),
      detail: text(outcome === 'answered' ? `${server}\n` : `connect ${outcome}`),
    }
  })

const adverts = (from: number, to: number, name: string, source: string, priority: number): LabEvent[] =>
  Array.from({ length: Math.max(0, Math.ceil((to - from) / 1000)) }, (_, i) => ({
    kind: 'advert',
    t: from + i * 1000 + (i % 3) * 0.4,
    network: 'front',
    source,
    node: name,
    destination: '224.0.0.18',
    version: 2,
    vrid: 51,
    priority,
    interval: 1000,
    addresses: ['10.0.0.100'],
  }))

const start = 80_000

const slowFailover = (text: (plain: string) => string): LabEvent[] => {
  const cut = start + 5012
  const taken = cut + 4180
  const healed = start + 15_020
  const back = healed + 1210
  const vip = { kind: 'address' as const, device: 'eth0', address: '10.0.0.100', prefix: 32 }
  const log = (t: number, name: string, state: 'MASTER' | 'BACKUP' | 'FAULT'): LabEvent => ({
    kind: 'keepalived',
    t,
    node: name,
    line: text(`(VI_1) Entering ${state} STATE`),
    transition: { instance: 'VI_1', state },
  })
  const garp = (t: number, name: string): LabEvent => ({
    kind: 'garp',
    t,
    network: 'front',
    address: '10.0.0.100',
    mac: '02:42:0a:00:00:01',
    node: name,
  })
  const events: LabEvent[] = [
    { kind: 'mark', t: start, label: text('steady state') },
    { kind: 'probe', phase: 'start', t: start, probe: 'http', client: 'client', target: '10.0.0.100:80', rate: 50 },
    ...['d1', 'd2'].map(name => ({
      kind: 'ipvs' as const,
      t: start,
      node: name,
      reason: 'start',
      services: table(
        [
          [1, 1],
          [2, 1],
          [3, 2],
        ],
        12,
      ),
    })),
    ...adverts(start + 310, cut, 'd1', '10.0.0.1', 100),
    {
      kind: 'fault',
      phase: 'inject',
      t: cut,
      done: cut + 14,
      fault: 'link-down',
      node: 'd1',
      detail: text('ip link set eth0 down'),
    },
    log(cut + 3, 'd1', 'FAULT'),
    { ...vip, t: cut + 4, node: 'd1', change: 'remove' },
    log(taken, 'd2', 'MASTER'),
    { ...vip, t: taken + 2, node: 'd2', change: 'add' },
    garp(taken + 3, 'd2'),
    ...adverts(taken + 1, back, 'd2', '10.0.0.2', 80),
    { kind: 'fault', phase: 'heal', t: healed, done: healed + 11, fault: 'link-down', node: 'd1' },
    log(healed + 15, 'd1', 'BACKUP'),
    log(back, 'd1', 'MASTER'),
    { ...vip, t: back + 1, node: 'd1', change: 'add' },
    garp(back + 2, 'd1'),
    log(back + 2, 'd2', 'BACKUP'),
    { ...vip, t: back + 3, node: 'd2', change: 'remove' },
    ...adverts(back, start + 20_000, 'd1', '10.0.0.1', 100),
    {
      kind: 'ipvs',
      t: taken + 900,
      node: 'd2',
      reason: 'step',
      services: table(
        [
          [1, 1],
          [2, 1],
          [3, 2],
        ],
        14,
      ),
    },
    {
      kind: 'probe',
      phase: 'stop',
      t: start + 20_000,
      probe: 'http',
      client: 'client',
      target: '10.0.0.100:80',
      rate: 50,
      sent: 1000,
      late: 0,
      lateAfterMs: 5,
    },
    ...requests(text, start, 1000, (t, n) => {
      if (t > cut && t < taken + 3) return { outcome: 'timeout' }
      if (t > back && t < back + 40) return { outcome: 'reset' }
      return { server: `web${[1, 2, 3, 3][n % 4]}` }
    }),
  ]
  return events.sort((a, b) => a.t - b.t)
}

const webCrash = (text: (plain: string) => string): LabEvent[] => {
  const at = start + 3000
  const full: [number, number][] = [
    [1, 1],
    [2, 1],
    [3, 1],
  ]
  const events: LabEvent[] = [
    ...adverts(start, start + 12_000, 'd1', '10.0.0.1', 100),
    { kind: 'address', t: start - 900, device: 'eth0', address: '10.0.0.100', prefix: 32, node: 'd1', change: 'add' },
    { kind: 'ipvs', t: start, node: 'd1', reason: 'start', services: table(full, 3) },
    { kind: 'fault', phase: 'inject', t: at, done: at + 20, fault: 'web-crash', node: 'web2' },
    {
      kind: 'ipvs',
      t: at + 2310,
      node: 'd1',
      reason: 'log',
      services: table(
        [
          [1, 1],
          [2, 0],
          [3, 1],
        ],
        9,
      ),
    },
    { kind: 'fault', phase: 'heal', t: at + 5000, done: at + 5030, fault: 'web-crash', node: 'web2' },
    { kind: 'ipvs', t: at + 6420, node: 'd1', reason: 'log', services: table(full, 11) },
    { kind: 'keepalived', t: at + 2309, node: 'd1', line: text('Removing service [10.0.0.12]:tcp:80 from VS') },
    ...requests(text, start, 600, (t, n) => {
      const i = (n % 3) + 1
      if (i === 2 && t > at && t < at + 5000) return t < at + 2310 ? { outcome: 'refused' } : { server: 'web1' }
      return { server: `web${i}` }
    }),
  ]
  return events.sort((a, b) => a.t - b.t)
}
