import { describe, expect } from 'vitest'
import { eventsOf, tablesOf } from '../src/history/queries.ts'
import type { Lab } from '../src/lab/lab.ts'
import { sharesByArp } from '../src/model/arp.ts'
import { tunnelMss, tunnelMtu } from '../src/model/tunnel.ts'
import { labTest } from '../src/suite/lab-test.ts'
import { ask, CLIENT, DIRECTOR, VIP } from './ipvsadm.ts'
import { counter, run } from './steps.ts'
import { outcomes, outcomesOnce } from './traffic.ts'

const test = labTest('topologies/ipvsadm-tun')

/** Of every link here, bytes. */
const MTU = 1500

/** The destinations of the director's table, by address. */
const destinations = async (lab: Lab): Promise<string[]> => {
  await lab.snapshot()
  const found = tablesOf(lab.history, 'd1').at(-1)?.services[0]?.destinations ?? []
  return found.map(({ address, port, forwarding }) => `${address}:${port} ${forwarding}`).toSorted()
}

test('requests come through the tunnel, replies go straight to the client', async ({ lab }) => {
  const stop = await lab.capture({ capture: 'tunnel', node: 'rs1', device: 'eth0', filter: 'ip proto 4' })
  const stopPlain = await lab.capture({
    ...{ capture: 'plain', node: 'rs1', device: 'eth0' },
    filter: `tcp port 80 and host ${CLIENT}`,
  })
  await ask(lab, 'clients')
  await stop()
  await stopPlain()
  expect(lab.history).toShareExactly({ rs1: 1, rs2: 1 }, { probe: 'clients' })
  const packets = (capture: string) => eventsOf(lab.history, 'packet').filter(packet => packet.capture === capture)
  const ways = (capture: string) =>
    new Set(packets(capture).map(({ source, destination }) => `${source} ${destination}`))
  expect(ways('tunnel')).toEqual(new Set([`${DIRECTOR} 172.25.12.2`]))
  expect(ways('plain')).toEqual(new Set([`${VIP} ${CLIENT}`]))
})

test('a real server in another subnet answers as well', async ({ lab }) => {
  await run(lab, 'd1', `ipvsadm -d -t ${VIP}:80 -r 172.25.12.3; ipvsadm -a -t ${VIP}:80 -r 172.25.13.3 -i`)
  await ask(lab, 'two-subnets')
  expect(lab.history).toShareExactly({ rs1: 1, rs3: 1 }, { probe: 'two-subnets' })
})

test('ports cannot be mapped: ipvsadm takes another port without a word, and sets that of the service', async ({
  lab,
}) => {
  await run(lab, 'd1', `ipvsadm -d -t ${VIP}:80 -r 172.25.12.3`)
  const added = await run(lab, 'd1', `ipvsadm -a -t ${VIP}:80 -r 172.25.12.3:8080 -i`)
  expect({ stdout: added.stdout, stderr: added.stderr }).toEqual({ stdout: '', stderr: '' })
  expect(await destinations(lab)).toEqual(['172.25.12.2:80 Tunnel', '172.25.12.3:80 Tunnel'])
})

