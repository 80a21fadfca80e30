import { describe, expect } from 'vitest'
import type { Condition } from '../src/agent/protocol.ts'
import type { FaultEvent } from '../src/history/event.ts'
import type { History } from '../src/history/history.ts'
import {
  activeDestinations,
  eventsOf,
  holdingsOf,
  lastFault,
  lastAfter,
  ownersAt,
  requestsOf,
  tablesOf,
} from '../src/history/queries.ts'
import { fromFault } from '../src/judge/limit.ts'
import type { FaultArguments, FaultParams } from '../src/lab/faults/registry.ts'
import type { Lab } from '../src/lab/lab.ts'
import { type DirectorFault, predictFault, SERVER_FAILURES, type ServerFault } from '../src/model/faults.ts'
import { serverDownBound, serverUpBound } from '../src/model/health-check.ts'
import type { Bound } from '../src/model/types.ts'
import { crashBound, handoverBound, startBound } from '../src/model/vrrp.ts'
import { labTest } from '../src/suite/lab-test.ts'
import type { Plan } from '../src/verify/plan.ts'
import { counter, run } from './steps.ts'

const test = labTest('topologies/keepalived-dr')

const VIP = '10.0.0.100'
const DIRECTORS = ['d1', 'd2']
const SERVICE = 'TCP 10.0.0.100:80'

/** Scheduling of the lab's machine, ms. */
const SLACK_MS = 100

/** A wait goes on for so long past its bound: then it is the check that says how late it was. ms */
const PATIENCE_MS = 3_000

/** What comes after the change, if anything does, ms. */
const SETTLE_MS = 1_500

const members = (plan: Plan) => {
  const [master, backup] = plan.vips[0]?.members ?? []
  if (!master || !backup) throw new Error('the topology is not the pair that this suite is written for')
  return { master: master.instance, backup: backup.instance }
}

const faultOf = (history: History, phase: FaultEvent['phase'], fault: string, node: string): FaultEvent => {
  const found = lastFault(history, phase, fault, node)
  if (!found) throw new Error(`the journal has no ${phase} of ${fault} on ${node}`)
  return found
}

/** Whether a time since the beginning of a fault, or of its heal, is what was predicted. */
const expectWithin = (lab: Lab, what: string, event: FaultEvent, at: number | undefined, bound: Bound): void => {
  const { minMs = 0, maxMs, formula } = fromFault(lab.history, bound, event, SLACK_MS)
  const took = at === undefined ? Number.NaN : at - event.t
  expect(took, `${what}: at most ${formula}`).toBeGreaterThanOrEqual(minMs)
  expect(took, `${what}: at most ${formula}`).toBeLessThanOrEqual(maxMs)
}

const owners = (lab: Lab, t: number): string[] => ownersAt(holdingsOf(lab.history, VIP, DIRECTORS), t)

/** When a node holds the VIP alone for the first time after a moment. */
const aloneAfter = (lab: Lab, node: string, t: number): number | undefined =>
  eventsOf(lab.history, 'address')
    .filter(event => event.address === VIP && event.t >= t)
    .map(event => event.t)
    .find(at => owners(lab, at).join() === node)

const FAULTS_OF_THE_MASTER: { [F in DirectorFault]: FaultArguments<F>[0] } = {
  'keepalived-stop': {},
  'keepalived-parent-killed': {},
  'keepalived-crash': {},
  'keepalived-vrrp-killed': {},
  'keepalived-checker-killed': {},
  'keepalived-freeze': {},
  'keepalived-reload': {},
  'link-down': {},
  'vrrp-block': { direction: 'both' },
  partition: { from: ['d2'] },
  'node-pause': {},
  'node-kill': {},
  'node-restart': {},
}

const CASES: [title: string, fault: DirectorFault, params: { direction?: 'in' | 'out' | 'both' }][] = [
  ...Object.entries(FAULTS_OF_THE_MASTER).map(([name, params = {}]) => [name, name, params] as (typeof CASES)[number]),
  ['vrrp-block in', 'vrrp-block', { direction: 'in' }],
  ['vrrp-block out', 'vrrp-block', { direction: 'out' }],
]

