import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect } from 'vitest'
import type { IpvsEvent, RequestEvent } from '../src/history/event.ts'
import { activeDestinations, eventsOf, requestsOf, tablesOf } from '../src/history/queries.ts'
import type { Lab } from '../src/lab/lab.ts'
import { serverDownBound, sorryBound } from '../src/model/health-check.ts'
import type { Bound, VirtualService } from '../src/model/types.ts'
import { stopBound } from '../src/model/vrrp.ts'
import { labTest } from '../src/suite/lab-test.ts'
import { loadTopology } from '../src/topology/load.ts'
import { type Plan, planTopology } from '../src/verify/plan.ts'
import { planScenarios } from '../src/verify/scenarios.ts'
import { directorOf, restartWith, run, testConfiguration, within, write } from './steps.ts'

const dir = 'topologies/keepalived-fwmark'
const test = labTest(dir)
const plan = planTopology(loadTopology(dir))

const VIP = '10.0.0.100'
const TABLE = 'FWM 50'
const FILE = 'd1/etc/keepalived/conf.d/lvs_nginx.conf'
const PATIENCE_MS = 2_000
const RS1 = '10.0.0.10:0'
const RS2 = '10.0.0.20:0'

const serviceOf = (of: Plan): VirtualService => {
  const [service] = directorOf(of, 'd1').services
  if (!service) throw new Error('no service')
  return service
}
/** How long a request may take that nobody answers, ms. */
const TIMEOUT_MS = 500
const sorry = sorryBound(serviceOf(plan), 'refused', TIMEOUT_MS) as Bound

const untilPool = (lab: Lab, destinations: string[], bound: Bound): Promise<boolean> =>
  lab.until({ kind: 'pool', node: 'd1', service: TABLE, destinations }, bound.maxMs + PATIENCE_MS)
const activeOf = (table: IpvsEvent): string[] | undefined =>
  activeDestinations(table, TABLE)
    ?.map(d => `${d.address}:${d.port}`)
    .toSorted()
const whenPool = (lab: Lab, destinations: string[], after: number): number | undefined =>
  tablesOf(lab.history, 'd1').find(table => table.t >= after && activeOf(table)?.join() === destinations.join())?.t

/** What ten requests to a port of the VIP came to: who answered, or how it ended. */
const ask = async (lab: Lab, scheme: 'http' | 'https'): Promise<Record<string, number>> => {
  const probe = `${scheme}-${await lab.now()}`
  const options = { probe, client: 'c1', url: `${scheme}://${VIP}/`, rate: 10, count: 10, timeoutMs: TIMEOUT_MS }
  await (await lab.http(options)).ended()
  const ends: Record<string, number> = {}
  requestsOf(lab.history, probe).forEach(({ outcome, server = outcome }: RequestEvent) => {
    ends[server] = (ends[server] ?? 0) + 1
  })
  return ends
}

/** Connections that a real server got through the mark, since the service was made. */
const counted = async (lab: Lab): Promise<Record<string, number>> => {
  await lab.sleep(2_500) // the kernel adds its counters up every 2 s
  await lab.snapshot()
  const service = tablesOf(lab.history, 'd1')
    .at(-1)
    ?.services.find(one => one.service === TABLE)
  return Object.fromEntries((service?.destinations ?? []).map(d => [d.address, d.counters?.connections ?? 0]))
}

/** Both web servers gone: from here on the sorry server is asked. */
const loseAll = async (lab: Lab, sorryServer: string): Promise<() => Promise<void>> => {
  const heals = await Promise.all(['rs1', 'rs2'].map(node => lab.inject('httpd-crash', node)))
  expect(await untilPool(lab, [sorryServer], sorry), `${sorryServer} alone within ${sorry.formula}`).toBe(true)
  return async () => void (await Promise.all(heals.map(heal => heal())))
}

/** Port 443 is closed, port 80 goes on. */
const CLOSE_443 =
  'rm /etc/apache2/mods-enabled/ssl.load /etc/apache2/sites-enabled/tls.conf; . /etc/apache2/envvars; apache2 -k graceful'

/** Scenarios that this system makes no difference to: suites/keepalived-dr.test.ts drives them. */
const ELSEWHERE = /^(reload|backup|failover-link)-/

