import { describe, expect } from 'vitest'
import { tablesOf } from '../src/history/queries.ts'
import type { Lab } from '../src/lab/lab.ts'
import { createScheduler } from '../src/model/schedulers/scheduler.ts'
import { labTest } from '../src/suite/lab-test.ts'
import { loadTopology } from '../src/topology/load.ts'
import { planTopology } from '../src/verify/plan.ts'
import { planScenarios } from '../src/verify/scenarios.ts'
import { macOf, requests, run, values } from './steps.ts'
import { captured, outcomesOnce } from './traffic.ts'

const dir = 'topologies/keepalived-two-pools'
const test = labTest(dir)

const POOLS = [
  { vip: '10.0.1.100', servers: ['rs1', 'rs2'], mapped: ['198.51.100.3', '203.0.113.200'] },
  { vip: '10.0.1.200', servers: ['rs3', 'rs4'], mapped: ['198.51.100.4', '203.0.113.201'] },
]
const VIP = '10.0.1.100'

/** One request of each of these clients inside. */
const askInside = async (lab: Lab, probe: string, sources: string[]): Promise<string[]> => {
  const options = { client: 'c1', url: `http://${VIP}/`, rate: 20, sources, count: sources.length }
  await (await lab.http({ probe, ...options })).ended()
  return outcomesOnce(lab, probe)
}

/** Requests of c2 for each of these public addresses; what becomes of them. */
const askOutside = (lab: Lab, probe: string, addresses: string[]): Promise<string[]> =>
  Promise.all(
    addresses.map(async address => {
      const options = { client: 'c2', url: `http://${address}/`, pauseMs: 0, count: 2 }
      await (await lab.curl({ probe: `${probe} ${address}`, ...options })).ended()
      return outcomesOnce(lab, `${probe} ${address}`).join()
    }),
  )

/** Connections that the director gave to each real server of the first pool, and packets that came back through it. */
const counters = async (lab: Lab) => {
  await lab.sleep(2_500) // the kernel adds its counters up every 2 s
  await lab.snapshot()
  const table = tablesOf(lab.history, 'd1')
    .at(-1)
    ?.services.find(one => one.service === `TCP ${VIP}:80`)
  return table?.destinations.map(one => [one.counters?.connections, one.counters?.packetsOut])
}

/** Of the second VIP and its pool, as the first is what the other suites break. */
const PLANNED = [
  'configuration',
  'persistence-10.0.1.200:80/TCP',
  'release-10.0.1.200:80/TCP',
  'failover-crash-10.0.1.200',
  'server-10.0.1.200:80/TCP-rs4:80',
]

describe('what its configuration promises', () => {
  const scenarios = planScenarios(planTopology(loadTopology(dir)))
  for (const name of PLANNED)
    test(name, { meta: name.startsWith('release') ? { labTime: 300 } : {} }, async ({ lab, judge }) => {
      const scenario = scenarios.find(one => one.name === name)
      if (!scenario) throw new Error(`the plan has no ${name}`)
      await scenario.drive(lab)
      for (const check of scenario.checks) judge(check)
    })

  test('clients of a service that the kernel does not know as persistent wander', async ({ lab, judge }) => {
    const scenario = scenarios.find(({ name }) => name === 'persistence-10.0.1.200:80/TCP')
    if (!scenario) throw new Error('the plan has no persistence')
    await run(lab, 'd1', 'ipvsadm -E -t 10.0.1.200:80 -s rr')
    await scenario.drive(lab)
    // where weights are equal, rr sends the clients that are new where wlc does
    for (const check of scenario.checks.filter(({ rule }) => rule === 'stickiness'))
      judge({ ...check, expected: 'FAIL' })
  })

  test('each client stays with its server, and wlc shares new clients out', async ({ lab }) => {
    const sources = await lab.addSources('c1', { count: 8 })
    expect((await run(lab, 'd1', 'ipvsadm -Ln')).stdout).toContain(`TCP  ${VIP}:80 wlc persistent 50\n`)
    // with equal weights rr would do the same
    await run(lab, 'd1', `ipvsadm -e -t ${VIP}:80 -r 10.0.1.104 -g -w 3`)
    const clients = await lab.http({
      probe: 'clients',
      client: 'c1',
      url: `http://${VIP}/`,
      rate: 20,
      sources,
      count: 40,
    })
    await clients.ended()
    expect(lab.history).toPass('stickiness', { probe: 'clients', timeoutMs: 50_000 })

    // only a client's first connection asks the scheduler; each is over before the next
    const wlc = createScheduler(
      'wlc',
      [103, 104].map((last, n) => ({ address: `10.0.1.${last}`, port: 80, weight: n === 0 ? 1 : 3 })),
    )
    const promised = { rs1: 0, rs2: 0 }
    for (const source of sources) {
      const server = wlc.connect({ source, sourcePort: 1024, destination: VIP })
      if (server === undefined) throw new Error('wlc has nobody')
      wlc.close(server)
      promised[server === 0 ? 'rs1' : 'rs2']++
    }
    expect(promised).not.toEqual({ rs1: 4, rs2: 4 })
    const first = requests(lab, 'clients').slice(0, sources.length)
    const got = Object.entries(Object.groupBy(first, ({ server = '?' }) => server))
    expect(Object.fromEntries(got.map(([server, its]) => [server, its?.length]))).toEqual(promised)
  })
})