describe('a fault on the MASTER does what is predicted', () => {
  for (const [title, fault, params] of CASES) {
    test(title, async ({ lab, plan, judge }) => {
      const { master, backup } = members(plan)
      const expected = predictFault(fault, master, backup, params)
      const { takeover } = expected
      // its last advertisement is half an interval old
      await lab.until({ kind: 'event', match: { kind: 'advert', node: 'd1' } }, master.advertInterval + PATIENCE_MS)
      await lab.sleep(master.advertInterval / 2)
      const heal = await lab.inject(fault as 'vrrp-block', 'd1', params)
      const patience = (takeover?.maxMs ?? 4_000) + PATIENCE_MS
      const moved = await lab.until({ kind: 'address', node: 'd2', address: VIP, present: true }, patience)
      // a new VRRP process takes the VIP back by itself
      if (fault !== 'keepalived-vrrp-killed') await lab.sleep(SETTLE_MS)
      const injected = faultOf(lab.history, 'inject', fault, 'd1')
      expect(moved).toBe(takeover !== undefined)
      const tookOver = eventsOf(lab.history, 'address').find(
        e => e.node === 'd2' && e.address === VIP && e.change === 'add' && e.t > injected.t,
      )?.t
      if (takeover) {
        judge({
          check: `fault-${fault}`,
          title: `d2 takes over the VIP ${VIP} after ${fault} on d1`,
          rule: 'failover',
          params: {
            vip: VIP,
            directors: DIRECTORS,
            from: 'd1',
            to: 'd2',
            fault,
            bound: takeover,
            slackMs: SLACK_MS,
          },
        })
        expectWithin(lab, 'takeover', injected, tookOver, takeover)
      }
      await lab.snapshot()
      // when d2 takes it: a new VRRP process takes the VIP back by itself soon after
      const held = owners(lab, tookOver ?? (await lab.now())).includes('d1')
      const table = tablesOf(lab.history, 'd1').at(-1)?.services ?? []
      const goodbye = eventsOf(lab.history, 'advert').some(advert => advert.node === 'd1' && advert.priority === 0)
      expect({ vip: held ? 'kept' : 'removed', table: table.length > 0 ? 'kept' : 'removed', goodbye }).toEqual({
        ...{ vip: expected.vip, table: expected.table, goodbye: expected.goodbye },
      })
      await heal()
      expect(lab.faults.open()).toEqual([])
      const healed = faultOf(lab.history, 'heal', fault, 'd1')
      if (expected.back) {
        await lab.until({ kind: 'owner', address: VIP, node: 'd1', others: ['d2'] }, expected.back.maxMs + PATIENCE_MS)
        // the new process waits from its own start on, which takes the machine some time
        const respawned = eventsOf(lab.history, 'keepalived').find(
          ({ node, t, transition }) => node === 'd1' && t > injected.t && transition?.state === 'BACKUP',
        )
        const from = fault === 'keepalived-vrrp-killed' ? { ...injected, done: respawned?.t ?? injected.done } : healed
        expectWithin(lab, 'back', from, aloneAfter(lab, 'd1', healed.t), expected.back)
      }
      expect(eventsOf(lab.history, 'trouble')).toEqual([])
      await lab.sleep(SETTLE_MS)
      expect(owners(lab, await lab.now())).toEqual(['d1'])
      judge({
        check: `owner-${title}`,
        title: `around ${title} on d1 each side has one live owner of the VIP ${VIP}`,
        rule: 'single-owner',
        params: {
          vip: VIP,
          directors: plan.vips[0]?.members.map(({ node, address }) => ({ node, address })) ?? [],
          bound: handoverBound(backup),
          noneBound: takeover ?? crashBound(master, backup),
          slackMs: SLACK_MS,
        },
      })
    })
  }
})

test('a backup that hears nobody takes the VIP, and the MASTER yields to nobody', async ({ lab, plan }) => {
  const { master, backup } = members(plan)
  const heal = await lab.inject('vrrp-block', 'd2', { direction: 'in', peer: 'd1' })
  const patience = crashBound(master, backup).maxMs + PATIENCE_MS
  expect(await lab.until({ kind: 'address', node: 'd2', address: VIP, present: true }, patience)).toBe(true)
  await heal()
  expect(await lab.until({ kind: 'owner', address: VIP, node: 'd1', others: ['d2'] }, PATIENCE_MS)).toBe(true)
})

test('adverts of auth_type AH are seen, and blocked as others are', async ({ lab, plan }) => {
  const { master, backup } = members(plan)
  const file = '/etc/keepalived/conf.d/vip_nginx.conf'
  const replace: [string, string] = ['auth_type PASS', 'auth_type AH']
  // d1 would be refused: keepalived takes no `state MASTER` with it
  const backup1 = await lab.inject('config-change', 'd1', { file, replace: ['state MASTER', 'state BACKUP'] })
  const changes = await Promise.all(['d1', 'd2'].map(node => lab.inject('config-change', node, { file, replace })))
  const patience = crashBound(master, backup).maxMs + PATIENCE_MS
  const advert = { kind: 'advert', node: 'd1', vrid: 50, priority: 100, authentication: { type: 'AH' } }
  expect(await lab.until({ kind: 'event', match: advert }, patience)).toBe(true)
  expect(lastAfter(lab.history, 0, 'advert', ({ node }) => node === 'd1')?.addresses).toEqual([VIP])
  expect(owners(lab, await lab.now())).toEqual(['d1'])
  const heal = await lab.inject('vrrp-block', 'd1')
  expect(await lab.until({ kind: 'address', node: 'd2', address: VIP, present: true }, patience)).toBe(true)
  await heal()
  for (const change of [...changes, backup1]) await change()
  expect(await lab.until({ kind: 'owner', address: VIP, node: 'd1', others: ['d2'] }, patience)).toBe(true)
})