describe('one service for what the packet filter marks', () => {
  for (const scenario of planScenarios(plan).filter(({ name }) => !ELSEWHERE.test(name))) {
    test(scenario.name, async ({ lab, judge }) => {
      await scenario.drive(lab)
      for (const check of scenario.checks) judge(check)
    })
  }

  test('http and https take turns in one round', async ({ lab }) => {
    const asked = await run(
      lab,
      'c1',
      `for n in 1 2 3 4 5; do for s in http https; do echo "$s $(curl -ksS -m1 $s://${VIP}/)"; done; done`,
    )
    // each takes the turn after the other one: with two services each would go through both servers by itself
    const pairs = new Set(asked.stdout.trim().split('\n'))
    expect(pairs.size).toBe(2)
    expect(new Set([...pairs].map(line => line.split(' ')[1]))).toEqual(new Set(['rs1', 'rs2']))
    expect(await counted(lab)).toEqual({ '10.0.0.10': 5, '10.0.0.20': 5 })
  })

  test('https alone is shared out evenly, and moves with the VIP', async ({ lab, vip }) => {
    const clients = await lab.http({ probe: 'clients', client: 'c1', url: `https://${VIP}/`, rate: 5 })
    await lab.sleep(2_000)
    const restart = await lab.inject('keepalived-stop', 'd1')
    await lab.until({ kind: 'owner', address: VIP, node: 'd2', others: ['d1'] }, 5_000)
    const moved = await lab.mark('d2 holds the VIP')
    await lab.sleep(2_000)
    await clients.stop()
    await restart()
    const watch = { probe: 'clients', stepMs: 200 }
    const bound = stopBound(vip.master, vip.backup)
    expect(lab.history).toFailOverWithin(bound, { vip, from: 'd1', to: 'd2', fault: 'keepalived-stop', watch })
    expect(lab.history).toShareExactly({ rs1: 1, rs2: 1 }, { probe: 'clients', window: { from: moved } })
  })

  test('without the mark d1 answers by itself: its sorry page, and nothing on 443', async ({ lab }) => {
    expect(await ask(lab, 'http')).toEqual({ rs1: 5, rs2: 5 })
    const before = await counted(lab)
    const flushed = await run(lab, 'd1', 'iptables -t mangle -F PREROUTING')
    expect(await ask(lab, 'http')).toEqual({ d1: 10 })
    expect(await ask(lab, 'https')).toEqual({ refused: 10 })
    expect(await counted(lab)).toEqual(before)
    // the table that the counters were just read from
    const last = tablesOf(lab.history, 'd1').at(-1)
    expect(last?.t).toBeGreaterThan(flushed.ended)
    expect(last && activeOf(last), 'both real servers are in the pool').toEqual([RS1, RS2])
    await run(lab, 'd1', 'iptables-restore </etc/iptables/rules.v4')
    expect(await ask(lab, 'https')).toEqual({ rs1: 5, rs2: 5 })
  })
})

