import { describe, expect } from 'vitest'
import { tablesOf } from '../src/history/queries.ts'
import type { Lab } from '../src/lab/lab.ts'
import { sharesByArp } from '../src/model/arp.ts'
import { labTest } from '../src/suite/lab-test.ts'
import { ask, askers, CLIENT, VIP } from './ipvsadm.ts'
import { macOf, run, values } from './steps.ts'
import { outcomes } from './traffic.ts'

const test = labTest('topologies/ipvsadm-dr')

const NODES = ['d1', 'rs1', 'rs2']
const SERVERS = ['rs1', 'rs2']
const RR = { rs1: 1, rs2: 1 }
const LATE = { delayMs: 50, protocol: 'arp' } as const

/** The node whose MAC address c1 has for the VIP. */
const learnt = async (lab: Lab): Promise<string> => {
  const [, mac = 'no MAC address'] = /lladdr (\S+)/.exec((await run(lab, 'c1', `ip neigh show ${VIP}`)).stdout) ?? []
  const macs = nodeByMac.get(lab) ?? new Map<string, string>()
  nodeByMac.set(lab, macs)
  for (const node of macs.size === 0 ? NODES : []) macs.set(await macOf(lab, node), node)
  const node = macs.get(mac)
  if (node === undefined) throw new Error(`c1 has ${mac} for ${VIP}, which is no node's`)
  return node
}

const nodeByMac = new WeakMap<Lab, Map<string, string>>()

/** c1 forgets the VIP, asks for it four times, and gets what the node that it found then gives. */
const flushAndAsk = async (lab: Lab, probe: string): Promise<string> => {
  await run(lab, 'c1', 'ip neigh flush dev eth0')
  await ask(lab, probe)
  const winner = await learnt(lab)
  const title = `${probe}: c1 found ${winner}, and is answered accordingly`
  expect(lab.history).toShareExactly(sharesByArp(winner, 'd1', RR), { probe, check: probe, title })
  return winner
}

/** Connections that the director has balanced. */
const balanced = async (lab: Lab): Promise<number> => {
  await lab.sleep(2_500) // the kernel adds its counters up every 2 s
  await lab.snapshot()
  const destinations = tablesOf(lab.history, 'd1').at(-1)?.services[0]?.destinations ?? []
  return destinations.reduce((sum, { counters }) => sum + (counters?.connections ?? 0), 0)
}

/** Takes away what keeps the real servers from answering for the VIP. */
const uncure = async (lab: Lab): Promise<void> => {
  for (const node of SERVERS) await run(lab, node, 'arptables -F')
}

const SILENT = 'sysctl -w net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2'

test('the director shares connections out in turn, and replies bypass it', async ({ lab }) => {
  await ask(lab, 'clients')
  expect(lab.history).toShareExactly(RR, { probe: 'clients' })
  expect(await learnt(lab)).toBe('d1')
  expect(await balanced(lab)).toBe(4)
  const destinations = tablesOf(lab.history, 'd1').at(-1)?.services[0]?.destinations
  expect(destinations?.map(({ counters }) => counters?.packetsOut)).toEqual([0, 0])
  // the real servers see the clients themselves
  for (const node of SERVERS) expect(await askers(lab, node)).toBe(CLIENT)
})

