import { describe, expect } from 'vitest'
import type { Lab } from '../src/lab/lab.ts'
import { sharesByArp } from '../src/model/arp.ts'
import { PERSISTENCE_DEFAULT, TCP_TIMEOUTS } from '../src/model/ipvs-defaults.ts'
import { templateRelease } from '../src/model/persistence.ts'
import { labTest } from '../src/suite/lab-test.ts'
import { askers } from './ipvsadm.ts'
import { ask, CLIENT, counted, NAMES, SERVERS, saved, sharesOfWeights } from './routed-pool.ts'
import { macOf, run, values } from './steps.ts'
import { captured, outcomes, outcomesOnce } from './traffic.ts'

const test = labTest('topologies/ipvsadm-dr-router')

/** Beside the real servers, and in a subnet of its own. */
const NEAR = '192.168.137.100'
const VIP = '10.0.0.100'
const EVEN = { rs1: 1, rs2: 1 }

const page = (vip: string, scheme = 'http'): string => `${scheme}://${vip}/index.html`

const expectShares = async (lab: Lab, probe: string, url: string, scheduler: 'rr' | 'wrr'): Promise<void> => {
  await ask(lab, probe, url)
  expect(lab.history).toPass('shares', { probe, expected: sharesOfWeights(scheduler, EVEN) }, { title: probe })
}

/** Connections that the director has balanced, over all services. */
const balanced = async (lab: Lab): Promise<number> =>
  Object.values(await counted(lab)).reduce((sum, { connections }) => sum + connections, 0)

describe('a VIP beside the real servers', () => {
  test('as /24 on the NIC with rr, then as /32 on lo with wrr', async ({ lab }) => {
    await expectShares(lab, 'on the NIC', page(NEAR), 'rr')
    await run(lab, 'd1', `ip address del ${NEAR}/24 dev eth0; ip address add ${NEAR}/32 dev lo`)
    await run(lab, 'd1', `ipvsadm -E -t ${NEAR}:80 -s wrr`)
    await expectShares(lab, 'on lo', page(NEAR), 'wrr')
    // replies bypass the director, and the real servers see the client itself
    const sums = Object.values(await counted(lab))
    expect(sums).toEqual([
      { connections: 4, packetsOut: 0 },
      { connections: 4, packetsOut: 0 },
    ])
    for (const node of NAMES) expect(await askers(lab, node)).toBe(CLIENT)
  })

  test('its real servers must be silent about it: the router believes whoever replies first', async ({ lab }) => {
    const heal = await lab.inject('netem', 'd1', { delayMs: 50, protocol: 'arp' })
    const forget = () => run(lab, 'r1', 'ip neigh flush dev eth1')
    const before = await balanced(lab)
    await run(lab, 'rs1', 'sysctl -w net.ipv4.conf.all.arp_ignore=0')
    await forget()
    await ask(lab, 'answers', page(NEAR))
    expect((await run(lab, 'r1', `ip neigh show ${NEAR}`)).stdout).toContain(await macOf(lab, 'rs1'))
    expect(lab.history).toShareExactly(sharesByArp('rs1', 'd1', EVEN), { probe: 'answers' })
    expect(await balanced(lab)).toBe(before)
    await run(lab, 'rs1', 'sysctl -w net.ipv4.conf.all.arp_ignore=1')
    await forget()
    await ask(lab, 'silent', page(NEAR))
    expect(lab.history).toShareExactly(sharesByArp('d1', 'd1', EVEN), { probe: 'silent' })
    await heal()
  })
})

test("as typed the real servers' gateway is the router's address in the other subnet: they cannot answer", async ({
  lab,
}) => {
  await run(lab, 'rs1', 'ip route del default')
  const typed = await lab.exec('rs1', ['ip', 'route', 'add', 'default', 'via', '192.168.0.111'], { record: true })
  expect(typed).toMatchObject({ code: 2, stderr: expect.stringContaining('invalid gateway') })
  await ask(lab, 'without', page(VIP))
  expect(outcomes(lab, 'without')).toEqual(['rs2', 'rs2', 'timeout', 'timeout'])
  await run(lab, 'rs1', 'ip route add default via 192.168.137.129')
  await expectShares(lab, 'again', page(VIP), 'wrr')
})

describe('a VIP in a subnet of its own', () => {
  test("needs the router's address there, or any other route to it", async ({ lab }) => {
    await expectShares(lab, 'with the address', page(VIP), 'wrr')
    const before = await balanced(lab)
    await run(lab, 'r1', 'ip address del 10.0.0.200/8 dev eth1')
    const stops = await Promise.all([
      lab.capture({ capture: 'arrives', node: 'd1', device: 'eth0', filter: `host ${VIP}` }),
      lab.capture({ capture: 'told', node: 'c1', device: 'eth0', filter: 'icmp' }),
    ])
    await ask(lab, 'without', page(VIP))
    for (const stop of stops) await stop()
    // not of every packet: the router tells somebody of one in a second
    expect(values(captured(lab, 'told').map(({ source }) => source))).toEqual(['192.168.0.111'])
    expect(['timeout', 'unreachable']).toEqual(expect.arrayContaining(outcomesOnce(lab, 'without')))
    expect(captured(lab, 'arrives')).toEqual([])
    expect(await balanced(lab)).toBe(before)
    // the other VIP is not concerned
    await expectShares(lab, 'the other VIP', page(NEAR), 'rr')

    for (const route of [`${VIP}/32 dev eth1`, `${VIP}/32 via 192.168.137.132`]) {
      await run(lab, 'r1', `ip route add ${route}`)
      await expectShares(lab, route, page(VIP), 'wrr')
      await run(lab, 'r1', `ip route del ${route}`)
    }
    await run(lab, 'r1', 'ip address add 10.0.0.200/8 dev eth1')
    await expectShares(lab, 'again', page(VIP), 'wrr')
  })

  test('its scripts end and begin the real server and the director', async ({ lab }) => {
    const server = (action: string) => run(lab, 'rs1', `lvs_dr_rs.sh ${action}`)
    await server('stop')
    await ask(lab, 'rs1 stopped', page(VIP))
    expect(outcomes(lab, 'rs1 stopped')).toEqual(['rs2', 'rs2', 'timeout', 'timeout'])
    await server('start')
    await expectShares(lab, 'rs1 started', page(VIP), 'wrr')

    // -C clears the services of every VIP
    await run(lab, 'd1', 'lvs_dr_vs.sh stop')
    expect(await saved(lab)).toBe('')
    await ask(lab, 'director stopped', page(VIP))
    expect(outcomesOnce(lab, 'director stopped')).not.toContain('rs1')
    await run(lab, 'd1', 'lvs_dr_vs.sh start')
    await run(lab, 'r1', 'ip neigh flush dev eth1')
    await expectShares(lab, 'director started', page(VIP), 'wrr')
  })
})