describe('the port of a real server', () => {
  const portless = (text: string): string => text.replaceAll(/ +connect_port 80\n/g, '')

  test('as typed is cleared, and serves the health check alone', async ({ lab }) => {
    const typed = await restartWith(lab, dir, FILE, text =>
      portless(text)
        .replaceAll(' retry 3', ' nb_get_retry 3')
        .replaceAll(/(real_server \S+|sorry_server \S+)/g, '$1 80')
        .replace('lb_kind DR', 'lb_kind DR\n    protocol TCP'),
    )
    const lines = eventsOf(lab.history, 'keepalived')
      .filter(({ node }) => node === 'd1')
      .map(({ line }) => line)
    for (const server of ['10.0.0.10', '10.0.0.20'])
      expect(lines).toContain(
        `WARNING - fwmark virtual server FWM 50, real server [${server}]:none:80 has port specified - clearing`,
      )
    expect(lines).toContain('Warning: Virtual server FWM 50: protocol specified for fwmark - protocol will be ignored')
    expect(lab.history).not.toPass('configuration', await testConfiguration(lab, 'd1'))
    expect(serviceOf(typed)).toMatchObject({ realServers: [{ port: 0 }, { port: 0 }] })
    // d1 goes on looking at port 80, and finds it well
    const looks = async (): Promise<number> =>
      Number((await run(lab, 'rs1', 'grep -c ^10.0.0.200 /var/log/apache2/access.log')).stdout)
    const before = await looks()
    await lab.sleep(sorry.maxMs + PATIENCE_MS)
    expect(await looks()).toBeGreaterThan(before)
    expect(Object.keys(await counted(lab)).sort()).toEqual(['10.0.0.10', '10.0.0.20'])
  })

  test('left out leaves the health check without one: no server passes, and all clients get the sorry page', async ({
    lab,
  }) => {
    const started = await lab.now()
    const changed = await restartWith(lab, dir, FILE, portless)
    const ended = await lab.now()
    await untilPool(lab, ['127.0.0.1:0'], sorry)
    within(lab, 'the pool is empty', { started, ended }, whenPool(lab, ['127.0.0.1:0'], started), sorry)
    await lab.until({ kind: 'owner', address: VIP, node: 'd1', others: ['d2'] }, 10_000)
    expect(await ask(lab, 'http')).toEqual({ d1: 10 })
    expect(changed.untested.map(({ why }) => why)).toContain(
      'HTTP_GET of real_server 10.0.0.10 has no port, and fails; say connect_port',
    )

    // keepalived 2.3.3: the servers with a new check are in at once, and the sorry server stays beside them
    await write(lab, 'd1', FILE.slice('d1'.length), readFileSync(path.join(dir, FILE), 'utf8'))
    const reload = await lab.inject('keepalived-reload', 'd1')
    expect(await untilPool(lab, [RS1, RS2, '127.0.0.1:0'], sorry)).toBe(true)
    await lab.sleep(sorry.maxMs)
    expect(Object.keys(await ask(lab, 'http')).sort()).toEqual(['d1', 'rs1', 'rs2'])
    await reload()
    await restartWith(lab, dir, FILE, text => text.replace('! One', '! The one'))
    expect(await untilPool(lab, [RS1, RS2], sorry)).toBe(true)
    await lab.until({ kind: 'owner', address: VIP, node: 'd1', others: ['d2'] }, 10_000)
    expect(await ask(lab, 'http')).toEqual({ rs1: 5, rs2: 5 })
  })
})

describe('port 443 of a real server is dead, and only port 80 is checked', () => {
  test('the pool is alive, and half of https is refused', async ({ lab }) => {
    await run(lab, 'rs1', CLOSE_443)
    await lab.sleep(sorry.maxMs + PATIENCE_MS)
    expect(await ask(lab, 'https')).toEqual({ rs2: 5, refused: 5 })
    expect(await ask(lab, 'http')).toEqual({ rs1: 5, rs2: 5 })
    expect(Object.keys(await counted(lab)).sort()).toEqual(['10.0.0.10', '10.0.0.20'])
  })

  test('with a check of each port the server leaves, for both', async ({ lab }) => {
    const check = 'TCP_CHECK {\n connect_port 443\n connect_timeout 1\n retry 3\n delay_before_retry 1\n }'
    const changed = await restartWith(lab, dir, FILE, text => text.replaceAll('HTTP_GET {', `${check}\nHTTP_GET {`))
    await lab.until({ kind: 'owner', address: VIP, node: 'd1', others: ['d2'] }, 10_000)
    const [server] = serviceOf(changed).realServers
    const bound = server && serverDownBound({ ...server, checks: server.checks.slice(0, 1) }, 'refused')
    if (!bound) throw new Error('no bound')
    await lab.sleep(bound.maxMs)
    const closed = await run(lab, 'rs1', CLOSE_443)
    await untilPool(lab, [RS2], bound)
    within(lab, 'rs1 leaves', closed, whenPool(lab, [RS2], closed.started), bound)
    expect(await ask(lab, 'https')).toEqual({ rs2: 10 })
    expect(await ask(lab, 'http')).toEqual({ rs2: 10 })
  })
})

