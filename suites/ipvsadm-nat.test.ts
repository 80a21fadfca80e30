import { describe, expect } from 'vitest'
import { connectionsOf } from '../src/history/connections.ts'
import { requestsOf } from '../src/history/queries.ts'
import type { Lab } from '../src/lab/lab.ts'
import { createScheduler } from '../src/model/schedulers/scheduler.ts'
import { labTest } from '../src/suite/lab-test.ts'
import { loadTopology } from '../src/topology/load.ts'
import { planTopology } from '../src/verify/plan.ts'
import { planScenarios } from '../src/verify/scenarios.ts'
import { askers } from './ipvsadm.ts'
import { ask, CLIENT, counted, NAMES, SERVERS, type ServerName, saved, sharesOfWeights } from './routed-pool.ts'
import { run, values } from './steps.ts'
import { captured, outcomes, outcomesOnce } from './traffic.ts'

const dir = 'topologies/ipvsadm-nat'
const test = labTest(dir)

const VIP = '192.168.0.111'
const SERVICE = `-t ${VIP}:80`
const PAGE = `http://${VIP}/`

/** Edits of the table, one command of ipvsadm each. */
const edit = (lab: Lab, ...lines: string[]) =>
  run(lab, 'd1', ['set -e', ...lines.map(line => `ipvsadm ${line}`)].join('\n'))

const expectShares = async (
  lab: Lab,
  probe: string,
  scheduler: 'rr' | 'wrr',
  weights: Record<ServerName, number>,
): Promise<void> => {
  await ask(lab, probe, PAGE, { count: 16 })
  expect(lab.history).toPass('shares', { probe, expected: sharesOfWeights(scheduler, weights) }, { title: probe })
}

/** Holds what each request came to against the scheduler's model; returns the servers of it. */
const expectModel = (
  lab: Lab,
  probe: string,
  scheduler: 'sh' | 'dh',
  servers: { name: ServerName; port: number; weight: number }[],
): string[] => {
  const model = createScheduler(
    scheduler,
    servers.map(({ name, ...rest }) => ({ address: SERVERS[name], ...rest })),
  )
  const requests = [...requestsOf(lab.history, probe)]
  const predicted = requests.map(({ source, sourcePort = 0 }) => {
    const chosen = model.connect({ source, sourcePort, destination: VIP })
    return chosen === undefined ? undefined : servers[chosen]?.name
  })
  expect(requests.length).toBeGreaterThan(0)
  expect(requests.map(({ server }) => server)).toEqual(predicted)
  return values(predicted)
}

const EVEN = { rs1: 1, rs2: 1 }

describe('what the saved table promises', () => {
  for (const scenario of planScenarios(planTopology(loadTopology(dir)))) {
    test(scenario.name, async ({ lab, judge }) => {
      await scenario.drive(lab)
      for (const check of scenario.checks) judge(check)
    })
  }
})

test('the director shares connections out in turn, and both ways lead through it', async ({ lab }) => {
  await expectShares(lab, 'rr', 'rr', EVEN)
  const sums = Object.values(await counted(lab))
  expect(sums.map(({ connections }) => connections)).toEqual([8, 8])
  for (const { packetsOut } of sums) expect(packetsOut).toBeGreaterThan(0)
  // the destination is changed and the source is not
  for (const node of NAMES) expect(await askers(lab, node)).toBe(CLIENT)
})