const FAULTS_OF_A_SERVER: { [F in ServerFault]: FaultArguments<F>[0] } = {
  'httpd-stop': {},
  'httpd-crash': {},
  'httpd-refuse': { addresses: ['10.0.0.10', VIP] },
  'httpd-hang': {},
  'httpd-slow': { delayMs: 3_000 },
  'httpd-error': { status: 503 },
  'listener-crash': { protocol: 'tcp', ports: [80] },
  'link-down': {},
  'node-pause': {},
  'node-kill': {},
}

describe('a fault of a real server takes it out of the pool in time', () => {
  for (const [fault, params] of Object.entries(FAULTS_OF_A_SERVER)) {
    const { failure } = SERVER_FAILURES[fault as ServerFault]
    test(fault, async ({ lab, plan, judge }) => {
      const service = plan.services[0]
      const planned = service?.servers.find(one => one.node === 'rs1')
      if (!service || !planned) throw new Error('the topology has no rs1')
      const { address, port } = planned.server
      const [downBound, upBound] = [
        serverDownBound(planned.server, failure),
        serverUpBound(planned.server, failure, plan.keepalived),
      ]
      if (!downBound || !upBound) throw new Error('no bound is known for its health check')
      const pool = (destinations: string[]): Condition => ({ kind: 'pool', node: 'd1', service: SERVICE, destinations })
      const probe = await lab.http({ probe: 'clients', client: 'c1', url: service.url, rate: 20 })
      await lab.sleep(500)
      const heal = await lab.inject(fault as 'httpd-slow', 'rs1', params as FaultParams['httpd-slow'])
      await lab.until(pool(['10.0.0.20:80']), downBound.maxMs + PATIENCE_MS)
      await lab.sleep(1_000)
      await heal()
      await lab.until(pool(['10.0.0.10:80', '10.0.0.20:80']), upBound.maxMs + PATIENCE_MS)
      await lab.sleep(1_000)
      await probe.stop()
      judge({
        check: `fault-${fault}`,
        title: `rs1 leaves ${service.service.name} after ${fault}, and comes back when that is healed`,
        rule: 'pool',
        params: {
          ...{ vip: VIP, directors: DIRECTORS, service: SERVICE, downBound, upBound, slackMs: SLACK_MS },
          ...{ server: { node: 'rs1', address, port }, fault, probe: 'clients' },
        },
      })
      expect(eventsOf(lab.history, 'trouble')).toEqual([])
    })
  }
})

/** How long requests from c1 to rs1 take, and their statuses; the director has no part in them. */
const ask = async (lab: Lab, probe: string): Promise<{ tookMs: number; status: number | undefined }[]> => {
  const running = await lab.http({ probe, client: 'c1', url: 'http://10.0.0.10/', rate: 10, timeoutMs: 5_000 })
  await lab.sleep(450)
  await running.stop()
  return [...requestsOf(lab.history, probe)].map(({ t, done, status }) => ({ tookMs: done - t, status }))
}