describe('the sorry server', () => {
  test('of plain http refuses https, until it speaks that too', async ({ lab }) => {
    const heal = await loseAll(lab, '127.0.0.1:0')
    expect(await ask(lab, 'http')).toEqual({ d1: 10 })
    expect(await ask(lab, 'https')).toEqual({ refused: 10 })
    await write(lab, 'd1', '/etc/nginx/vip.pem', readFileSync(path.join(dir, 'rs1/etc/apache2/vip.pem'), 'utf8'))
    await write(
      lab,
      'd1',
      '/etc/nginx/conf.d/tls.conf',
      'server { listen 443 ssl; ssl_certificate vip.pem; ssl_certificate_key vip.pem; root /var/www/html; }',
    )
    await run(lab, 'd1', 'nginx -s reload')
    await lab.until({ kind: 'listening', node: 'c1', address: '10.0.0.200', port: 443 }, PATIENCE_MS)
    expect(await ask(lab, 'https')).toEqual({ d1: 10 })
    await heal()
  })

  test('on another host needs the VIP there, as DR leaves it in the packet', async ({ lab }) => {
    await restartWith(lab, dir, FILE, text => text.replace('sorry_server 127.0.0.1', 'sorry_server 10.0.0.30'))
    await lab.until({ kind: 'owner', address: VIP, node: 'd1', others: ['d2'] }, 10_000)
    const heal = await loseAll(lab, '10.0.0.30:0')
    const stop = await lab.capture({ capture: 's1', node: 's1', device: 'eth0', filter: `tcp and host ${VIP}` })
    const discarded = async (): Promise<number> =>
      Number((await run(lab, 's1', "awk '/^Ip:/ && $2 ~ /[0-9]/ { print $6 }' /proc/net/snmp")).stdout)
    const before = await discarded()
    expect(await ask(lab, 'http')).toEqual({ timeout: 10 })
    // each SYN comes to s1, to an address that it has not: it drops them (InAddrErrors) and nobody answers
    const seen = eventsOf(lab.history, 'packet').map(
      ({ source, destination, flags }) => `${source} ${destination} ${flags}`,
    )
    expect(new Set(seen)).toEqual(new Set([`10.0.0.50 ${VIP} S`]))
    expect((await discarded()) - before).toBe(seen.length)

    const quiet = 'sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2'
    await run(lab, 's1', `${quiet}; ip address add ${VIP}/32 dev lo`)
    expect(await ask(lab, 'http')).toEqual({ s1: 10 })
    await stop()
    const answers = eventsOf(lab.history, 'packet').filter(({ source, flags }) => source === VIP && flags === 'S.')
    expect(answers).toHaveLength(10)
    await heal()
  })
})

describe('the script that begins and ends a real server', () => {
  const SCRIPT = '/usr/local/sbin/dr_vip_conf.sh'

  /** Who answers ARP for the VIP, by MAC address. */
  const claims = async (lab: Lab): Promise<Set<string>> => {
    const { stdout } = await lab.exec('c1', ['arping', '-b', '-c3', '-I', 'eth0', VIP])
    return new Set(stdout.match(/[\da-f]{2}(:[\da-f]{2}){5}/gi))
  }

  test('takes the VIP and its silence away, and brings both back', async ({ lab }) => {
    expect((await claims(lab)).size).toBe(1)
    await run(lab, 'rs1', `${SCRIPT} stop`)
    expect((await run(lab, 'rs1', 'ip -o address show dev lo')).stdout).not.toContain(VIP)
    expect((await claims(lab)).size).toBe(1)
    expect(await ask(lab, 'http')).toEqual({ rs2: 5, timeout: 5 })
    await run(lab, 'rs1', `${SCRIPT} start`)
    expect(await ask(lab, 'http')).toEqual({ rs1: 5, rs2: 5 })
    expect((await claims(lab)).size).toBe(1)
  })

  test('with the VIP of its first line mistyped, its stop leaves the VIP and gives up the silence', async ({ lab }) => {
    await run(lab, 'rs1', `sed -i 's/^vip=.*/vip=10.0.0.10/' ${SCRIPT}`)
    const stopped = await lab.exec('rs1', [SCRIPT, 'stop'], { record: true })
    // its last command is fine, so it is
    expect(stopped).toMatchObject({ code: 0, stderr: expect.stringContaining('Address not found') })
    expect((await run(lab, 'rs1', 'ip -o address show dev lo')).stdout).toContain(VIP)
    // from now on two claim the VIP, and whom a client believes gets all of its connections
    expect((await claims(lab)).size).toBe(2)
  })
})
