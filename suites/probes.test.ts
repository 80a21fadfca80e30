import { describe, expect } from 'vitest'
import type { ConnectionEvent, ProbeEvent, RequestEvent } from '../src/history/event.ts'
import { eventsOf } from '../src/history/queries.ts'
import type { Lab } from '../src/lab/lab.ts'
import { labTest } from '../src/suite/lab-test.ts'

const plain = labTest('topologies/keepalived-dr')
const services = labTest('topologies/keepalived-tcp-udp')

const VIP = '10.0.0.100'
const http = { probe: 'clients', client: 'c1', url: `http://${VIP}/`, rate: 50 }

/** In the order in which they were due. */
const requests = (lab: Lab): RequestEvent[] =>
  [...lab.history].filter(event => event.kind === 'request').toSorted((a, b) => a.scheduled - b.scheduled)
const changes = (lab: Lab, change: ConnectionEvent['change']): ConnectionEvent[] =>
  eventsOf(lab.history, 'connection').filter(event => event.change === change)
const ended = (lab: Lab): ProbeEvent | undefined => eventsOf(lab.history, 'probe').find(event => event.phase === 'stop')
/** Each value once, in order. */
const values = (list: (string | number | undefined)[]): string[] =>
  [...new Set(list.map(String))].toSorted((a, b) => a.localeCompare(b))

describe('probes of a plain service', () => {
  const test = plain

  test('http: leaves at its rate, from 250 sources in turn', async ({ lab }) => {
    const sources = await lab.addSources('c1', { count: 250, from: '10.9.0.1' })
    const probe = await lab.http({ ...http, sources, count: 500 })
    await probe.ended()
    expect(requests(lab).filter(request => request.outcome !== 'answered')).toEqual([])
    expect(requests(lab).map(request => request.source)).toEqual([...sources, ...sources])
    expect(values(requests(lab).map(request => request.server))).toEqual(['rs1', 'rs2'])
    // a slot each 20 ms from the first on: an answer's time can be counted from when its request was due
    const [first] = requests(lab)
    for (const { n, scheduled } of requests(lab)) expect(scheduled).toBeCloseTo((first?.scheduled ?? 0) + n * 20, 3)
    expect(ended(lab)).toMatchObject({ type: 'http', rate: 50, sources: 250, sent: 500, lateAfterMs: 20 })
  })

  test('the free addresses of a network are sources; where there are too few, the remedy says what to do', async ({
    lab,
  }) => {
    const few = await lab.addSources('c1', { count: 3 })
    expect(few).toEqual(['10.0.0.1', '10.0.0.2', '10.0.0.3'])
    const probe = await lab.http({ ...http, sources: few, count: 6 })
    await probe.ended()
    expect(requests(lab).map(({ source, outcome }) => `${source} ${outcome}`)).toEqual(
      [...few, ...few].map(source => `${source} answered`),
    )
    await expect(lab.addSources('c1', { count: 250 })).rejects.toMatchObject({
      code: 'SOURCES_FULL',
      message: 'lan (10.0.0.0/24) has 245 free addresses for sources of c1; 250 were asked for',
      remedy: expect.stringContaining("from: '10.9.0.1'"),
    })
  })

  test('http: leaves from the ports that were chosen, and says so when one is in use', async ({ lab }) => {
    const chosen = await lab.http({ ...http, ports: [5001, 5002, 5003], count: 3 })
    await chosen.ended()
    expect(requests(lab).map(request => request.sourcePort)).toEqual([5001, 5002, 5003])
    expect(values(requests(lab).map(request => request.outcome))).toEqual(['answered'])
    // somebody else listens on the port that the next request is to leave from
    await lab.exec('c1', ['sh', '-c', 'socat TCP-LISTEN:5004 - >/dev/null 2>&1 </dev/null & sleep 0.2'])
    const taken = await lab.http({ ...http, probe: 'taken', ports: [5004], count: 1 })
    await taken.ended()
    expect(requests(lab).at(-1)).toMatchObject({
      outcome: 'error',
      sourcePort: 5004,
      detail: expect.stringContaining('EADDRINUSE'),
    })
  })

  test('curl: one request after the other, from a chosen source and port', async ({ lab }) => {
    const [source = ''] = await lab.addSources('c1', { count: 1 })
    const probe = await lab.curl({
      ...{ probe: 'loop', client: 'c1', url: http.url, pauseMs: 200 },
      ...{ sources: [source], ports: [6001, 6002, 6003, 6004], count: 4 },
    })
    await lab.until({ kind: 'event', match: { kind: 'probe', phase: 'stop' } }, 10_000)
    await probe.stop()
    expect(requests(lab)).toMatchObject(
      [6001, 6002, 6003, 6004].map(sourcePort => ({ outcome: 'answered', status: 200, source, sourcePort })),
    )
    expect(values(requests(lab).map(request => request.server))).toEqual(['rs1', 'rs2'])
    for (const [n, { scheduled }] of requests(lab).entries())
      if (n > 0) expect(scheduled).toBeCloseTo((requests(lab)[n - 1]?.done ?? 0) + 200, 3)
  })

  test('curl: tells a port that refuses from a host that is not there', async ({ lab }) => {
    for (const [probe, url] of [
      ['refused', 'http://10.0.0.10:81/'],
      ['nobody', 'http://10.0.0.222/'],
    ] as const) {
      const loop = await lab.curl({ probe, client: 'c1', url, pauseMs: 0, count: 1, timeoutMs: 8_000 })
      await loop.stop()
    }
    expect(requests(lab).map(({ probe, outcome }) => [probe, outcome])).toEqual([
      ['refused', 'refused'],
      ['nobody', 'unreachable'],
    ])
  })

  test('a probe that cannot be says why', async ({ lab }) => {
    await expect(lab.http({ ...http, rate: 0 })).rejects.toThrow('rate 0: more than 0 is needed')
    await expect(lab.http({ ...http, client: 'd1' })).rejects.toThrow('d1 is not a client of keepalived-dr')
    await expect(lab.http({ ...http, sources: ['10.0.0.50', '10.9.9.9'] })).rejects.toMatchObject({
      code: 'AGENT_REFUSED',
      message: expect.stringContaining('sources 10.9.9.9: c1 does not hold it'),
      remedy: expect.stringContaining("lab.addSources('c1'"),
    })
    // the sources of the first are still being looked at when the second comes
    const twice = ['10.9.9.9', '10.9.9.9'].map(source => lab.http({ ...http, sources: [source] }))
    const reasons = (await Promise.allSettled(twice)).map(one => (one.status === 'rejected' ? `${one.reason}` : ''))
    expect(reasons).toEqual([
      expect.stringContaining('does not hold it'),
      expect.stringContaining('is running already'),
    ])
    await expect(lab.http({ ...http, url: 'http://www/' })).rejects.toThrow('www is a name')
    await expect(lab.tcp({ probe: 't', client: 'c1', target: VIP, connections: 1, everyMs: 100 })).rejects.toThrow(
      '10.0.0.100 is no target',
    )
  })
})