describe('what a client sees of', () => {
  test('httpd-slow: each answer comes so much later', async ({ lab }) => {
    const heal = await lab.inject('httpd-slow', 'rs1', { delayMs: 300 })
    const slow = await ask(lab, 'slow')
    await heal()
    const healed = await ask(lab, 'healed')
    expect(slow.length).toBeGreaterThan(3)
    for (const { tookMs, status } of slow) {
      expect(status).toBe(200)
      expect(tookMs).toBeGreaterThanOrEqual(300)
      expect(tookMs).toBeLessThan(500)
    }
    expect(Math.max(...healed.map(r => r.tookMs))).toBeLessThan(150)
  })

  test('httpd-slow: healed while requests are under way, whoever comes next is served at once', async ({ lab }) => {
    const heal = await lab.inject('httpd-slow', 'rs1', { delayMs: 900 })
    const url = 'http://10.0.0.10/'
    // each process of httpd has one, so that none of the old ones ends at once
    const under = await lab.http({ probe: 'under way', client: 'c1', url, rate: 100, count: 8, timeoutMs: 5_000 })
    await lab.sleep(100)
    await heal()
    expect(Math.max(...(await ask(lab, 'next')).map(r => r.tookMs))).toBeLessThan(150)
    await under.ended()
    expect(requestsOf(lab.history, 'under way').map(({ outcome }) => outcome)).toEqual(Array(8).fill('answered'))
  })

  test('httpd-error: each answer has the status', async ({ lab }) => {
    const heal = await lab.inject('httpd-error', 'rs1', { status: 404 })
    expect(new Set((await ask(lab, 'wrong')).map(r => r.status))).toEqual(new Set([404]))
    await heal()
    expect(new Set((await ask(lab, 'healed')).map(r => r.status))).toEqual(new Set([200]))
  })

  test('netem: each packet of the server comes so much later, until it is healed', async ({ lab }) => {
    const heal = await lab.inject('netem', 'rs1', { delayMs: 50, jitterMs: 1 })
    const far = await ask(lab, 'far')
    // it answers the connection, then the request
    for (const { tookMs } of far) expect(tookMs).toBeGreaterThanOrEqual(98)
    await heal()
    const near = await ask(lab, 'near')
    expect(Math.max(...near.map(r => r.tookMs))).toBeLessThan(98)
  })

  test('netem with reordering: some packets are not delayed, and overtake the others', async ({ lab }) => {
    const heal = await lab.inject('netem', 'rs1', { delayMs: 50, reorderPercent: 50 })
    const order = async (): Promise<number[]> => {
      const { stdout } = await lab.exec('c1', ['ping', '-c', '20', '-i', '0.01', '-W', '1', '10.0.0.10'])
      return [...stdout.matchAll(/icmp_seq=(\d+)/g)].map(([, n]) => Number(n))
    }
    const all = Array.from({ length: 20 }, (_, n) => n + 1)
    const mixed = await order()
    expect(mixed.toSorted((a, b) => a - b)).toEqual(all)
    expect(mixed).not.toEqual(all)
    await heal()
    expect(await order()).toEqual(all)
  })

  test('netem with duplication and loss: what is lost is the copy', async ({ lab }) => {
    const heal = await lab.inject('netem', 'rs1', { device: 'eth0', duplicatePercent: 100, lossPercent: 50 })
    const { stdout } = await lab.exec('c1', ['ping', '-c', '20', '-i', '0.01', '-W', '1', '10.0.0.10'])
    await heal()
    // a packet that is due twice and lost once is sent once (sch_netem.c netem_enqueue)
    expect(stdout).toContain('20 received')
    const copies = stdout.match(/DUP!/g) ?? []
    expect(copies.length).toBeGreaterThan(0)
    expect(copies.length).toBeLessThan(20)
  })

  test('netem with corruption: packets arrive with a wrong bit, and their checksums say so', async ({ lab }) => {
    const ping = async (): Promise<string> =>
      (await lab.exec('c1', ['ping', '-c', '20', '-i', '0.01', '-W', '1', '10.0.0.10'])).stdout
    // both know the other's MAC address: an answer by ARP would be corrupt as well, and nobody would be asked
    expect(await ping()).toContain('20 received')
    const before = await counter(lab, 'c1', 'IcmpInCsumErrors')
    const heal = await lab.inject('netem', 'rs1', { corruptPercent: 100 })
    // a bit of the sender's MAC address harms nobody (sch_netem.c netem_enqueue: anywhere in the frame)
    expect(await ping()).not.toContain('20 received')
    expect(await counter(lab, 'c1', 'IcmpInCsumErrors')).toBeGreaterThan(before)
    await heal()
    expect(await ping()).toContain('20 received')
  })

  test('netem with loss: no packet arrives', async ({ lab }) => {
    const heal = await lab.inject('netem', 'rs1', { lossPercent: 100 })
    expect((await lab.exec('c1', ['ping', '-c1', '-W1', '10.0.0.10'])).code).not.toBe(0)
    await heal()
    expect((await lab.exec('c1', ['ping', '-c1', '-W1', '10.0.0.10'])).code).toBe(0)
  })
})

test('a partition of one node, without more words, parts it from all the others', async ({ lab }) => {
  const heal = await lab.inject('partition', 'rs1')
  const reached = async (from: string, others: string[]): Promise<string[]> => {
    const { stdout } = await run(
      lab,
      from,
      others.map(address => `ping -c1 -W1 ${address} >/dev/null && echo ${address}; true`).join('\n'),
    )
    return stdout.split('\n').filter(Boolean)
  }
  const others = ['10.0.0.20', '10.0.0.50', '10.0.0.200', '10.0.0.201']
  expect(await reached('rs1', others)).toEqual([])
  expect(await reached('rs2', ['10.0.0.10', '10.0.0.50', '10.0.0.200'])).toEqual(['10.0.0.50', '10.0.0.200'])
  await heal()
  expect(await reached('rs1', others)).toEqual(others)
})

