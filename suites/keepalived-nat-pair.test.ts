import { isDeepStrictEqual } from 'node:util'
import { describe, expect } from 'vitest'
import { connectionsOf } from '../src/history/connections.ts'
import type { FaultEvent } from '../src/history/event.ts'
import { eventsOf, lastFault, requestsOf, tablesOf, type Window } from '../src/history/queries.ts'
import type { Lab } from '../src/lab/lab.ts'
import { CONNECTION_SYNC_BOUND, SYNC_FLUSH_MS } from '../src/model/connection-sync.ts'
import { serverDownBound, serverUpBound } from '../src/model/health-check.ts'
import { changePool, poolTable, startPool } from '../src/model/pool.ts'
import { syncedBound } from '../src/model/sync-group.ts'
import type { Bound, VirtualService } from '../src/model/types.ts'
import { crashBound, handoverBound, linkDownBound, preemptBound, stopBound } from '../src/model/vrrp.ts'
import { labTest } from '../src/suite/lab-test.ts'
import { loadTopology } from '../src/topology/load.ts'
import { type PlannedVip, planTopology } from '../src/verify/plan.ts'
import { planScenarios } from '../src/verify/scenarios.ts'
import { directorOf, instanceOf, run, values, whenTaken, within } from './steps.ts'
import { outcomesOnce } from './traffic.ts'

const dir = 'topologies/keepalived-nat-pair'
const test = labTest(dir)
const plan = planTopology(loadTopology(dir))

const VIP = '203.0.113.100'
const PATIENCE_MS = 2_000
const WATCH_RATE = 20
const WATCH_STEP_MS = 1000 / WATCH_RATE

const vipOf = (address: string): PlannedVip => {
  const found = plan.vips.find(vip => vip.address === address)
  if (!found) throw new Error(`no VIP ${address}`)
  return found
}
const [outside, inside] = [vipOf(VIP), vipOf('192.168.10.1')]
const VIPS = [outside, inside]
const sides = (name: string) => [instanceOf(plan, 'd1', name), instanceOf(plan, 'd2', name)] as const
const OUT = sides('VI_OUTSIDE')
const IN = sides('VI_INSIDE')

const untilMoved = async (lab: Lab, to: string, others: string[], bound: Bound, vips = VIPS): Promise<void> => {
  const waits = vips.map(({ address }) =>
    lab.until({ kind: 'owner', address, node: to, others }, bound.maxMs + PATIENCE_MS),
  )
  await Promise.all(waits)
}

const faultOf = (lab: Lab, phase: FaultEvent['phase'], fault: string, node: string): FaultEvent => {
  const found = lastFault(lab.history, phase, fault, node)
  if (!found) throw new Error(`the journal has no ${phase} of ${fault} on ${node}`)
  return found
}

/** HTTP, and datagrams from ports that change, until both are stopped. */
const clients = async (lab: Lab): Promise<() => Promise<void>> => {
  const probes = [
    await lab.http({ probe: 'http', client: 'c1', url: `http://${VIP}/`, rate: WATCH_RATE }),
    await lab.udp({ probe: 'udp', client: 'c1', target: `${VIP}:7`, rate: WATCH_RATE, newPorts: true }),
  ]
  return async () => void (await Promise.all(probes.map(probe => probe.stop())))
}

/** Requests of both kinds; who answered, or what became of them. */
const ask = async (lab: Lab, probe: string): Promise<string[]> => {
  const [http, udp] = [`http ${probe}`, `udp ${probe}`]
  const common = { client: 'c1', rate: 10, count: 4, timeoutMs: 500 }
  await (await lab.http({ ...common, probe: http, url: `http://${VIP}/` })).ended()
  await (await lab.udp({ ...common, probe: udp, target: `${VIP}:7`, newPorts: true })).ended()
  return [http, udp].flatMap(one => outcomesOnce(lab, one))
}

