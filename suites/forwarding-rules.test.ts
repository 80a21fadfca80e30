import { describe, expect } from 'vitest'
import type { Lab } from '../src/lab/lab.ts'
import { DEFAULT_TTL, loopCrossings } from '../src/model/routing-loop.ts'
import { labTest } from '../src/suite/lab-test.ts'
import { counter, macOf, run, values } from './steps.ts'
import { captured, outcomes } from './traffic.ts'

/** What each forwarding method wants of the network: taken away, shown, given back. That of TUN, its ports, is in `ipvsadm-tun`. */

const test = labTest('topologies/ipvsadm-gateway')

const VIP = '172.16.100.1'
const DIP = '172.16.100.2'
const GATEWAY = '172.16.100.254'
const CLIENT = '192.0.2.10'
const RIPS = { rs1: '172.16.100.10', rs2: '172.16.100.11', rs3: '172.16.101.12' }
const RR = { rs1: 1, rs2: 1 }
const NOBODY = Array(4).fill('timeout')

/** The table of d1: one service, these servers behind it. @param method as ipvsadm has it */
const forward = (lab: Lab, method: '-g' | '-m' | '-i', ...servers: (keyof typeof RIPS)[]) =>
  run(
    lab,
    'd1',
    [
      'set -e; ipvsadm -C',
      `ipvsadm -A -t ${VIP}:80 -s rr`,
      ...servers.map(server => `ipvsadm -a -t ${VIP}:80 -r ${RIPS[server]} ${method}`),
    ].join('\n'),
  )

/** The default gateway of rs1 and rs2. */
const gateway = async (lab: Lab, address: string): Promise<void> => {
  for (const node of ['rs1', 'rs2']) await run(lab, node, `ip route replace default via ${address}`)
}

/** Four requests of c1: two cycles of `rr` over two servers. */
const ask = async (lab: Lab, probe: string, port = 80): Promise<void> =>
  (await lab.http({ probe, client: 'c1', url: `http://${VIP}:${port}/`, rate: 20, count: 4 })).ended()

describe('NAT', () => {
  test('with a gateway that is not the director the client gets replies of somebody it never asked', async ({
    lab,
  }) => {
    await forward(lab, '-m', 'rs1', 'rs2')
    const stop = await lab.capture({ capture: 'c1', node: 'c1', device: 'eth0', filter: 'tcp' })
    await ask(lab, 'past')
    await stop()
    expect(outcomes(lab, 'past')).toEqual(NOBODY)
    const packets = captured(lab, 'c1')
    const accepted = packets.filter(({ flags }) => flags === 'S.')
    expect(values(accepted.map(({ source }) => source))).toEqual([RIPS.rs1, RIPS.rs2])
    const refused = packets.filter(({ source, flags }) => source === CLIENT && flags === 'R')
    expect(values(refused.map(({ destination }) => destination))).toEqual([RIPS.rs1, RIPS.rs2])

    await gateway(lab, DIP)
    await ask(lab, 'through')
    expect(lab.history).toShareExactly(RR, { probe: 'through' })
  })

  test('maps ports', async ({ lab }) => {
    await gateway(lab, DIP)
    await run(lab, 'd1', `ipvsadm -A -t ${VIP}:8000 -s rr; ipvsadm -a -t ${VIP}:8000 -r ${RIPS.rs1}:8080 -m`)
    await ask(lab, 'mapped', 8000)
    expect(lab.history).toShareExactly({ rs1: 1 }, { probe: 'mapped' })
  })
})

describe('DR', () => {
  /** What the kernel has dropped because its sender is an address of its own, on all processors, since it was booted. */
  const martians = async (lab: Lab): Promise<number> => {
    const [names = '', ...rows] = (await run(lab, 'd1', 'cat /proc/net/stat/rt_cache')).stdout.trim().split('\n')
    const column = names.trim().split(/\s+/).indexOf('in_martian_src')
    return rows.reduce((sum, row) => sum + Number.parseInt(row.trim().split(/\s+/)[column] ?? '', 16), 0)
  }

  test('with the director as gateway: it drops what comes from its own VIP', async ({ lab }) => {
    await ask(lab, 'before')
    expect(lab.history).toShareExactly(RR, { probe: 'before' })

    await gateway(lab, DIP)
    const before = await martians(lab)
    const filter = `src host ${VIP} and tcp[13] = 18 and not ether src ${await macOf(lab, 'd1')}`
    const stop = await lab.capture({ capture: 'd1', node: 'd1', device: 'eth0', filter })
    await ask(lab, 'through')
    await stop()
    expect(outcomes(lab, 'through')).toEqual(NOBODY)
    const replies = captured(lab, 'd1')
    expect(replies.length).toBeGreaterThanOrEqual(NOBODY.length)
    expect((await martians(lab)) - before).toBeGreaterThanOrEqual(replies.length)

    // the rule has an exception that the kernel did not know when it was written
    await run(lab, 'd1', 'sysctl -w net.ipv4.conf.eth0.accept_local=1')
    await ask(lab, 'accepted')
    expect(lab.history).toShareExactly(RR, { probe: 'accepted' })
    await run(lab, 'd1', 'sysctl -w net.ipv4.conf.eth0.accept_local=0')

    await gateway(lab, GATEWAY)
    await ask(lab, 'past')
    expect(lab.history).toShareExactly(RR, { probe: 'past' })
  })

  test('behind a router: the request goes round between the two until its time is up', async ({ lab }) => {
    await forward(lab, '-g', 'rs3')
    const filter = `dst host ${VIP} and tcp[13] = 2`
    const stop = await lab.capture({ capture: 'lan', node: 'gw', device: 'eth0', filter })
    const stopFar = await lab.capture({ capture: 'far', node: 'gw', device: 'eth1', filter })
    await (await lab.http({ probe: 'hop', client: 'c1', url: `http://${VIP}/`, rate: 20, count: 1 })).ended()
    await stop()
    await stopFar()
    expect(outcomes(lab, 'hop')).toEqual(['unreachable'])
    expect(captured(lab, 'lan')).toHaveLength(loopCrossings(DEFAULT_TTL, 1))
    expect(captured(lab, 'far')).toEqual([])
    expect((await counter(lab, 'd1', 'IcmpOutTimeExcds')) + (await counter(lab, 'gw', 'IcmpOutTimeExcds'))).toBe(1)

    // a tunnel passes the router
    await run(lab, 'rs3', `ip link set tunl0 up; ip address add ${VIP}/32 dev tunl0`)
    await forward(lab, '-i', 'rs3')
    await ask(lab, 'tunnel')
    expect(lab.history).toShareExactly({ rs3: 1 }, { probe: 'tunnel' })
    // and servers on the director's own link need none
    await forward(lab, '-g', 'rs1', 'rs2')
    await ask(lab, 'link')
    expect(lab.history).toShareExactly(RR, { probe: 'link' })
  })
})