test('a partition parts two sides for all that they send, ARP too, and nobody else', async ({ lab }) => {
  const reaches = async (from: string, to: string): Promise<boolean> =>
    (await lab.exec(from, ['ping', '-c1', '-W1', to])).code === 0
  const heal = await lab.inject('partition', 'c1', { with: ['d1'], from: ['rs1', 'rs2'] })
  expect(await reaches('c1', '10.0.0.10')).toBe(false)
  expect(await reaches('rs2', '10.0.0.200')).toBe(false)
  expect((await lab.exec('c1', ['arping', '-c1', '-w1', '-I', 'eth0', '10.0.0.20'])).code).not.toBe(0)
  expect(await reaches('c1', '10.0.0.200')).toBe(true)
  expect(await reaches('d2', '10.0.0.50')).toBe(true)
  expect(await reaches('d2', '10.0.0.10')).toBe(true)
  await heal()
  expect(await reaches('c1', '10.0.0.10')).toBe(true)
  expect(await reaches('rs2', '10.0.0.200')).toBe(true)
})

test('link-down is healed with every route and address that went with the link', async ({ lab }) => {
  const script = `sysctl -qw net.ipv6.conf.eth0.disable_ipv6=0
    ip address add 10.7.0.1/24 dev eth0
    ip address add fd00::10/64 dev eth0 nodad
    ip route add 10.9.0.0/16 via 10.7.0.2
    ip route add default via 10.0.0.99 metric 7`
  expect(await lab.exec('rs1', ['sh', '-ec', script])).toMatchObject({ code: 0 })
  const network = async (): Promise<string> => (await lab.exec('rs1', ['/usr/lib/lvslab/network'])).stdout
  const before = await network()
  expect(before).toContain('route 10.9.0.0/16 via 10.7.0.2 dev eth0')
  const heal = await lab.inject('link-down', 'rs1')
  expect(await network()).not.toContain('10.9.0.0/16')
  await heal()
  expect(await network()).toBe(before)
})

test('a client that was killed comes back with its probe', async ({ lab }) => {
  const running = await lab.http({ probe: 'cut', client: 'c1', url: 'http://10.0.0.100/', rate: 20 })
  await lab.sleep(300)
  const heal = await lab.inject('node-kill', 'c1')
  await running.stop()
  await heal()
  expect(new Set((await ask(lab, 'again')).map(r => r.status))).toEqual(new Set([200]))
  // what was under way when it was cut nobody knows, and nothing else is missing
  const what = 'the probe cut was cut off: its client went down'
  expect(eventsOf(lab.history, 'trouble')).toMatchObject([{ node: 'c1', what }])
})

test('process-crash: all of a program is gone at once, and runs again when it is healed', async ({ lab }) => {
  const running = async () => (await run(lab, 'd1', 'pgrep -c -x nginx || :')).stdout.trim()
  const before = await running()
  const heal = await lab.inject('process-crash', 'd1', { process: 'nginx' })
  expect(await running()).toBe('0')
  await heal()
  expect(await lab.until({ kind: 'listening', node: 'd1', address: '127.0.0.1', port: 80 }, PATIENCE_MS)).toBe(true)
  expect(await running()).toBe(before)
})

test('process-crash: a program without a service of its own is started by its own command line', async ({ lab }) => {
  await run(lab, 'd1', 'cp /usr/bin/sleep /tmp/my-proxy; setsid -f /tmp/my-proxy 1234567 >/dev/null 2>&1 </dev/null')
  const line = async () => (await run(lab, 'd1', 'pgrep -a -x my-proxy || :')).stdout.replace(/^\d+ /, '').trim()
  const heal = await lab.inject('process-crash', 'd1', { process: 'my-proxy' })
  expect(await line()).toBe('')
  await heal()
  expect(await line()).toBe('/tmp/my-proxy 1234567')
  // an interpreter before a script, an environment and a folder are not lost
  await run(
    lab,
    'd1',
    "printf '#!/bin/sh\\nwhile :; do read -r _ </proc/self/stat; /usr/bin/sleep 60; done\\n' >/tmp/my-daemon; chmod 755 /tmp/my-daemon; cd /var; COLOUR='deep blue' setsid -f ../tmp/my-daemon >/dev/null 2>&1 </dev/null",
  )
  const seen = async () =>
    (
      await run(
        lab,
        'd1',
        'pid=$(pgrep -x my-daemon); tr "\\0" "\\n" </proc/$pid/environ | grep COLOUR; readlink /proc/$pid/cwd',
      )
    ).stdout
  const before = await seen()
  expect(before).toBe('COLOUR=deep blue\n/var\n')
  await (await lab.inject('process-crash', 'd1', { process: 'my-daemon' }))()
  expect(await seen()).toBe(before)
  await expect(lab.inject('process-crash', 'd1', { process: 'haproxy' })).rejects.toThrow(
    'no process haproxy is running',
  )
})

