import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect } from 'vitest'
import type { Condition } from '../src/agent/protocol.ts'
import { activeDestinations, eventsOf, holdingsOf, lastFault, tablesOf } from '../src/history/queries.ts'
import type { FaultEvent } from '../src/history/event.ts'
import { fromFault } from '../src/judge/limit.ts'
import type { FaultName } from '../src/lab/faults/registry.ts'
import type { Lab } from '../src/lab/lab.ts'
import { sharesByArp } from '../src/model/arp.ts'
import { predictFault } from '../src/model/faults.ts'
import { serverDownBound } from '../src/model/health-check.ts'
import type { Bound } from '../src/model/types.ts'
import { crashBound, handoverBound, linkDownBound, preemptBound, stopBound } from '../src/model/vrrp.ts'
import { labTest } from '../src/suite/lab-test.ts'
import { loadTopology } from '../src/topology/load.ts'
import { planTopology } from '../src/verify/plan.ts'
import { PATIENCE_MS, SLACK_MS } from '../src/verify/scenario.ts'
import { planScenarios } from '../src/verify/scenarios.ts'
import { directorOf, instanceOf, linesOf, restartWith, run, testConfiguration, whenTaken } from './steps.ts'
import { captured, outcomes, outcomesOnce } from './traffic.ts'

const dir = 'topologies/keepalived-pair-rr'
const test = labTest(dir)
const planned = planTopology(loadTopology(dir))

const VIP = '10.0.0.210'
const SERVICE = `TCP ${VIP}:80`
const SERVICES = '/etc/keepalived/conf.d/services.conf'
const RR = { rs1: 1, rs2: 1 }
const DIRECTORS = ['d1', 'd2', 'd3']
const first = instanceOf(planned, 'd1', 'VI_1')
const second = instanceOf(planned, 'd2', 'VI_1')
const third = instanceOf(planned, 'd3', 'VI_1')

/** Four requests: two cycles of `rr`. */
const ask = async (lab: Lab, probe: string): Promise<void> => {
  const clients = await lab.http({ probe, client: 'c1', url: `http://${VIP}/`, rate: 20, count: 4, timeoutMs: 1_000 })
  await clients.ended()
}

const untilOwner = (lab: Lab, node: string, bound: Bound): Promise<boolean> =>
  lab.until(
    { kind: 'owner', address: VIP, node, others: DIRECTORS.filter(other => other !== node) },
    bound.maxMs + PATIENCE_MS,
  )

/** How often a director has taken the VIP since a moment. */
const taken = (lab: Lab, node: string, since: number): number =>
  holdingsOf(lab.history, VIP, [node]).filter(one => one.from > since).length

const faultOf = (lab: Lab, phase: FaultEvent['phase'], fault: FaultName, node: string): FaultEvent => {
  const found = lastFault(lab.history, phase, fault, node)
  if (!found) throw new Error(`the journal has no ${phase} of ${fault} on ${node}`)
  return found
}

/** A director takes the VIP back in time after what makes it able to. */
const expectBack = (lab: Lab, cause: FaultEvent, bound: Bound | undefined): void => {
  if (!bound) throw new Error(`${cause.node} does not preempt`)
  const { minMs = 0, maxMs, formula } = fromFault(lab.history, bound, cause, SLACK_MS)
  const took = (whenTaken(lab, VIP, cause.node, cause.t) ?? Number.NaN) - cause.t
  expect(took, `${cause.node} takes the VIP back: ${formula}`).toBeGreaterThanOrEqual(minMs)
  expect(took, `${cause.node} takes the VIP back: ${formula}`).toBeLessThanOrEqual(maxMs)
}