describe('without what makes it work', () => {
  test('tunl0 down: the real server refuses; up again, it answers', async ({ lab }) => {
    await run(lab, 'rs1', 'ip link set tunl0 down')
    await ask(lab, 'down')
    expect(outcomes(lab, 'down')).toEqual(['refused', 'refused', 'rs2', 'rs2'])
    await run(lab, 'rs1', 'ip link set tunl0 up')
    await ask(lab, 'up')
    expect(lab.history).toShareExactly({ rs1: 1, rs2: 1 }, { probe: 'up' })
  })

  test('no VIP on tunl0: what comes out of the tunnel is for another host, which this one does not forward to', async ({
    lab,
  }) => {
    await run(lab, 'rs1', `ip address del ${VIP}/32 dev tunl0`)
    await ask(lab, 'without-vip')
    expect(outcomes(lab, 'without-vip')).toEqual(['rs2', 'rs2', 'timeout', 'timeout'])
    await run(lab, 'rs1', `ip address add ${VIP}/32 dev tunl0`)
    await ask(lab, 'with-vip')
    expect(lab.history).toShareExactly({ rs1: 1, rs2: 1 }, { probe: 'with-vip' })
  })

  test('rp_filter 1: the way back to the client is not by tunl0, and its packets are dropped', async ({ lab }) => {
    const dropped = () => counter(lab, 'rs1', 'TcpExtIPReversePathFilter')
    expect(await dropped()).toBe(0)
    await run(lab, 'rs1', 'sysctl -w net.ipv4.conf.tunl0.rp_filter=1')
    await ask(lab, 'strict')
    expect(outcomes(lab, 'strict')).toEqual(['rs2', 'rs2', 'timeout', 'timeout'])
    expect(await dropped()).toBeGreaterThanOrEqual(2)
    // 2 asks only whether there is any way back
    for (const value of [2, 0]) {
      await run(lab, 'rs1', `sysctl -w net.ipv4.conf.tunl0.rp_filter=${value}`)
      await ask(lab, `rp-filter-${value}`)
      expect(lab.history).toShareExactly({ rs1: 1, rs2: 1 }, { probe: `rp-filter-${value}` })
    }
    // the larger of the two counts: 0 on tunl0 alone is no cure
    await run(lab, 'rs1', 'sysctl -w net.ipv4.conf.all.rp_filter=1')
    await ask(lab, 'strict-for-all')
    expect(outcomes(lab, 'strict-for-all')).toEqual(['rs2', 'rs2', 'timeout', 'timeout'])
  })

  test('no arp_ignore: a real server answers ARP for its VIP on tunl0, and has the client for itself', async ({
    lab,
  }) => {
    const heal = await lab.inject('netem', 'd1', { delayMs: 50, protocol: 'arp' })
    await run(lab, 'rs1', 'sysctl -w net.ipv4.conf.all.arp_ignore=0')
    await run(lab, 'c1', 'ip neigh flush dev eth0')
    await ask(lab, 'answers-arp')
    expect(lab.history).toShareExactly(sharesByArp('rs1', 'd1', {}), { probe: 'answers-arp' })
    await run(lab, 'rs1', 'sysctl -w net.ipv4.conf.all.arp_ignore=1')
    await run(lab, 'c1', 'ip neigh flush dev eth0')
    await ask(lab, 'silent')
    expect(lab.history).toShareExactly({ rs1: 1, rs2: 1 }, { probe: 'silent' })
    await heal()
  })

  test('with /24 on tunl0 of the director, as typed, nobody is answered; with /32 all are', async ({ lab }) => {
    const change = (from: string, to: string) =>
      run(lab, 'd1', `ip address del ${VIP}/${from} dev tunl0; ip address add ${VIP}/${to} dev tunl0`)
    await change('32', '24')
    expect((await run(lab, 'd1', 'ip route get 172.25.12.2')).stdout).toContain('dev tunl0')
    await ask(lab, 'director-24')
    expect(outcomesOnce(lab, 'director-24')).toEqual(['timeout'])
    await change('24', '32')
    await ask(lab, 'director-32')
    expect(lab.history).toShareExactly({ rs1: 1, rs2: 1 }, { probe: 'director-32' })
  })

  test('the VIP with /24 on tunl0 takes the subnet away; /32 does not', async ({ lab }) => {
    const wayOut = async () => (await run(lab, 'rs1', `ip route get ${CLIENT}`)).stdout
    const reaches = async () => (await lab.exec('rs1', ['ping', '-c1', '-W1', DIRECTOR])).code === 0
    const change = (from: string, to: string) =>
      run(lab, 'rs1', `ip address del ${VIP}/${from} dev tunl0; ip address add ${VIP}/${to} dev tunl0`)
    expect(await wayOut()).toContain('dev eth0')
    await change('32', '24')
    // two routes to the subnet, and eth0's has metric 100
    expect(await wayOut()).toContain(`dev tunl0 src ${VIP}`)
    expect(await reaches()).toBe(false)
    await ask(lab, 'prefix-24')
    expect(outcomes(lab, 'prefix-24')).toEqual(['rs2', 'rs2', 'timeout', 'timeout'])
    // it is the metric that decides
    await change('24', '24 metric 200')
    expect(await wayOut()).toContain('dev eth0')
    expect(await reaches()).toBe(true)
    await change('24', '32')
    expect(await wayOut()).toContain('dev eth0')
    expect(await reaches()).toBe(true)
    await ask(lab, 'prefix-32')
    expect(lab.history).toShareExactly({ rs1: 1, rs2: 1 }, { probe: 'prefix-32' })
  })
})