test('listener-crash: each program that has one of the ports is gone at once, and runs again, once', async ({
  lab,
}) => {
  const program = String.raw`#!/usr/bin/perl
use IO::Socket::IP;
my @sockets = map { IO::Socket::IP->new(Proto => 'udp', LocalHost => '0.0.0.0', LocalPort => $_) or die $@ } 53, 54;
exit 0 if fork;
sleep 60 while 1;
`
  await run(
    lab,
    'rs1',
    `printf %s '${program.replaceAll("'", String.raw`'\''`)}' >/tmp/two-ports; chmod 755 /tmp/two-ports`,
  )
  await run(lab, 'rs1', '/tmp/two-ports >/dev/null 2>&1 </dev/null; /usr/lib/lvslab/echo 514 udp')
  const state = async () => {
    const { stdout } = await run(
      lab,
      'rs1',
      "pgrep -c -x two-ports || :; pgrep -c -x echo || :; ss -Hlun 'sport = :53 or sport = :54 or sport = :514' | sed -E 's/.*:([0-9]+) .*:.*/\\1/' | sort -u",
    )
    return stdout.trim().split('\n')
  }
  const ports = [53, 54, 514]
  expect(await state()).toEqual(['1', '1', '514', '53', '54'])
  const heal = await lab.inject('listener-crash', 'rs1', { protocol: 'udp', ports })
  expect(await state()).toEqual(['0', '0'])
  await heal()
  expect(await state()).toEqual(['1', '1', '514', '53', '54'])
  await expect(lab.inject('listener-crash', 'rs1', { protocol: 'udp', ports: [55] })).rejects.toThrow(
    'no process listens on udp port 55: have etc/rc.local start it',
  )
})

test('script-failure: the script says no, and is the same as before when it is healed', async ({ lab }) => {
  const script = '/etc/keepalived/check it.sh'
  await run(lab, 'd1', `printf '#!/bin/sh\necho "asked $1"\n' >'${script}'; chmod 755 '${script}'`)
  const ask = async () => {
    const { code, stdout } = await lab.exec('d1', [script, 'once'])
    return [code, stdout.trim()]
  }
  expect(await ask()).toEqual([0, 'asked once'])
  const heal = await lab.inject('script-failure', 'd1', { script })
  expect(await ask()).toEqual([1, ''])
  await heal()
  expect(await ask()).toEqual([0, 'asked once'])
  expect((await run(lab, 'd1', 'ls /etc/keepalived')).stdout).not.toContain('script-failure')
})

describe('config-change', () => {
  const file = '/etc/keepalived/conf.d/vip_nginx.conf'

  test('to a lower priority moves the VIP, and back', async ({ lab, plan }) => {
    const { master, backup } = members(plan)
    const heal = await lab.inject('config-change', 'd1', { file, replace: ['priority 100', 'priority 70'] })
    const bound = crashBound(master, backup)
    const moved = await lab.until(
      { kind: 'owner', address: VIP, node: 'd2', others: ['d1'] },
      bound.maxMs + PATIENCE_MS,
    )
    expect(moved).toBe(true)
    const injected = faultOf(lab.history, 'inject', 'config-change', 'd1')
    expectWithin(lab, 'takeover', injected, aloneAfter(lab, 'd2', injected.t), bound)
    await heal()
    await lab.until({ kind: 'owner', address: VIP, node: 'd1', others: ['d2'] }, 8_000)
    const healed = faultOf(lab.history, 'heal', 'config-change', 'd1')
    expectWithin(lab, 'back', healed, aloneAfter(lab, 'd1', healed.t), startBound(master))
  })

  test('that keepalived refuses is refused with its words, and nothing is changed', async ({ lab }) => {
    const read = async (): Promise<string> => (await lab.exec('d1', ['cat', file])).stdout
    const before = await read()
    const broken = lab.inject('config-change', 'd1', { file, content: 'vrrp_instance VI_1 {\n  colour blue\n}\n' })
    await expect(broken).rejects.toMatchObject({ code: 'FAULT_REFUSED', message: expect.stringContaining('colour') })
    const absent = lab.inject('config-change', 'd1', { file, replace: ['priority 101', 'priority 70'] })
    await expect(absent).rejects.toThrow(/does not have what is to be replaced: priority 101/)
    expect(await read()).toBe(before)
    expect(eventsOf(lab.history, 'fault')).toEqual([])
    expect(lab.faults.open()).toEqual([])
  })
})

