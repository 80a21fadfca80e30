import { describe, expect } from 'vitest'
import type { Condition } from '../src/agent/protocol.ts'
import { requestsOf } from '../src/history/queries.ts'
import type { Lab } from '../src/lab/lab.ts'
import { serverDownBound } from '../src/model/health-check.ts'
import { createScheduler } from '../src/model/schedulers/scheduler.ts'
import type { VrrpInstance } from '../src/model/types.ts'
import { preemptBound } from '../src/model/vrrp.ts'
import { labTest } from '../src/suite/lab-test.ts'
import { loadTopology } from '../src/topology/load.ts'
import { planTopology } from '../src/verify/plan.ts'
import { planScenarios } from '../src/verify/scenarios.ts'
import { directorOf, instanceOf, restartWith, run, values } from './steps.ts'
import { captured, outcomesOnce } from './traffic.ts'

const dir = 'topologies/keepalived-ipv6'
const test = labTest(dir)
const plan = planTopology(loadTopology(dir))

const DR = 'fd00:0:0:1::100'
const NAT = 'fd00:0:0:2::100'
const GATEWAY = 'fe80::64'
const PATIENCE_MS = 2_000

/** Two cycles of `rr`; who answered, or what became of them. */
const ask = async (lab: Lab, probe: string, vip: string): Promise<string[]> => {
  const clients = await lab.http({ probe, client: 'c1', url: `http://[${vip}]/`, rate: 20, count: 4, timeoutMs: 500 })
  await clients.ended()
  return outcomesOnce(lab, probe)
}

describe('what the configuration promises', () => {
  const wanted = [
    'configuration',
    ...[DR, NAT].map(vip => `shares-[${vip}]:80/TCP`),
    `failover-stop-${NAT}`,
    `failover-crash-${DR}`,
    `server-[${DR}]:80/TCP-rs1:80`,
  ]
  for (const scenario of planScenarios(plan).filter(({ name }) => wanted.includes(name))) {
    test(scenario.name, async ({ lab, judge }) => {
      await scenario.drive(lab)
      for (const check of scenario.checks) judge(check)
    })
  }
})