describe('the pair', () => {
  // who takes over and who is removed is measured below
  for (const scenario of planScenarios(planned).filter(({ name }) => /^(configuration|shares)/.test(name))) {
    test(scenario.name, async ({ lab, judge }) => {
      await scenario.drive(lab)
      for (const check of scenario.checks) judge(check)
    })
  }

  test('what a real server answers leaves by its gateway, past the director', async ({ lab }) => {
    const stop = await lab.capture({
      capture: 'replies',
      node: 'd1',
      device: 'eth1',
      filter: `tcp and src host ${VIP}`,
    })
    const stopGateway = await lab.capture({
      ...{ capture: 'gateway', node: 'gw', device: 'eth0' },
      filter: `tcp[13] = 18 and src host ${VIP}`,
    })
    await ask(lab, 'clients')
    await stop()
    await stopGateway()
    expect(captured(lab, 'replies')).toEqual([])
    expect(captured(lab, 'gateway')).toHaveLength(4)
  })

  test('a real server that answers ARP for the VIP has all clients; silent, it does not', async ({ lab }) => {
    const forget = () => run(lab, 'gw', 'ip neigh flush dev eth0')
    // once more it announces the VIP, garp_master_delay 5 s after it became MASTER: who hears that believes it
    await lab.sleep(5_000)
    const heal = await lab.inject('netem', 'd1', { delayMs: 50, protocol: 'arp' })
    await run(lab, 'rs1', 'sysctl -w net.ipv4.conf.all.arp_ignore=0')
    await forget()
    await ask(lab, 'answers-arp')
    expect(lab.history).toShareExactly(sharesByArp('rs1', 'd1', {}), { probe: 'answers-arp' })
    await run(lab, 'rs1', 'sysctl -w net.ipv4.conf.all.arp_ignore=1')
    await forget()
    await ask(lab, 'silent')
    expect(lab.history).toShareExactly(RR, { probe: 'silent' })
    await heal()
  })

  test('a real server comes in by a reload: under load nobody notices, and it has its share', async ({ lab }) => {
    const clients = await lab.http({ probe: 'clients', client: 'c1', url: `http://${VIP}/`, rate: 20 })
    await lab.sleep(1_000)
    const file = readFileSync(path.join(dir, 'd1', SERVICES), 'utf8')
    const [server = ''] = /\n {4}real_server 10\.0\.0\.204[^]*?\n {4}\}\n/.exec(file) ?? []
    const content = file.replace(server, server + server.replace('10.0.0.204', '10.0.0.206'))
    const heal = await lab.inject('config-change', 'd1', { file: SERVICES, content })
    const reload = faultOf(lab, 'inject', 'config-change', 'd1')
    await lab.sleep(2_000)
    await clients.stop()
    expect(lab.history).toShareExactly(RR, { probe: 'clients', window: { until: reload.t } })
    expect(lab.history).toShareExactly({ rs1: 1, rs2: 1, rs3: 1 }, { probe: 'clients', window: { from: reload.done } })
    expect(outcomesOnce(lab, 'clients')).toEqual(['rs1', 'rs2', 'rs3'])
    expect(linesOf(lab, 'd1').filter(line => line.includes('STATE'))).toHaveLength(2)
    await heal()
  })
})

describe("the MASTER's file as it was published", () => {
  const CONF = 'd1/etc/keepalived/keepalived.conf'
  const typed = readFileSync(path.join(dir, 'd1/etc/keepalived/as-typed.conf'), 'utf8')

  test('persistence_timeout 0 is refused: nobody sticks; with 50 everybody does', async ({ lab }) => {
    // keepalived looks for its mail server before anything else: the gateway says at once that it has no names
    await run(lab, 'd1', 'echo nameserver 10.0.0.254 >/etc/resolv.conf')
    const back = preemptBound(first, second) as Bound
    const asTyped = await restartWith(lab, dir, CONF, () => typed)
    expect(await untilOwner(lab, 'd1', back)).toBe(true)
    expect(lab.history).not.toPass('configuration', await testConfiguration(lab, 'd1'))
    for (const words of [
      'Invalid smtp server mail.126.com',
      "Line 31) number '0' outside range [1, 2678400]",
      'Line 31) persistence_timeout invalid',
      "Unknown keyword 'nb_get_retry'",
    ])
      expect(linesOf(lab, 'd1')).toContainEqual(expect.stringContaining(words))
    expect(directorOf(asTyped, 'd1').services[0]?.persistence).toBeUndefined()
    await ask(lab, 'as-typed')
    expect(lab.history).toShareExactly(RR, { probe: 'as-typed' })

    const cured = await restartWith(lab, dir, CONF, () =>
      typed.replace('persistence_timeout 0', 'persistence_timeout 50'),
    )
    expect(await untilOwner(lab, 'd1', back)).toBe(true)
    expect(directorOf(cured, 'd1').services[0]?.persistence).toBe(50_000)
    await ask(lab, 'persistent')
    const [server] = outcomes(lab, 'persistent')
    expect(outcomes(lab, 'persistent')).toEqual([server, server, server, server])
    expect(Object.keys(RR)).toContain(server)
    // each client by itself: the next one is the other server's
    const [other = ''] = await lab.addSources('c1', { count: 1 })
    const options = { client: 'c1', url: `http://${VIP}/`, rate: 20, count: 4, sources: [other] }
    await (await lab.http({ probe: 'next-client', ...options })).ended()
    expect(outcomes(lab, 'next-client')).toEqual(Array(4).fill(server === 'rs1' ? 'rs2' : 'rs1'))
  })
})