describe('two VIPs that move together, version 3, unicast', () => {
  for (const scenario of planScenarios(plan).filter(({ name }) => /^(configuration|quorum)/.test(name))) {
    test(scenario.name, async ({ lab, judge }) => {
      await scenario.drive(lab)
      for (const check of scenario.checks) judge(check)
    })
  }

  test('a crash of d1 costs HTTP and UDP less than a second', async ({ lab }) => {
    const bound = syncedBound([crashBound(...OUT), crashBound(...IN)])
    expect(bound.maxMs).toBeLessThan(1_000)
    const stop = await clients(lab)
    await lab.sleep(1_000)
    const heal = await lab.inject('keepalived-crash', 'd1')
    await untilMoved(lab, 'd2', [], bound)
    const moved = await lab.mark('d2 holds both VIPs')
    await lab.sleep(1_000)
    await stop()
    await heal()
    const move = { from: 'd1', to: 'd2', fault: 'keepalived-crash' }
    const window = { from: faultOf(lab, 'inject', 'keepalived-crash', 'd1').t, until: moved }
    for (const vip of VIPS) {
      expect(lab.history).toFailOverWithin(bound, { ...move, vip })
      const on = { vip: vip.address, directors: ['d1', 'd2'] }
      expect(lab.history).toPass('garp', { ...on, window })
      const vrid = vip.members[0]?.instance.virtualRouterId ?? 0
      expect(lab.history).toPass('silent-backup', { ...on, vrid, network: vip.network })
    }
    expect(lab.history).toShareExactly({ rs1: 1, rs2: 1 }, { probe: 'http', window: { from: moved } })
    // by unicast, to the other director and to nobody else
    const ways = values(
      eventsOf(lab.history, 'advert').map(({ node, destination, version }) => `${node} ${destination} ${version}`),
    )
    expect(ways).toEqual(['d1 192.168.10.3 3', 'd1 203.0.113.3 3', 'd2 192.168.10.2 3', 'd2 203.0.113.2 3'])
    for (const probe of ['http', 'udp'])
      expect(lab.history).toFailOverWithin(bound, { ...move, vip: outside, watch: { probe, stepMs: WATCH_STEP_MS } })
  })

  test('the link outside is cut: the VIP inside moves as well, and both come back', async ({ lab }) => {
    const bound = syncedBound([linkDownBound(...OUT), stopBound(...IN)])
    const back = syncedBound([preemptBound(...OUT) as Bound, preemptBound(...IN) as Bound])
    const stop = await clients(lab)
    await lab.sleep(1_000)
    const heal = await lab.inject('link-down', 'd1', { device: 'eth0' })
    await untilMoved(lab, 'd2', ['d1'], bound)
    await lab.sleep(1_000)
    await heal()
    await untilMoved(lab, 'd1', ['d2'], back)
    await stop()
    const move = { from: 'd1', to: 'd2', fault: 'link-down' }
    for (const probe of ['http', 'udp'])
      expect(lab.history).toFailOverWithin(bound, { ...move, vip: outside, watch: { probe, stepMs: WATCH_STEP_MS } })
    expect(lab.history).toFailOverWithin(bound, { ...move, vip: inside })
    const healed = faultOf(lab, 'heal', 'link-down', 'd1')
    for (const { address } of VIPS)
      within(
        lab,
        `${address} back`,
        { started: healed.t, ended: healed.done },
        whenTaken(lab, address, 'd1', healed.t),
        back,
      )
  })

  test('adverts that do not reach the other leave both MASTER, and one once they do', async ({ lab }) => {
    const bound = syncedBound([crashBound(...OUT), crashBound(...IN)])
    const heal = await lab.inject('vrrp-block', 'd1', { direction: 'both', peer: 'd2' })
    await untilMoved(lab, 'd2', [], bound)
    const blocked = faultOf(lab, 'inject', 'vrrp-block', 'd1')
    for (const { address } of VIPS)
      within(
        lab,
        `${address} at d2 too`,
        { started: blocked.t, ended: blocked.done },
        whenTaken(lab, address, 'd2', blocked.t),
        bound,
      )
    await lab.sleep(500)
    await heal()
    await untilMoved(lab, 'd1', ['d2'], bound)
    await lab.sleep(500)
    for (const vip of VIPS) expect(lab.history).toKeepOneOwner(handoverBound(OUT[1]), { vip, noneBound: bound })
  })

  test('names are found through the VIP, on either director', async ({ lab }) => {
    await run(
      lab,
      'c1',
      `echo 'nameserver ${VIP}' >/etc/resolv.conf; echo 'options timeout:1 attempts:1' >>/etc/resolv.conf`,
    )
    /** Who was asked for each of some names, from a port of its own each time. */
    const answered = async (): Promise<string[]> => {
      const lines = await Promise.all(
        [1, 2, 3, 4].map(n => lab.exec('c1', ['getent', 'ahostsv4', `www${n}.example`], { record: true })),
      )
      return values(lines.map(({ code, stdout }) => (code === 0 ? (stdout.split(/\s/)[0] ?? '') : `${code}`)))
    }
    const servers = ['192.0.2.1', '192.0.2.2']
    expect(await answered()).toEqual(servers)
    const heal = await lab.inject('keepalived-stop', 'd1')
    await untilMoved(lab, 'd2', ['d1'], syncedBound([stopBound(...OUT), stopBound(...IN)]))
    expect(await answered()).toEqual(servers)
    await heal()
    // DNS_CHECK asks as they do
    const service = directorOf(plan, 'd1').services.find(one => one.port === 53)
    const [server] = service?.realServers ?? []
    const down = server && serverDownBound(server, 'refused')
    if (!down) throw new Error('no bound')
    await untilMoved(lab, 'd1', ['d2'], syncedBound([preemptBound(...OUT) as Bound, preemptBound(...IN) as Bound]))
    await run(lab, 'rs1', 'pkill -KILL -x dns')
    const alone = { node: 'd1', service: `UDP ${VIP}:53`, destinations: ['192.168.10.12:5353'] }
    expect(await lab.until({ kind: 'pool', ...alone }, down.maxMs + PATIENCE_MS), down.formula).toBe(true)
    expect(await answered()).toEqual(['192.0.2.2'])
  })

  test('without the sync group only the VIP outside moves, and nobody is answered', async ({ lab }) => {
    const group = 'vrrp_sync_group PAIR {\n    group {\n        VI_OUTSIDE\n        VI_INSIDE\n    }\n}\n'
    const file = '/etc/keepalived/conf.d/vips.conf'
    const heals = []
    for (const node of ['d2', 'd1']) heals.push(await lab.inject('config-change', node, { file, replace: [group, ''] }))
    expect(await ask(lab, 'before')).toEqual(['rs1', 'rs2', 'rs1', 'rs2'])

    heals.push(await lab.inject('link-down', 'd1', { device: 'eth0' }))
    const cut = faultOf(lab, 'inject', 'link-down', 'd1')
    await untilMoved(lab, 'd2', ['d1'], linkDownBound(...OUT), [outside])
    expect(lab.history).toFailOverWithin(linkDownBound(...OUT), {
      ...{ vip: outside, from: 'd1', to: 'd2', fault: 'link-down' },
    })
    await lab.sleep(linkDownBound(...IN).maxMs + PATIENCE_MS)
    expect(whenTaken(lab, inside.address, 'd2', cut.t)).toBeUndefined()
    // the replies come to d1, which knows nothing of these connections, and has no way out
    expect(await ask(lab, 'after')).toEqual(['timeout', 'timeout'])
    for (const heal of heals.reverse()) await heal()
  })
})