describe('the MTU of the tunnel', () => {
  /** Bytes that fill several packets. */
  const LARGE = 20_000

  /** rs1 alone, and every packet of c1 as large as on a wire: the kernel would hand over several as one. */
  const prepare = async (lab: Lab): Promise<void> => {
    await run(lab, 'd1', `ipvsadm -d -t ${VIP}:80 -r 172.25.12.3`)
    await run(lab, 'c1', `ip link set eth0 gso_max_segs 1; head -c ${LARGE} /dev/zero >/tmp/large`)
    await run(lab, 'rs1', `head -c ${LARGE} /dev/zero >/var/www/html/large`)
  }
  const curl = async (lab: Lab, ...args: string[]): Promise<string> => {
    const command = ['curl', '-sm3', '-o', '/tmp/answer', '-w', '%{http_code}', ...args]
    const { stdout, code } = await lab.exec('c1', command, { record: true })
    return code === 0 || stdout === '000' ? stdout : `${stdout}, and curl ended with ${code}`
  }
  const post = (lab: Lab) => curl(lab, '--data-binary', '@/tmp/large', `http://${VIP}/`)
  const pathMtu = async (lab: Lab): Promise<number | undefined> => {
    const [, mtu] = / mtu (\d+)/.exec((await run(lab, 'c1', `ip route get ${VIP}`)).stdout) ?? []
    return mtu === undefined ? undefined : Number(mtu)
  }
  const deaf = 'iptables -A INPUT -p icmp --icmp-type fragmentation-needed -j DROP'

  test('a large reply does not pass it', async ({ lab }) => {
    await prepare(lab)
    await run(lab, 'c1', deaf)
    const stop = await lab.capture({
      capture: 'full',
      node: 'c1',
      device: 'eth0',
      filter: `src ${VIP} and ip[2:2] > ${tunnelMtu(MTU)}`,
    })
    expect(await curl(lab, `http://${VIP}/large`)).toBe('200')
    await stop()
    expect((await run(lab, 'c1', 'stat -c %s /tmp/answer')).stdout.trim()).toBe(`${LARGE}`)
    // packets that the tunnel would not take
    expect(eventsOf(lab.history, 'packet').length).toBeGreaterThan(0)
    expect(await counter(lab, 'd1', 'IcmpOutDestUnreachs')).toBe(0)
  })

  test('a large request does: the director says what fits, and the client sends less', async ({ lab }) => {
    await prepare(lab)
    expect(await pathMtu(lab)).toBeUndefined()
    expect(await post(lab)).toBe('200')
    expect(await pathMtu(lab)).toBe(tunnelMtu(MTU))
    expect(await counter(lab, 'd1', 'IcmpOutDestUnreachs')).toBeGreaterThan(0)
    expect(await counter(lab, 'd1', 'IpFragCreates')).toBe(0)
  })

  test('where that ICMP is dropped, large requests hang and small ones do not; cured by the MSS', async ({ lab }) => {
    await prepare(lab)
    await run(lab, 'c1', deaf)
    expect(await curl(lab, `http://${VIP}/`)).toBe('200')
    expect(await post(lab)).toBe('000')
    expect(await pathMtu(lab)).toBeUndefined()
    const mss = `-p tcp --sport 80 --tcp-flags SYN,RST SYN -j TCPMSS --set-mss ${tunnelMss(MTU)}`
    await run(lab, 'rs1', `iptables -t mangle -A OUTPUT ${mss}`)
    expect(await post(lab)).toBe('200')
  })

  test('also cured by pmtu_disc 0 on the director, which then fragments', async ({ lab }) => {
    await prepare(lab)
    await run(lab, 'c1', deaf)
    expect(await post(lab)).toBe('000')
    await run(lab, 'd1', 'sysctl -w net.ipv4.vs.pmtu_disc=0')
    expect(await post(lab)).toBe('200')
    expect(await counter(lab, 'd1', 'IpFragCreates')).toBeGreaterThan(0)
    expect(await counter(lab, 'rs1', 'IpReasmOKs')).toBeGreaterThan(0)
  })
})