describe('the VIP is on the NIC of three nodes, and all of them answer for it', () => {
  test('over 30 ARP flushes, whoever replies first has the client', async ({ lab }) => {
    await uncure(lab)
    // on a real network the replies race; here they would come in the same order each time
    for (const node of NODES) await lab.inject('netem', node, { delayMs: 10, jitterMs: 10, protocol: 'arp' })
    const winners: string[] = []
    for (let n = 0; n < 30; n++) winners.push(await flushAndAsk(lab, `flush-${n}`))
    await lab.mark(`found: ${winners.join(' ')}`)
    expect(values(winners).length).toBeGreaterThan(1)
    await lab.faults.healAll()
  })

  for (const [cure, script] of Object.entries({
    'arptables, from the saved file': '/usr/lib/lvslab/service arptables start',
    'arp_ignore and arp_announce, with the VIP on lo': `${SILENT}; ip address del ${VIP}/24 dev eth0; ip address add ${VIP}/32 dev lo`,
  })) {
    test(`the director replies 50 ms late: all go to one real server; cured by ${cure}`, async ({ lab }) => {
      await uncure(lab)
      const heal = await lab.inject('netem', 'd1', LATE)
      const before = await balanced(lab)
      const winners: string[] = []
      for (const n of [0, 1, 2]) winners.push(await flushAndAsk(lab, `failing-${n}`))
      expect(winners).not.toContain('d1')
      expect(await balanced(lab)).toBe(before)

      for (const node of SERVERS) await run(lab, node, script)
      for (const n of [0, 1, 2]) expect(await flushAndAsk(lab, `cured-${n}`)).toBe('d1')
      expect(await balanced(lab)).toBe(before + 12)
      await heal()
    })
  }

  test('arp_ignore 1 is no cure while the VIP is on the NIC that is asked', async ({ lab }) => {
    await uncure(lab)
    for (const node of SERVERS) await run(lab, node, SILENT)
    const heal = await lab.inject('netem', 'd1', LATE)
    expect(SERVERS).toContain(await flushAndAsk(lab, 'sysctls-alone'))
    await heal()
  })

  test('without the OUTPUT rule a real server that looks for the client takes it over, and cannot answer it', async ({
    lab,
  }) => {
    expect(await flushAndAsk(lab, 'before')).toBe('d1')
    // as it does after a while, rs1 asks who has the client; in its request the VIP is its own address
    const forget = `ip neigh flush to ${CLIENT}`
    await run(lab, 'rs1', forget)
    await ask(lab, 'with-the-rule')
    expect(lab.history).toShareExactly(RR, { probe: 'with-the-rule' })
    expect(await learnt(lab)).toBe('d1')

    await run(lab, 'rs1', `arptables -F OUTPUT; ${forget}`)
    await ask(lab, 'without-the-rule')
    expect(await learnt(lab)).toBe('rs1')
    // what the client replies is for the VIP, and the INPUT rule drops it
    await ask(lab, 'taken-over')
    expect(outcomes(lab, 'taken-over')).toEqual(['timeout', 'timeout', 'timeout', 'timeout'])

    // rs1 is still waiting for a reply to its last request: it begins anew
    await run(lab, 'rs1', `/usr/lib/lvslab/service arptables start; ${forget}`)
    expect(await flushAndAsk(lab, 'cured')).toBe('d1')
  })

  test('arptables-save writes what is loaded again when the real server has restarted', async ({ lab }) => {
    const rules = async (): Promise<string> => (await run(lab, 'rs1', 'arptables-save | grep ^-A')).stdout
    const before = await rules()
    expect(before.trim().split('\n')).toHaveLength(2)
    await run(lab, 'rs1', 'arptables-save >/etc/arptables.rules')
    const boot = await lab.inject('node-restart', 'rs1')
    await boot()
    expect(await rules()).toBe(before)
    expect(await flushAndAsk(lab, 'restarted')).toBe('d1')
  })
})

describe('the service ipvsadm', () => {
  const weights = async (lab: Lab): Promise<Record<string, number>> => {
    await lab.snapshot()
    const destinations = tablesOf(lab.history, 'd1').at(-1)?.services[0]?.destinations ?? []
    return Object.fromEntries(destinations.map(({ address, weight }) => [address, weight]))
  }
  const weigh = (lab: Lab, weight: number) => run(lab, 'd1', `ipvsadm -e -t ${VIP}:80 -r 172.25.12.3 -g -w ${weight}`)

  test('saves the table when it stops, so that a restart keeps it; a power cut loses what was not saved', async ({
    lab,
  }) => {
    await weigh(lab, 0)
    const restart = await lab.inject('node-restart', 'd1')
    await restart()
    expect(await weights(lab)).toEqual({ '172.25.12.2': 1, '172.25.12.3': 0 })
    await ask(lab, 'restarted')
    expect(lab.history).toShareExactly({ rs1: 1 }, { probe: 'restarted' })

    await weigh(lab, 5)
    const boot = await lab.inject('node-kill', 'd1')
    await boot()
    expect(await weights(lab)).toEqual({ '172.25.12.2': 1, '172.25.12.3': 0 })
  })

  test('does not start without its file; an empty one will do', async ({ lab }) => {
    const service = (action: string) => lab.exec('d1', ['/usr/lib/lvslab/service', 'ipvsadm', action], { record: true })
    await run(lab, 'd1', 'ipvsadm -C; rm /etc/ipvsadm.rules')
    expect(await service('start')).toMatchObject({
      code: expect.not.toSatisfy(code => code === 0),
      stderr: expect.stringContaining('/etc/ipvsadm.rules: No such file'),
    })
    await run(lab, 'd1', 'touch /etc/ipvsadm.rules')
    expect(await service('start')).toMatchObject({ code: 0 })
    await run(lab, 'd1', `ipvsadm -A -t ${VIP}:80 -s rr; ipvsadm -a -t ${VIP}:80 -r 172.25.12.2:80 -g`)
    expect((await run(lab, 'd1', 'cat /etc/ipvsadm.rules')).stdout).toBe('')
    expect(await service('stop')).toMatchObject({ code: 0 })
    expect((await run(lab, 'd1', 'cat /etc/ipvsadm.rules; ipvsadm -Sn')).stdout).toBe(
      `-A -t ${VIP}:80 -s rr\n-a -t ${VIP}:80 -r 172.25.12.2:80 -g -w 1\n`,
    )
  })

  test('says which file it cannot load, and why', async ({ lab }) => {
    await run(lab, 'd1', `ipvsadm -C; echo '-A -t ${VIP}:80 -s robin' >/etc/ipvsadm.rules`)
    const { code, stderr } = await lab.exec('d1', ['/usr/lib/lvslab/service', 'ipvsadm', 'start'])
    expect({ code, lines: stderr.trim().split('\n') }).toEqual({
      code: 1,
      lines: ['Scheduler or persistence engine not found', 'ipvsadm-restore did not take /etc/ipvsadm.rules'],
    })
  })
})