describe('https', () => {
  const mark = `iptables -t mangle -A PREROUTING -d ${VIP} -p tcp -m multiport --dports 80,443 -j MARK --set-mark 10`
  /** One service for the mark alone. */
  const markOnly = async (lab: Lab, flags = ''): Promise<void> => {
    const servers = NAMES.map(name => `ipvsadm -a -f 10 -r ${SERVERS[name]} -g`)
    await run(lab, 'd1', ['set -e', 'ipvsadm -C', mark, `ipvsadm -A -f 10 -s rr ${flags}`, ...servers].join('\n'))
  }

  test('by a service of its own, then with http by mark 10', async ({ lab }) => {
    await ask(lab, 'no service', page(VIP, 'https'))
    expect(outcomesOnce(lab, 'no service')).toEqual(['refused'])
    await run(
      lab,
      'd1',
      ['set -e', `ipvsadm -A -t ${VIP}:443 -s rr`]
        .concat(NAMES.map(name => `ipvsadm -a -t ${VIP}:443 -r ${SERVERS[name]} -g`))
        .join('\n'),
    )
    await expectShares(lab, 'https', page(VIP, 'https'), 'rr')

    // as typed: real servers for a service that nobody has made
    const typed = await lab.exec('d1', ['ipvsadm', '-a', '-f', '10', '-r', SERVERS.rs1, '-g'], { record: true })
    expect(typed).toMatchObject({ code: 255, stderr: expect.stringContaining('Service not defined') })

    await markOnly(lab)
    await expectShares(lab, 'marked https', page(VIP, 'https'), 'rr')
    await expectShares(lab, 'marked http', page(VIP), 'rr')

    const before = await balanced(lab)
    await run(lab, 'd1', 'iptables -t mangle -F')
    await ask(lab, 'unmarked', page(VIP, 'https'))
    expect(outcomesOnce(lab, 'unmarked')).toEqual(['refused'])
    await ask(lab, 'unmarked http', page(VIP))
    expect(outcomesOnce(lab, 'unmarked http')).toEqual(['d1'])
    expect(await balanced(lab)).toBe(before)
    await run(lab, 'd1', mark)
    await expectShares(lab, 'marked again', page(VIP, 'https'), 'rr')
  })

  test('persistent for 360 s by default, both ports at one server', async ({ lab }) => {
    await markOnly(lab, '-p')
    const seconds = PERSISTENCE_DEFAULT / 1000
    expect((await run(lab, 'd1', 'ipvsadm -Ln')).stdout).toContain(`FWM  10 rr persistent ${seconds}\n`)
    expect(await saved(lab)).toContain(`-A -f 10 -s rr -p ${seconds}\n`)

    await ask(lab, 'https', page(VIP, 'https'))
    await ask(lab, 'http', page(VIP))
    const last = await lab.now()
    const [server, ...others] = outcomesOnce(lab, 'https')
    expect(others).toEqual([])
    expect(outcomesOnce(lab, 'http')).toEqual([server])
    expect(lab.history).toPass('stickiness', { probe: 'https', timeoutMs: PERSISTENCE_DEFAULT })

    // the template outlives the entries of its connections: it is gone when its own timer says so
    const release = last + templateRelease(PERSISTENCE_DEFAULT, TCP_TIMEOUTS.FIN_WAIT)
    const left = async (): Promise<{ shown: number; predicted: number }> => {
      const { stdout, started } = await run(lab, 'd1', 'ipvsadm -Lnc')
      const [, minutes, rest] = new RegExp(String.raw`(\d+):(\d+) .* ${CLIENT}:0 `).exec(stdout) ?? []
      return { shown: (Number(minutes) * 60 + Number(rest)) * 1000, predicted: release - started }
    }
    for (const pause of [0, 60_000]) {
      await lab.sleep(pause)
      const { shown, predicted } = await left()
      expect(Math.abs(shown - predicted), `${shown} ms shown, ${predicted} ms predicted`).toBeLessThan(2_000)
    }
    // a new connection begins it anew
    await ask(lab, 'later', page(VIP))
    expect(outcomesOnce(lab, 'later')).toEqual([server])
    expect((await left()).shown).toBeGreaterThan(PERSISTENCE_DEFAULT - 5_000)
    // others are shared out all the same
    const sources = await lab.addSources('c1', { count: 4 })
    await ask(lab, 'others', page(VIP), { sources })
    expect(outcomes(lab, 'others')).toEqual(['rs1', 'rs1', 'rs2', 'rs2'])
  })
})