describe('the connection synchronisation daemon', () => {
  const ECHO = `${VIP}:7`
  const stop = syncedBound([stopBound(...OUT), stopBound(...IN)])

  /**
   * Connections that are old enough for the backup to know them, and one that is not; then d1 ends. The probes go on until
   * their connections have been used again.
   */
  const failOver = async (lab: Lab): Promise<void> => {
    const held = { client: 'c1', target: ECHO, everyMs: 500 }
    const old = await lab.tcp({ ...held, probe: 'old', connections: 4 })
    const flows = await lab.udp({
      ...{ probe: 'flows', client: 'c1', target: `${VIP}:7`, rate: 8, ports: [5001, 5002, 5003, 5004] },
    })
    await lab.sleep(held.everyMs + CONNECTION_SYNC_BOUND.maxMs)
    const young = await lab.tcp({ ...held, probe: 'young', connections: 1 })
    await lab.sleep(SYNC_FLUSH_MS / 4)
    const heal = await lab.inject('keepalived-stop', 'd1')
    await untilMoved(lab, 'd2', ['d1'], stop)
    await lab.sleep(2 * held.everyMs + PATIENCE_MS)
    for (const probe of [old, young, flows]) await probe.stop()
    await heal()
  }
  const survived = (probe: string) => ({ probe, fault: 'keepalived-stop', node: 'd1' })

  /** Which servers each flow of datagrams was answered by in a stretch of time, by its port. */
  const serversOfFlows = (lab: Lab, window: Partial<Window>): string[][] =>
    [5001, 5002, 5003, 5004].map(port =>
      values(
        requestsOf(lab.history, 'flows', window)
          .filter(({ sourcePort, outcome }) => sourcePort === port && outcome === 'answered')
          .map(({ server }) => server),
      ),
    )

  test('connections and flows go on at d2 with their servers; one that is too young is reset', async ({ lab }) => {
    await failOver(lab)
    for (const vip of VIPS)
      expect(lab.history).toFailOverWithin(stop, { vip, from: 'd1', to: 'd2', fault: 'keepalived-stop' })
    expect(lab.history).toPass('connections', survived('old'))
    expect(values(connectionsOf(lab.history, 'old').map(({ server }) => server))).toEqual(['rs1', 'rs2'])
    const stopped = faultOf(lab, 'inject', 'keepalived-stop', 'd1').t
    const taken = Math.max(...VIPS.map(({ address }) => whenTaken(lab, address, 'd2', stopped) ?? Number.NaN))
    const before = serversOfFlows(lab, { until: stopped })
    for (const servers of before) expect(servers).toHaveLength(1)
    expect(serversOfFlows(lab, { from: taken, until: faultOf(lab, 'heal', 'keepalived-stop', 'd1').t })).toEqual(before)
    expect(lab.history).not.toPass('connections', survived('young'))
    expect(connectionsOf(lab.history, 'young').map(({ ended }) => ended?.outcome)).toEqual(['reset'])
  })

  test('without it every connection is reset', async ({ lab }) => {
    const daemon = async (node: string): Promise<string> => (await run(lab, node, 'ipvsadm -L --daemon')).stdout
    const file = '/etc/keepalived/keepalived.conf'
    const line = '    lvs_sync_daemon eth1 VI_INSIDE id 1\n'
    const heals = []
    for (const [node, state] of [
      ['d2', 'backup'],
      ['d1', 'master'],
    ] as const) {
      heals.push(await lab.inject('config-change', node, { file, replace: [line, ''] }))
      // keepalived 2.3.3 ends it with itself: a reload without the line leaves it running
      expect(await daemon(node)).toContain(`${state} sync daemon (mcast=eth1, syncid=1`)
      await run(lab, node, `ipvsadm --stop-daemon ${state}`)
      expect(await daemon(node)).toBe('')
    }
    await failOver(lab)
    for (const heal of heals) await heal()
    expect(lab.history).not.toPass('connections', survived('old'))
    expect(connectionsOf(lab.history, 'old').map(({ ended }) => ended?.outcome)).toEqual(Array(4).fill('reset'))
  })
})