describe('clients outside', () => {
  test('are answered by the address that they asked, from the real servers past the director', async ({ lab }) => {
    const sources = await lab.addSources('c2', { count: 4 })
    const outside = 'net 192.0.2.0/24 and tcp'
    const macs = await Promise.all(['rs1', 'rs2', 'rs3', 'rs4'].map(node => macOf(lab, node)))
    const fromServers = macs.map(mac => `ether src ${mac}`).join(' or ')
    const captures = await Promise.all(
      [
        { capture: 'client', node: 'c2', device: 'eth0', filter: 'src port 80' },
        { capture: 'rs1', node: 'rs1', device: 'eth0', filter: outside },
        { capture: 'director', node: 'd1', device: 'eth0', filter: outside },
        { capture: 'from servers', node: 'fw', device: 'eth0', filter: `src port 80 and (${fromServers})` },
        { capture: 'from others', node: 'fw', device: 'eth0', filter: `src port 80 and not (${fromServers})` },
        { capture: 'netcom', node: 'isp', device: 'eth1', filter: 'src port 80' },
        { capture: 'telecom', node: 'isp', device: 'eth2', filter: 'src port 80' },
      ].map(options => lab.capture(options)),
    )
    for (const asked of POOLS.flatMap(pool => pool.mapped)) {
      const url = `http://${asked}/`
      const probe = await lab.http({ probe: asked, client: 'c2', url, rate: 20, sources, count: 8 })
      await probe.ended()
    }
    await Promise.all(captures.map(stop => stop()))

    for (const { servers, mapped } of POOLS) {
      for (const asked of mapped) expect(outcomesOnce(lab, asked), asked).toEqual(servers)
      // the template is of the client and the VIP, by whichever provider it comes
      const serversOf = (asked: string) => requests(lab, asked).map(({ source, server }) => `${source} ${server}`)
      expect(values(serversOf(mapped[0] ?? ''))).toEqual(values(serversOf(mapped[1] ?? '')))
    }

    const asked = new Map(requests(lab).map(one => [`${one.source}:${one.sourcePort}`, one.target.replace(/:.*/, '')]))
    const answers = captured(lab, 'client')
    expect(answers.length).toBeGreaterThan(requests(lab).length)
    for (const { source, destination, destinationPort } of answers)
      expect(source).toBe(asked.get(`${destination}:${destinationPort}`))

    // the real server sees the client, which talks to the VIP, and answers as the VIP
    const [toServer, fromServer] = [80, undefined].map(port =>
      captured(lab, 'rs1').filter(one => (one.destinationPort === 80) === (port === 80)),
    )
    expect(values(toServer?.map(one => one.destination) ?? [])).toEqual([VIP])
    expect(sources).toEqual(expect.arrayContaining(values(toServer?.map(one => one.source) ?? [])))
    expect(values(fromServer?.map(one => one.source) ?? [])).toEqual([VIP])

    expect(values(captured(lab, 'director').map(one => `${one.destination}:${one.destinationPort}`))).toEqual(
      POOLS.map(({ vip }) => `${vip}:80`),
    )
    expect(captured(lab, 'from servers').length).toBe(answers.length)
    expect(captured(lab, 'from others')).toEqual([])

    const provider = (capture: string) => values(captured(lab, capture).map(one => one.source))
    expect(provider('netcom')).toEqual(POOLS.map(({ mapped }) => mapped[0]))
    expect(provider('telecom')).toEqual(POOLS.map(({ mapped }) => mapped[1]))
  })

  test('get no answer where the firewall maps nothing, or sends replies to the other provider', async ({ lab }) => {
    const addresses = POOLS[0]?.mapped ?? []
    const served = expect.stringMatching(/^rs[12]$/)
    const rule = 'PREROUTING -d 198.51.100.3 -j DNAT --to-destination 10.0.1.100'
    await run(lab, 'fw', `iptables -t nat -D ${rule}`)
    expect(await askOutside(lab, 'one is not mapped', addresses)).toEqual(['refused', served])
    await run(lab, 'fw', `iptables -t nat -A ${rule}`)

    await run(lab, 'fw', 'ip rule delete fwmark 2 lookup 2')
    const stop = await lab.capture({ capture: 'astray', node: 'fw', device: 'eth1', filter: 'src host 203.0.113.200' })
    expect(await askOutside(lab, 'all by the default route', addresses)).toEqual([served, 'timeout'])
    await stop()
    // they leave with the address that was asked, by the provider that does not take it
    expect(values(captured(lab, 'astray').map(one => one.flags))).toContain('S.')
    await run(lab, 'fw', 'ip rule add fwmark 2 lookup 2')
    expect(await askOutside(lab, 'as it was', addresses)).toEqual([served, served])
  })

  test('get no answer from a real server without its gateway, which answers those inside', async ({ lab }) => {
    const inside = await lab.addSources('c1', { count: 4 })
    const sources = await lab.addSources('c2', { count: 4 })
    const askFrom = async (probe: string): Promise<string[]> => {
      const options = { client: 'c2', url: 'http://198.51.100.3/', rate: 10, sources, count: 4 }
      await (await lab.http({ probe, ...options })).ended()
      return outcomesOnce(lab, probe)
    }
    // from now on each client has its server
    expect(await askInside(lab, 'inside before', inside)).toEqual(['rs1', 'rs2'])
    expect(await askFrom('before')).toEqual(['rs1', 'rs2'])
    await run(lab, 'rs1', 'ip route delete default')
    expect(await askFrom('without')).toEqual(['rs2', 'timeout'])
    expect(await askInside(lab, 'inside', inside)).toEqual(['rs1', 'rs2'])
    await run(lab, 'rs1', 'ip route add default via 10.0.1.254')
    expect(await askFrom('with')).toEqual(['rs1', 'rs2'])
  })
})