describe('the election among three directors', () => {
  test('the next in line takes over, and each that returns takes the VIP back', async ({ lab, vip }) => {
    const begin = await lab.now()
    const start = await lab.inject('node-kill', 'd1')
    await untilOwner(lab, 'd2', crashBound(first, second))
    await ask(lab, 'd2-alone')
    const restart = await lab.inject('keepalived-stop', 'd2')
    await untilOwner(lab, 'd3', stopBound(second, third))
    await ask(lab, 'd3-alone')
    expect(lab.history).toFailOverWithin(crashBound(first, second), { vip, from: 'd1', to: 'd2', fault: 'node-kill' })
    expect(lab.history).toFailOverWithin(stopBound(second, third), {
      ...{ vip, from: 'd2', to: 'd3', fault: 'keepalived-stop' },
    })

    await restart()
    await untilOwner(lab, 'd2', preemptBound(second, third) as Bound)
    await ask(lab, 'd2-again')
    await start()
    await untilOwner(lab, 'd1', preemptBound(first, second) as Bound)
    await ask(lab, 'd1-again')
    expectBack(lab, faultOf(lab, 'heal', 'keepalived-stop', 'd2'), preemptBound(second, third))
    expectBack(lab, faultOf(lab, 'heal', 'node-kill', 'd1'), preemptBound(first, second))
    expect(lab.history).toKeepOneOwner(handoverBound(third), { vip })
    expect(DIRECTORS.map(node => taken(lab, node, begin))).toEqual([1, 2, 1])
    for (const probe of ['d2-alone', 'd3-alone', 'd2-again', 'd1-again'])
      expect(lab.history).toShareExactly(RR, { probe })
  })

  test('two are gone at once: the third takes over; the second stays out of it when it returns after the first', async ({
    lab,
    vip,
  }) => {
    const moment = (await lab.now()) + 1_500
    const [healFirst, healSecond] = await Promise.all([
      lab.at(moment, () => lab.inject('link-down', 'd1')),
      lab.at(moment, () => lab.inject('keepalived-stop', 'd2')),
    ])
    await untilOwner(lab, 'd3', linkDownBound(first, third))
    expect(lab.history).toFailOverWithin(linkDownBound(first, third), { vip, from: 'd1', to: 'd3', fault: 'link-down' })
    await healFirst()
    await untilOwner(lab, 'd1', preemptBound(first, third) as Bound)
    expectBack(lab, faultOf(lab, 'heal', 'link-down', 'd1'), preemptBound(first, third))
    await healSecond()
    await lab.sleep((preemptBound(second, third)?.maxMs ?? 0) + PATIENCE_MS)
    expect(taken(lab, 'd2', moment)).toBe(0)
    await ask(lab, 'clients')
    expect(lab.history).toShareExactly(RR, { probe: 'clients' })
  })
})