test('weight 0 drains a server: what it has goes on, nothing new comes', async ({ lab }) => {
  const server = { node: 'rs1', address: '192.168.10.11', port: 7 }
  const held = { client: 'c1', target: `${VIP}:7`, connections: 4, everyMs: 200 }
  const before = await lab.tcp({ ...held, probe: 'before' })
  await lab.sleep(1_000)
  const [file, block] = ['/etc/keepalived/conf.d/services.conf', 'real_server 192.168.10.11 7 {\n        weight']
  const heal = await lab.inject('config-change', 'd1', { file, replace: [`${block} 1`, `${block} 0`] })
  await lab.until({ kind: 'pool', node: 'd1', service: `TCP ${VIP}:7`, destinations: ['192.168.10.12:7'] }, PATIENCE_MS)
  const after = await lab.tcp({ ...held, probe: 'after' })
  await lab.sleep(2_000)
  for (const probe of [before, after]) await probe.stop()
  const drain = {
    ...{ vip: VIP, directors: ['d1', 'd2'], service: `TCP ${VIP}:7`, server, fault: 'config-change', node: 'd1' },
  }
  expect(lab.history).toPass('drain', { ...drain, connections: 'before' })
  expect(values(connectionsOf(lab.history, 'after').map(one => one.server))).toEqual(['rs2'])
  await heal()
})