describe('clients inside', () => {
  test('see the VIP alone, and behind it the MAC address of their real server', async ({ lab }) => {
    const sources = await lab.addSources('c1', { count: 4 })
    const macs = { rs1: await macOf(lab, 'rs1'), rs2: await macOf(lab, 'rs2'), d1: await macOf(lab, 'd1') }
    const captures = await Promise.all([
      ...Object.entries(macs).map(([from, mac]) =>
        lab.capture({ capture: from, node: 'c1', device: 'eth0', filter: `tcp and ether src ${mac}` }),
      ),
      lab.capture({ capture: 'served', node: 'rs1', device: 'eth0', filter: 'net 10.0.1.0/24 and dst port 80' }),
      lab.capture({
        capture: 'past d1',
        node: 'c1',
        device: 'eth0',
        filter: `dst port 80 and not ether dst ${macs.d1}`,
      }),
    ])
    expect(await askInside(lab, 'clients', sources)).toEqual(['rs1', 'rs2'])
    await Promise.all(captures.map(stop => stop()))

    for (const from of ['rs1', 'rs2']) expect(values(captured(lab, from).map(one => one.source))).toEqual([VIP])
    expect(captured(lab, 'd1')).toEqual([])
    expect(captured(lab, 'past d1')).toEqual([])
    // the real server takes itself for the VIP
    const clients = captured(lab, 'served').filter(one => sources.includes(one.source))
    expect(values(clients.map(one => one.destination))).toEqual([VIP])
    expect(await counters(lab)).toEqual([
      [2, 0],
      [2, 0],
    ])
  })

  test('ask a real server past the director where its ARP is not silent', async ({ lab }) => {
    const [d1, rs1] = [await macOf(lab, 'd1'), await macOf(lab, 'rs1')]
    const claims = async (): Promise<string[]> => {
      const { stdout } = await lab.exec('c1', ['arping', '-b', '-c2', '-w3', '-I', 'eth0', VIP], { record: true })
      return values([...stdout.matchAll(/\[([\dA-F:]{17})\]/g)].map(([, mac = '']) => mac.toLowerCase()))
    }
    expect(await claims()).toEqual([d1])
    await run(lab, 'rs1', 'sysctl -w net.ipv4.conf.all.arp_ignore=0')
    expect(await claims()).toEqual(values([d1, rs1]))
    // a client that believes the wrong one is served by it alone, and the director knows nothing of it
    await run(lab, 'c1', `ip neigh replace ${VIP} lladdr ${rs1} dev eth0 nud reachable`)
    expect(await askInside(lab, 'believers', await lab.addSources('c1', { count: 4 }))).toEqual(['rs1'])
    expect(await counters(lab)).toEqual([
      [0, 0],
      [0, 0],
    ])
    await run(lab, 'rs1', '/etc/init.d/lvsrsdr start')
    expect(await claims()).toEqual([d1])
  })
})