describe('edits of the table hold for new connections', () => {
  test('wrr, weights 6 and 2, one server out, port 8080', async ({ lab }) => {
    await edit(lab, `-E ${SERVICE} -s wrr`)
    await expectShares(lab, 'wrr', 'wrr', EVEN)

    await edit(lab, `-e ${SERVICE} -r ${SERVERS.rs2} -m -w 6`, `-e ${SERVICE} -r ${SERVERS.rs1} -m -w 2`)
    await expectShares(lab, 'weights 6 and 2', 'wrr', { rs1: 2, rs2: 6 })

    for (const node of NAMES) {
      await run(
        lab,
        node,
        `sed -i 's/^Listen 80$/Listen 8080/' /etc/apache2/ports.conf
        sed -i 's/:80>/:8080>/' /etc/apache2/sites-enabled/*
        /usr/lib/lvslab/service httpd stop
        /usr/lib/lvslab/service httpd start`,
      )
    }
    await ask(lab, 'old port', PAGE)
    expect(outcomesOnce(lab, 'old port')).toEqual(['refused'])
    await edit(lab, ...NAMES.map(name => `-d ${SERVICE} -r ${SERVERS[name]}`))
    await ask(lab, 'nobody', PAGE)
    expect(outcomesOnce(lab, 'nobody')).toEqual(['refused'])

    await edit(lab, ...NAMES.map(name => `-a ${SERVICE} -r ${SERVERS[name]}:8080 -m -w 6`))
    await expectShares(lab, 'port 8080', 'wrr', { rs1: 6, rs2: 6 })
    await edit(lab, `-d ${SERVICE} -r ${SERVERS.rs2}:8080`)
    await expectShares(lab, 'rs1 alone', 'wrr', { rs1: 6, rs2: 0 })
  })

  test('a connection that is there goes on with its server, whatever is edited, until that is deleted', async ({
    lab,
  }) => {
    for (const node of NAMES) await run(lab, node, '/usr/lib/lvslab/service echo start')
    await edit(lab, `-A -t ${VIP}:7 -s rr`, ...NAMES.map(name => `-a -t ${VIP}:7 -r ${SERVERS[name]} -m`))
    const held = { client: 'c1', target: `${VIP}:7`, connections: 2, everyMs: 200 }
    const before = await lab.tcp({ ...held, probe: 'before' })
    await lab.sleep(500)
    await edit(lab, `-E -t ${VIP}:7 -s wrr`, `-e -t ${VIP}:7 -r ${SERVERS.rs1} -m -w 0`)
    const after = await lab.tcp({ ...held, probe: 'after' })
    await lab.sleep(1_000)
    await after.stop()
    const serversOf = (probe: string) => values(connectionsOf(lab.history, probe).map(({ server }) => server))
    const ends = (probe: string) => connectionsOf(lab.history, probe).map(one => one.ended?.change ?? 'open')
    expect([serversOf('before'), serversOf('after')]).toEqual([[...NAMES], ['rs2']])
    expect(ends('before')).toEqual(['open', 'open'])
    const ended = lab.until({ kind: 'event', match: { kind: 'connection', probe: 'before', change: 'broken' } }, 20_000)
    await edit(lab, `-d -t ${VIP}:7 -r ${SERVERS.rs1}`)
    expect(await ended).toBe(true)
    await before.stop()
    const broken = connectionsOf(lab.history, 'before').filter(one => one.ended?.change === 'broken')
    expect(broken.map(({ server }) => server)).toEqual(['rs1'])
  })

  test('sh by the address of the client, dh by the VIP alone', async ({ lab }) => {
    const sources = [CLIENT, ...(await lab.addSources('c1', { count: 15 }))]
    const servers = NAMES.map(name => ({ name, port: 80, weight: 1 }))
    await edit(lab, `-E ${SERVICE} -s sh`)
    await ask(lab, 'one client', PAGE)
    expect(expectModel(lab, 'one client', 'sh', servers)).toHaveLength(1)
    await ask(lab, 'many clients', PAGE, { count: 32, sources })
    expect(expectModel(lab, 'many clients', 'sh', servers)).toEqual([...NAMES])

    const weighted = servers.map(one => ({ ...one, weight: one.name === 'rs1' ? 6 : 1 }))
    await edit(lab, ...weighted.map(({ name, weight }) => `-e ${SERVICE} -r ${SERVERS[name]} -m -w ${weight}`))
    await ask(lab, 'weights', PAGE, { count: 32, sources })
    expectModel(lab, 'weights', 'sh', weighted)

    await edit(lab, `-E ${SERVICE} -s dh`)
    await ask(lab, 'dh', PAGE, { count: 32, sources })
    expect(expectModel(lab, 'dh', 'dh', servers)).toHaveLength(1)
  })
})