describe('ipvsadm', () => {
  const saved = async (lab: Lab): Promise<string> => (await lab.exec('d1', ['ipvsadm-save', '-n'])).stdout

  test('edits the table by hand, and the heal restores the difference', async ({ lab }) => {
    const before = await saved(lab)
    const remove = await lab.inject('ipvsadm', 'd1', { args: ['-d', '-t', '10.0.0.100:80', '-r', '10.0.0.10'] })
    const change = await lab.inject('ipvsadm', 'd1', { args: ['-E', '-t', '10.0.0.100:80', '-s', 'wrr'] })
    const add = await lab.inject('ipvsadm', 'd1', { args: ['-A', '-u', '10.0.0.7:53', '-s', 'rr'] })
    // the kernel lists services by a hash that is another one in each namespace
    const services = tablesOf(lab.history, 'd1').at(-1)?.services ?? []
    const table = services.map(one => [one.service, [one.scheduler, one.destinations.length]])
    expect(Object.fromEntries(table)).toEqual({ 'TCP 10.0.0.100:80': ['wrr', 1], 'UDP 10.0.0.7:53': ['rr', 0] })
    // it would bring back what the other two have changed since
    await expect(remove()).rejects.toMatchObject({
      code: 'FAULT_NOT_HEALED',
      message: 'ipvsadm-1 on d1 is not healed: ipvsadm-2 changed the table after it',
    })
    await add()
    await change()
    await remove()
    expect((await saved(lab)).split('\n').sort()).toEqual(before.split('\n').sort())
  })

  test('that the kernel refuses throws with its words, and leaves nothing injected', async ({ lab }) => {
    const edit = lab.inject('ipvsadm', 'd1', { args: ['-d', '-t', '10.0.0.100:80', '-r', '10.0.0.99'] })
    await expect(edit).rejects.toMatchObject({
      code: 'FAULT_FAILED',
      message: expect.stringContaining('No such destination'),
    })
    expect(lab.faults.open()).toEqual([])
  })
})

describe('a large IPVS table', () => {
  const [addresses, ports] = [Array.from({ length: 60 }, (_, n) => `10.9.0.${n + 1}`), [53, 80, 443, 8080]]
  const services = addresses.flatMap(address => ports.map(port => `${address}:${port}`))
  const edits = services.flatMap(service => [
    `-A -t ${service} -s rr`,
    ...[1, 2].map(n => `-a -t ${service} -r 10.0.1.${n}:${service.split(':')[1]} -g -w 1`),
  ])

  // /proc/net/ip_vs leaves services out where several network namespaces have more of them than fit into a page
  test('is recorded whole, also while the other director has one', async ({ lab }) => {
    for (const node of DIRECTORS) {
      const { code, stderr } = await lab.exec(node, ['sh', '-c', `ipvsadm -R <<'END'\n${edits.join('\n')}\nEND`])
      expect({ node, code, stderr }).toEqual({ node, code: 0, stderr: '' })
    }
    const before = await lab.snapshot()
    for (const node of DIRECTORS) {
      const table = tablesOf(lab.history, node).findLast(({ t }) => t <= before)
      const found = table?.services.map(one => `${one.service} ${one.scheduler} ${one.destinations.length}`) ?? []
      const wanted = [SERVICE, ...services.map(service => `TCP ${service}`)].map(service => `${service} rr 2`)
      expect(found.sort()).toEqual(wanted.sort())
      expect(table?.services.flatMap(one => one.destinations).every(({ counters }) => counters)).toBe(true)
    }
    const destinations = ['10.0.1.1:443', '10.0.1.2:443']
    const pool = { kind: 'pool', node: 'd2', service: 'TCP 10.9.0.60:443' } as const
    expect(await lab.until({ ...pool, destinations }, 5_000)).toBe(true)

    const heal = await lab.inject('ipvsadm', 'd2', { args: ['-d', '-t', '10.9.0.60:443', '-r', '10.0.1.1:443'] })
    const { done } = faultOf(lab.history, 'inject', 'ipvsadm', 'd2')
    const after = tablesOf(lab.history, 'd2').find(({ t }) => t >= done)
    const edited = after?.services.find(one => one.service === pool.service)
    expect(edited?.destinations.map(({ address }) => address)).toEqual(['10.0.1.2'])
    // the reading that showed the pool whole was begun before the edit, this one has taken its time since
    expect(after?.since).toBeLessThan(done)
    await heal()
    expect(await lab.until({ ...pool, destinations }, 5_000)).toBe(true)
  })
})