test('weight 0 of a web server: no request is lost, and none reaches it any more', async ({ lab }) => {
  const clients = await lab.http({ probe: 'clients', client: 'c1', url: `http://${VIP}/`, rate: WATCH_RATE })
  await lab.sleep(1_000)
  const [file, line] = ['/etc/keepalived/conf.d/services.conf', 'real_server 192.168.10.11 80 {']
  // with one of two, the pool would be below its quorum
  const quorum = await lab.inject('config-change', 'd1', { file, replace: ['quorum 2', 'quorum 1'] })
  const heal = await lab.inject('config-change', 'd1', { file, replace: [line, `${line}\n        weight 0`] })
  await lab.until(
    { kind: 'pool', node: 'd1', service: `TCP ${VIP}:80`, destinations: ['192.168.10.12:80'] },
    PATIENCE_MS,
  )
  await lab.sleep(2_000)
  await clients.stop()
  const server = { node: 'rs1', address: '192.168.10.11', port: 80 }
  expect(lab.history).toPass('drain', {
    ...{ vip: VIP, directors: ['d1', 'd2'], service: `TCP ${VIP}:80`, server, fault: 'config-change', node: 'd1' },
    probe: 'clients',
  })
  await heal()
  await quorum()
})

test('one server of two is below the quorum: the sorry page for all, and the scripts', async ({ lab }) => {
  const service = directorOf(plan, 'd1').services.find(one => one.port === 80) as VirtualService
  const [server] = service.realServers
  const bounds = server && [serverDownBound(server, 'refused'), serverUpBound(server, 'refused', plan.keepalived)]
  if (!bounds?.[0] || !bounds[1]) throw new Error('no bound')
  const told = async (): Promise<string[]> =>
    (await run(lab, 'd1', 'cat /var/log/quorum.log')).stdout.trim().split('\n')
  const tableAt = (t: number, wanted: Record<string, number>): number | undefined =>
    tablesOf(lab.history, 'd1').find(table => {
      const destinations = table.services.find(one => one.service === `TCP ${VIP}:80`)?.destinations ?? []
      const is = Object.fromEntries(destinations.map(d => [`${d.address}:${d.port}`, d.weight]))
      return table.t >= t && isDeepStrictEqual(is, wanted)
    })?.t
  const untilTable = (wanted: Record<string, number>, bound: Bound): Promise<boolean> =>
    lab.until(
      { kind: 'pool', node: 'd1', service: `TCP ${VIP}:80`, destinations: Object.keys(wanted) },
      bound.maxMs + PATIENCE_MS,
    )

  const [down, up] = [
    changePool(service, startPool(service), { server: '192.168.10.11:80', alive: false }),
    startPool(service),
  ]
  expect(await told()).toEqual(['gained'])
  const heal = await lab.inject('httpd-crash', 'rs1')
  const crashed = faultOf(lab, 'inject', 'httpd-crash', 'rs1')
  await untilTable(poolTable(service, down), bounds[0])
  const lost = tableAt(crashed.t, poolTable(service, down))
  within(lab, 'quorum lost', { started: crashed.t, ended: crashed.done }, lost, bounds[0])
  // rs2 is well, and yet
  expect(await ask(lab, 'below')).toEqual(['d1', 'rs1', 'rs2'])
  expect(await told()).toEqual(['gained', 'lost'])

  await heal()
  const healed = faultOf(lab, 'heal', 'httpd-crash', 'rs1')
  await untilTable(poolTable(service, up), bounds[1])
  const gained = tableAt(healed.t, poolTable(service, up))
  within(lab, 'quorum gained', { started: healed.t, ended: healed.done }, gained, bounds[1])
  expect(await ask(lab, 'again')).toEqual(['rs1', 'rs2', 'rs1', 'rs2'])
  expect(await told()).toEqual(['gained', 'lost', 'gained'])
})