describe('direct routing', () => {
  test('replies leave the real server for the client, and never pass the director', async ({ lab }) => {
    const filter = `tcp and src host ${DR}`
    const stops = [
      await lab.capture({ capture: 'director', node: 'd1', device: 'eth0', filter }),
      await lab.capture({ capture: 'server', node: 'rs1', device: 'eth0', filter }),
    ]
    expect(await ask(lab, 'clients', DR)).toEqual(['rs1', 'rs2'])
    for (const stop of stops) await stop()
    expect(captured(lab, 'director')).toEqual([])
    expect(values(captured(lab, 'server').map(packet => packet.destination))).toEqual(['fd00:0:0:1::50'])
  })

  test('sh sends each client to the server that its model says, by the folded address', async ({ lab }) => {
    const sources = Array.from({ length: 32 }, (_, n) => `fd00:0:0:1::${(n + 1).toString(16)}:${(7 * n).toString(16)}`)
    await run(lab, 'c1', sources.map(source => `ip address add ${source}/64 dev eth0 nodad`).join('\n'))
    await run(lab, 'd1', `ipvsadm -E -t [${DR}]:80 -s sh`)
    const clients = { client: 'c1', url: `http://[${DR}]/`, rate: 20, count: sources.length, sources }
    const probe = await lab.http({ probe: 'sh', ...clients })
    await probe.ended()
    const servers = { rs1: 'fd00:0:0:1::10', rs2: 'fd00:0:0:1::20' }
    const model = createScheduler(
      'sh',
      Object.values(servers).map(address => ({ address, port: 80, weight: 1 })),
    )
    const seen = [...requestsOf(lab.history, 'sh')]
    const predicted = seen.map(({ source, sourcePort = 0 }) => model.connect({ source, sourcePort, destination: DR }))
    expect(seen.map(({ server }) => server)).toEqual(predicted.map(n => Object.keys(servers)[n ?? -1]))
    expect(values(predicted)).toEqual(['0', '1'])
    expect(seen).toHaveLength(sources.length)
  })

  test('only the director says where the VIP is, as it is on lo of the others', async ({ lab }) => {
    const mac = (await run(lab, 'd1', 'cat /sys/class/net/eth0/address')).stdout.trim()
    for (let flush = 1; flush <= 5; flush++) {
      const neighbours = await run(
        lab,
        'c1',
        `ip -6 neigh flush dev eth0; curl -sm1 http://[${DR}]/; ip -6 neigh show ${DR} dev eth0`,
      )
      expect(neighbours.stdout).toContain(`lladdr ${mac}`)
    }
  })

  test('a VIP of /64 is what the director asks from, and the real servers reply to themselves; not with preferred_lft 0', async ({
    lab,
  }) => {
    const vips = 'd1/etc/keepalived/conf.d/vips.conf'
    const plan = await restartWith(lab, dir, vips, text => text.replace(`${DR}/128`, `${DR}/64`))
    const [master, backup] = ['d1', 'd2'].map(node => instanceOf(plan, node, 'VI_LAN')) as [VrrpInstance, VrrpInstance]
    const back = preemptBound(master, backup)
    const [server] = directorOf(plan, 'd1').services[0]?.realServers ?? []
    const down = server && serverDownBound(server, 'silent')
    if (!back || !down) throw new Error('no bound')
    await lab.until({ kind: 'owner', address: DR, node: 'd1', others: ['d2'] }, back.maxMs + PATIENCE_MS)
    const stop = await lab.capture({ capture: 'checks', node: 'rs1', device: 'eth0', filter: 'tcp and dst port 80' })
    const empty: Condition = { kind: 'pool', node: 'd1', service: `TCP [${DR}]:80`, destinations: [] }
    expect(await lab.until(empty, down.maxMs + PATIENCE_MS), `no server is left within ${down.formula}`).toBe(true)
    await stop()
    expect(values(captured(lab, 'checks').map(({ source, destination }) => `${source} ${destination}`))).toEqual(
      expect.arrayContaining([`${DR} fd00:0:0:1::10`]),
    )

    await restartWith(lab, dir, vips, text => text.replace(`${DR}/128`, `${DR}/64 preferred_lft 0`))
    const owned: Condition = { kind: 'owner', address: DR, node: 'd1', others: ['d2'] }
    expect(await lab.until(owned, back.maxMs + PATIENCE_MS), back.formula).toBe(true)
    // as long as it took to lose them
    await lab.sleep(down.maxMs + PATIENCE_MS)
    expect(await ask(lab, 'deprecated', DR)).toEqual(['rs1', 'rs2'])
  })

  test('without the VIP on lo a real server drops what the director sends it', async ({ lab }) => {
    await run(lab, 'rs1', `ip address del ${DR}/128 dev lo`)
    expect(await ask(lab, 'without', DR)).toEqual(['rs2', 'timeout'])
    await run(lab, 'rs1', `ip address add ${DR}/128 dev lo`)
    expect(await ask(lab, 'with', DR)).toEqual(['rs1', 'rs2'])
  })
})

describe('NAT', () => {
  test('the real server sees the client and replies by way of the VIP that is its gateway', async ({ lab }) => {
    const stop = await lab.capture({
      capture: 'server',
      node: 'rs1',
      device: 'eth0',
      filter: 'tcp and dst net fd00:0:0:2::/64',
    })
    expect(await ask(lab, 'clients', NAT)).toEqual(['rs1', 'rs2'])
    await stop()
    expect(values(captured(lab, 'server').map(packet => `${packet.source} ${packet.destination}`))).toEqual([
      'fd00:0:0:1::10 fd00:0:0:2::50',
    ])
  })

  test('without that way back nobody is answered', async ({ lab }) => {
    for (const node of ['rs1', 'rs2']) await run(lab, node, 'ip route del fd00:0:0:2::/64')
    expect(await ask(lab, 'without', NAT)).toEqual(['timeout'])
    for (const node of ['rs1', 'rs2']) await run(lab, node, `ip route add fd00:0:0:2::/64 via ${GATEWAY} dev eth0`)
    expect(await ask(lab, 'with', NAT)).toEqual(['rs1', 'rs2'])
  })
})