describe('probes of TLS, TCP and UDP services', () => {
  const test = services

  test('https: a handshake for each request', async ({ lab }) => {
    const probe = await lab.http({ ...http, url: `https://${VIP}/`, rate: 20, count: 20 })
    await probe.ended()
    expect(requests(lab).filter(request => request.outcome !== 'answered')).toEqual([])
    expect(requests(lab)).toHaveLength(20)
    expect(values(requests(lab).map(request => request.server))).toEqual(['rs1', 'rs2'])
  })

  test('tcp: holds connections open, and records those that break when their server dies', async ({ lab }) => {
    const probe = await lab.tcp({ probe: 'held', client: 'c1', target: `${VIP}:7`, connections: 10, everyMs: 100 })
    await lab.sleep(1_000)
    const killed = await lab.now()
    await lab.exec('rs1', ['/usr/lib/lvslab/service', 'echo', 'crash'])
    await lab.sleep(1_000)
    await probe.stop()
    const openOn = (server: string): number => changes(lab, 'open').filter(event => event.server === server).length
    expect({ rs1: openOn('rs1'), rs2: openOn('rs2') }).toEqual({ rs1: 5, rs2: 5 })
    expect(changes(lab, 'broken')).toHaveLength(5)
    for (const { t, server, outcome, lastAnswer, exchanges } of changes(lab, 'broken')) {
      expect({ server, outcome }).toEqual({ server: 'rs1', outcome: 'reset' })
      expect(t).toBeGreaterThan(killed)
      expect(lastAnswer).toBeLessThan(t)
      expect(exchanges).toBeGreaterThan(5)
    }
    expect(values(changes(lab, 'closed').map(event => event.server))).toEqual(['rs2'])
    expect(ended(lab)).toMatchObject({ type: 'tcp', rate: 100, lateAfterMs: 100 })
  })

  test('tcp: a silence longer than the timeout breaks a connection, and a refused one fails', async ({ lab }) => {
    const held = { client: 'c1', connections: 2, everyMs: 100, timeoutMs: 500 }
    const probe = await lab.tcp({ ...held, probe: 'held', target: `${VIP}:7` })
    await lab.sleep(500)
    await lab.exec('rs1', ['pkill', '-STOP', '-x', 'echo'])
    await lab.sleep(1_000)
    await lab.exec('rs1', ['pkill', '-CONT', '-x', 'echo'])
    await probe.stop()
    expect(changes(lab, 'broken')).toMatchObject([{ server: 'rs1', outcome: 'timeout' }])
    const [broken] = changes(lab, 'broken')
    // a line may have been answered just before: then the next one is the first that was not
    const silence = (broken?.t ?? 0) - (broken?.lastAnswer ?? 0)
    expect(silence).toBeGreaterThan(500)
    expect(silence).toBeLessThan(500 + 2 * held.everyMs)
    const refused = await lab.tcp({ ...held, probe: 'refused', target: '10.0.0.10:9' })
    await lab.sleep(300)
    await refused.stop()
    expect(changes(lab, 'failed')).toMatchObject([{ outcome: 'refused' }, { outcome: 'refused' }])
  })

  test('udp: datagrams from one port stay with one server, from changing ports they do not', async ({ lab }) => {
    const udp = { client: 'c1', target: `${VIP}:7`, rate: 50, count: 20 }
    for (const how of [
      { probe: 'fixed' },
      { probe: 'chosen', ports: [7001, 7002] },
      { probe: 'new', newPorts: true },
    ]) {
      const probe = await lab.udp({ ...udp, ...how })
      await probe.ended()
    }
    const of = (probe: string): RequestEvent[] => requests(lab).filter(request => request.probe === probe)
    expect(requests(lab).filter(request => request.outcome !== 'answered')).toEqual([])
    expect(values(of('fixed').map(request => request.sourcePort))).toHaveLength(1)
    expect(values(of('fixed').map(request => request.server))).toHaveLength(1)
    expect(of('chosen').map(request => request.sourcePort)).toEqual(
      Array.from({ length: 20 }, (_, n) => (n % 2 === 0 ? 7001 : 7002)),
    )
    expect(values(of('chosen').map(request => request.server))).toEqual(['rs1', 'rs2'])
    expect(values(of('new').map(request => request.sourcePort))).toHaveLength(20)
    expect(values(of('new').map(request => request.server))).toEqual(['rs1', 'rs2'])
    expect(of('new')[7]).toMatchObject({ n: 7, detail: expect.stringMatching(/^rs\d lvslab 7$/) })
  })

  test('tcp, udp and https leave from the sources and ports that were chosen', async ({ lab }) => {
    const sources = await lab.addSources('c1', { count: 4, from: '10.9.0.1' })
    const common = { client: 'c1', sources }
    const ports = [8001, 8002, 8003, 8004]
    const held = await lab.tcp({ ...common, probe: 'tcp', target: `${VIP}:7`, connections: 4, everyMs: 200, ports })
    await (await lab.udp({ ...common, probe: 'udp', target: `${VIP}:7`, rate: 20, count: 4, ports })).ended()
    await (await lab.http({ ...common, probe: 'https', url: `https://${VIP}/`, rate: 10, count: 4, ports })).ended()
    await held.stop()
    const from = (list: { source: string; sourcePort?: number }[]): string[] =>
      list.map(({ source, sourcePort }) => `${source}:${sourcePort}`)
    const chosen = sources.map((source, n) => `${source}:${ports[n]}`)
    expect(from(changes(lab, 'open'))).toEqual(chosen)
    for (const probe of ['udp', 'https']) {
      const own = requests(lab).filter(request => request.probe === probe)
      expect(values(own.map(({ outcome }) => outcome))).toEqual(['answered'])
      expect(from(own)).toEqual(chosen)
    }
  })

  test('udp: no reply is a timeout, one that comes too late is told, a closed port refuses', async ({ lab }) => {
    const udp = { client: 'c1', rate: 50, count: 1, timeoutMs: 500 }
    await lab.exec('rs1', ['pkill', '-STOP', '-x', 'echo'])
    const begin = (await lab.now()) + 500
    const [late] = await Promise.all([
      lab.at(begin, () => lab.udp({ ...udp, probe: 'late', target: '10.0.0.10:7' })),
      lab.at(begin + 600, () => lab.exec('rs1', ['pkill', '-CONT', '-x', 'echo'])),
    ])
    await late.stop()
    await lab.exec('rs1', ['/usr/lib/lvslab/service', 'echo', 'crash'])
    const refused = await lab.udp({ ...udp, probe: 'refused', target: '10.0.0.10:7' })
    await refused.stop()
    expect(requests(lab)).toMatchObject([
      { probe: 'late', outcome: 'timeout', detail: expect.stringMatching(/^too late, \d+ ms after it was sent: rs1/) },
      { probe: 'refused', outcome: 'refused' },
    ])
  })
})