test('sh spreads many clients by the weights, each of them always to the same server', async ({ lab }) => {
  const sources = await lab.addSources('c1', { count: 100 })
  await edit(lab, `-E ${SERVICE} -s sh`, `-e ${SERVICE} -r ${SERVERS.rs1} -m -w 3`)
  await ask(lab, 'spread', PAGE, { count: 120, sources }) // twenty of them ask twice
  const of = (shares: Record<ServerName, number>) => ({
    ...{ probe: 'spread', window: {}, per: 'source' as const },
    expected: { scheduler: 'sh', shares, source: 'Linux net/netfilter/ipvs/ip_vs_sh.c' },
  })
  expect(lab.history).toPass('spread', of({ rs1: 3, rs2: 1 }))
  expect(lab.history).not.toPass('spread', of({ rs1: 1, rs2: 3 }))
})

test('ipvsadm-save writes what ipvsadm-restore makes again, after a power cut too', async ({ lab }) => {
  await edit(lab, `-E ${SERVICE} -s wrr`, `-e ${SERVICE} -r ${SERVERS.rs2} -m -w 3`)
  const before = await saved(lab)
  expect(before).toContain(`-a -t ${VIP}:80 -r ${SERVERS.rs2}:80 -m -w 3`)
  // as typed it writes names, which must resolve to the same addresses when the table is restored
  expect((await run(lab, 'd1', 'ipvsadm-save')).stdout).toMatch(/^-A -t d1:http -s wrr$/m)
  await run(lab, 'd1', 'ipvsadm-save -n >/etc/ipvsadm.rules; ipvsadm -C')
  expect(await saved(lab)).toBe('')
  // nobody balances any more: the VIP is the director's own address
  await ask(lab, 'cleared', PAGE)
  expect(outcomes(lab, 'cleared')).toEqual(['d1', 'd1', 'd1', 'd1'])
  await run(lab, 'd1', 'ipvsadm-restore </etc/ipvsadm.rules')
  expect(await saved(lab)).toBe(before)
  await expectShares(lab, 'restored', 'wrr', { rs1: 1, rs2: 3 })

  const boot = await lab.inject('node-kill', 'd1')
  await boot()
  expect(await saved(lab)).toBe(before)
  await expectShares(lab, 'booted', 'wrr', { rs1: 1, rs2: 3 })
})

describe('without what makes it work', () => {
  /** Captures the replies of the real servers on both sides of the director. */
  const captureReplies = async (lab: Lab, capture: string) => {
    const synAck = 'tcp src port 80 and tcp[13] = 18'
    const ends = await Promise.all(
      (['eth0', 'eth1'] as const).map(device =>
        lab.capture({ capture: `${capture} ${device}`, node: 'd1', device, filter: synAck }),
      ),
    )
    return async (): Promise<{ outside: string[]; inside: string[] }> => {
      await Promise.all(ends.map(end => end()))
      const [outside, inside] = ['eth0', 'eth1'].map(device =>
        values(captured(lab, `${capture} ${device}`).map(({ source }) => source)),
      )
      return { outside: outside ?? [], inside: inside ?? [] }
    }
  }

  test('another gateway: the real server answers past the director, and nobody hears it', async ({ lab }) => {
    const way = (gateway: string) => run(lab, 'rs1', `ip route replace default via ${gateway}`)
    await way('192.168.137.1')
    const replies = await captureReplies(lab, 'without')
    await ask(lab, 'without', PAGE)
    expect(await replies()).toEqual({ outside: [VIP], inside: [SERVERS.rs2] })
    expect(outcomes(lab, 'without')).toEqual(['rs2', 'rs2', 'timeout', 'timeout'])
    await way('192.168.137.129')
    await ask(lab, 'again', PAGE)
    expect(outcomes(lab, 'again')).toEqual(['rs1', 'rs1', 'rs2', 'rs2'])
  })

  test('ip_forward 0: requests go in, replies come to the director and no further', async ({ lab }) => {
    await run(lab, 'd1', 'sysctl -w net.ipv4.ip_forward=0')
    const replies = await captureReplies(lab, 'without')
    await ask(lab, 'without', PAGE)
    expect(await replies()).toEqual({ outside: [], inside: values(Object.values(SERVERS)) })
    expect(outcomesOnce(lab, 'without')).toEqual(['timeout'])
    await run(lab, 'd1', 'sysctl -w net.ipv4.ip_forward=1')
    await ask(lab, 'again', PAGE)
    expect(outcomes(lab, 'again')).toEqual(['rs1', 'rs1', 'rs2', 'rs2'])
  })
})