describe('a fault that does not fit the lab as it is', () => {
  for (const fault of ['keepalived-freeze', 'node-pause'] as const) {
    test(`${fault} is refused where it is in force`, async ({ lab }) => {
      const heal = await lab.inject(fault, 'd2')
      await expect(lab.inject(fault, 'd2')).rejects.toMatchObject({ code: 'FAULT_REFUSED' })
      await heal()
      expect(eventsOf(lab.history, 'fault').map(({ phase, injection }) => [phase, injection])).toEqual([
        ['inject', `${fault}-1`],
        ['heal', `${fault}-1`],
      ])
    })
  }

  test('is refused with the reason, untouched', async ({ lab }) => {
    expect((await lab.exec('rs1', ['tc', 'qdisc', 'add', 'dev', 'eth0', 'root', 'pfifo'])).code).toBe(0)
    await expect(lab.inject('netem', 'rs1', { delayMs: 5 })).rejects.toMatchObject({
      code: 'FAULT_REFUSED',
      message: expect.stringContaining('eth0 has a root qdisc already: qdisc pfifo'),
    })
    expect(eventsOf(lab.history, 'fault')).toEqual([])
  })

  test('and cannot be healed says what is still broken', async ({ lab }) => {
    const heal = await lab.inject('netem', 'rs1', { delayMs: 5 })
    expect(
      (
        await lab.exec('rs1', [
          'tc',
          'qdisc',
          'replace',
          'dev',
          'eth0',
          'root',
          'handle',
          '1:',
          'netem',
          'delay',
          '9ms',
        ])
      ).code,
    ).toBe(0)
    await expect(heal()).rejects.toMatchObject({
      code: 'FAULT_NOT_HEALED',
      message: expect.stringMatching(/netem on rs1 is not healed: .*a qdisc of the fault is left/s),
    })
    expect(lab.faults.open()).toEqual(['netem on rs1'])
    expect((await lab.exec('rs1', ['tc', 'qdisc', 'del', 'dev', 'eth0', 'root'])).code).toBe(0)
    await heal()
    expect(lab.faults.open()).toEqual([])
  })
})

test('what is left injected is healed in the reverse order', async ({ lab }) => {
  await lab.inject('keepalived-crash', 'd2')
  await lab.inject('link-down', 'd2')
  await lab.inject('httpd-hang', 'rs1')
  expect(lab.faults.open()).toEqual(['keepalived-crash on d2', 'link-down on d2', 'httpd-hang on rs1'])
  await lab.faults.healAll()
  expect(lab.faults.open()).toEqual([])
  const heals = eventsOf(lab.history, 'fault').filter(event => event.phase === 'heal')
  expect(heals.map(event => event.fault)).toEqual(['httpd-hang', 'link-down', 'keepalived-crash'])
})

test('what happens in a node can be awaited: processes, lines of a log, transitions', async ({ lab }) => {
  const here = (present: boolean) => lab.until({ kind: 'process', node: 'd2', name: 'keepalived', present }, 3_000)
  expect(await here(true)).toBe(true)
  const heal = await lab.inject('keepalived-stop', 'd2')
  expect(await here(false)).toBe(true)
  const file = '/var/log/keepalived.log'
  const seen = [
    lab.until({ kind: 'line', node: 'd2', file, match: 'Starting VRRP child process, pid=\\d+' }, 5_000),
    lab.until({ kind: 'transition', node: 'd2', instance: 'VI_1', state: 'BACKUP' }, 5_000),
    lab.until({ kind: 'transition', node: 'd2', instance: 'VI_1', state: 'FAULT' }, 500),
  ]
  await heal()
  expect(await Promise.all(seen)).toEqual([true, true, false])
})

test('a pool that was awaited is in the history, though no log announced it', async ({ lab }) => {
  const edit = `ipvsadm -e -t ${SERVICE.replace('TCP ', '')} -r 10.0.0.10:80 -g -w 0`
  const argv = ['sh', '-c', `(sleep 0.3; ${edit}) >/dev/null 2>&1 &`]
  expect((await lab.exec('d2', argv)).code).toBe(0)
  const since = await lab.now()
  const destinations = ['10.0.0.20:80']
  expect(await lab.until({ kind: 'pool', node: 'd2', service: SERVICE, destinations }, 3_000)).toBe(true)
  const table = tablesOf(lab.history, 'd2').find(({ t }) => t >= since)
  expect(table && activeDestinations(table, SERVICE)?.map(one => one.address)).toEqual(['10.0.0.20'])
})