describe('the watchdog of keepalived starts a killed child anew', () => {
  test('the checkers: clients notice nothing, and the new ones find a dead server in time', async ({ lab, vip }) => {
    const clients = await lab.http({ probe: 'clients', client: 'c1', url: `http://${VIP}/`, rate: 20 })
    const begin = await lab.sleep(500)
    const heal = await lab.inject('keepalived-checker-killed', 'd1')
    await lab.sleep(2_000)
    await clients.stop()
    await heal()
    expect(linesOf(lab, 'd1')).toContainEqual(
      expect.stringMatching(/Healthcheck child process\(\d+\) died: Respawning/),
    )
    expect(outcomesOnce(lab, 'clients')).toEqual(['rs1', 'rs2'])
    expect(DIRECTORS.map(node => taken(lab, node, begin))).toEqual([0, 0, 0])

    const service = directorOf(planned, 'd1').services[0]
    const server = service?.realServers[0]
    const bound = server && serverDownBound(server, 'refused')
    const delayLoop = server?.checks[0]?.delayLoop
    if (!bound || delayLoop === undefined) throw new Error('no bound for rs1')
    await lab.sleep(2 * delayLoop) // its first round is over
    const start = await lab.inject('httpd-stop', 'rs1')
    const gone: Condition = { kind: 'pool', node: 'd1', service: SERVICE, destinations: ['10.0.0.204:80'] }
    expect(await lab.until(gone, bound.maxMs + PATIENCE_MS)).toBe(true)
    expect(lab.history).toRemoveServerWithin(bound, {
      ...{ vip, service: SERVICE, fault: 'httpd-stop' },
      server: { node: 'rs1', address: '10.0.0.201', port: 80 },
    })
    await start()
  })

  test('VRRP: the VIP goes to the second and comes back; the table stays', async ({ lab, vip }) => {
    const expected = predictFault('keepalived-vrrp-killed', first, second)
    const { takeover, back } = expected
    if (!takeover || !back) throw new Error('nothing is predicted')
    // its last advertisement is half an interval old: where it is younger than the difference of their skew times, the new
    // process is first
    const advert = lab.until({ kind: 'event', match: { kind: 'advert', node: 'd1' } }, PATIENCE_MS)
    expect(await advert).toBe(true)
    await lab.sleep(first.advertInterval / 2)
    const heal = await lab.inject('keepalived-vrrp-killed', 'd1')
    await untilOwner(lab, 'd2', takeover)
    await heal()
    await untilOwner(lab, 'd1', back)
    const fault = faultOf(lab, 'inject', 'keepalived-vrrp-killed', 'd1')
    expect(lab.history).toFailOverWithin(takeover, { vip, from: 'd1', to: 'd2', fault: 'keepalived-vrrp-killed' })
    expectBack(lab, fault, back)
    expect(linesOf(lab, 'd1')).toContainEqual(expect.stringMatching(/VRRP child process\(\d+\) died: Respawning/))
    expect(eventsOf(lab.history, 'advert').filter(({ t, priority }) => t > fault.t && priority === 0)).toEqual([])
    await lab.snapshot()
    const pools = tablesOf(lab.history, 'd1')
      .filter(({ t }) => t > fault.t)
      .map(table => activeDestinations(table, SERVICE)?.length)
    expect(new Set(pools)).toEqual(new Set([2]))
    expect(taken(lab, 'd3', fault.t)).toBe(0)
  })
})

test('the script of a real server says Running as long as the VIP is there, whatever else is gone', async ({ lab }) => {
  const realserver = async (verb: string): Promise<string> =>
    (await run(lab, 'rs1', `/etc/init.d/realserver ${verb}`)).stdout.trim()
  expect(await realserver('start')).toBe('RealServer Start OK')
  // it looks for `isrothere`, a word, and not for what the variable has
  await run(lab, 'rs1', `ip route delete ${VIP} dev lo; sysctl -w net.ipv4.conf.all.arp_ignore=0`)
  expect(await realserver('status')).toBe('LVS-DR Running.')
  expect(await realserver('stop')).toBe('RealServer Stoped')
  expect(await realserver('status')).toBe('LVS-DR real server Stopped.')
  expect((await run(lab, 'rs1', 'ip -o address show dev lo')).stdout).not.toContain(VIP)
})
