import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { anInstance } from '../model/examples.ts'
import { loadTopology } from '../topology/load.ts'
import type { Bound } from '../model/types.ts'
import { type Plan, planTopology } from './plan.ts'
import { promisesOf } from './promises.ts'
import { planScenarios } from './scenarios.ts'
import {
  bridgedPlan,
  callsOf,
  changedPlan,
  checkOf,
  planOf,
  planWith,
  same,
  scenarioNames,
  scenarioOf,
  whyUntested,
} from './testing.ts'
import { movingTogether } from './vips.ts'

describe('a VIP that two directors hold', () => {
  it('is one VIP, also where they are in two VRRP groups: neither hears the other', () => {
    const plan = planWith(
      text => text,
      text => text.replace('virtual_router_id 50', 'virtual_router_id 51'),
    )
    expect(plan.vips.map(vip => vip.members.map(m => m.node))).toEqual([['d1', 'd2']])
    expect(plan.readiness[0]?.condition).toMatchObject({ kind: 'owner', node: 'd1', others: ['d2'] })
    expect(plan.dualMaster.join()).toMatch(/virtual_router_id differs \(d1: 50, d2: 51\)/)
  })

  it('may be on either of them where their priorities are equal', () => {
    const plan = planWith(
      text => text,
      text => text.replace('priority 80', 'priority 100'),
    )
    expect(plan.readiness[0]?.title).toBe('10.0.0.100 is on one of d2, d1 alone')
    planScenarios(plan)
    expect(plan.untested.map(u => u.why)).toContain(
      'd2 and d1 have equal priorities: who is MASTER is whoever comes first',
    )
  })
})

describe('a VIP that one director alone lists', () => {
  const MORE = '10.0.0.101/24 dev eth0\n'
  const list = (text: string) => text.replace('virtual_ipaddress {', `virtual_ipaddress {\n${MORE}`)

  it('is to move all the same, and is not waited for where the MASTER has it not', () => {
    const plan = planWith(same, list)
    expect(plan.vips.map(({ address, members }) => [address, members.map(({ node }) => node).join()])).toEqual([
      ['10.0.0.100', 'd1,d2'],
      ['10.0.0.101', 'd1,d2'],
    ])
    expect(plan.readiness.filter(({ title }) => title.includes(' is on ')).map(({ title }) => title)).toEqual([
      '10.0.0.100 is on d1 alone',
    ])
    expect(promisesOf(plan).vips).toEqual([
      '10.0.0.100: d1 (priority 100), then d2 (80)',
      '10.0.0.101: d1 (priority 100, VI_1 does not list it), then d2 (80)',
    ])
  })
})

describe('unicast peers on two networks', () => {
  const folders: string[] = []
  afterEach(() => {
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
  })

  const planAcross = (interfacesOfD2: string): Plan => {
    const dir = mkdtempSync(path.join(os.tmpdir(), 'lvslab-plan-'))
    folders.push(dir)
    writeFileSync(
      path.join(dir, 'topology.yaml'),
      `name: zones
networks:
  a: { subnet: 10.1.0.0/24, gateway: 10.1.0.1 }
  b: { subnet: 10.2.0.0/24, gateway: 10.2.0.1 }
nodes:
  r1: { role: router, interfaces: { eth0: { network: a, address: 10.1.0.1 }, eth1: { network: b, address: 10.2.0.1 } } }
  c1: { role: client, interfaces: { eth0: { network: a, address: 10.1.0.50 } } }
  d1: { role: director, interfaces: { eth0: { network: a, address: 10.1.0.5 } } }
  d2: { role: director, interfaces: { ${interfacesOfD2} } }
`,
    )
    for (const [node, own, peer, priority] of [
      ['d1', '10.1.0.5', '10.2.0.5', 110],
      ['d2', '10.2.0.5', '10.1.0.5', 70],
    ] as const) {
      mkdirSync(path.join(dir, node, 'etc/keepalived'), { recursive: true })
      writeFileSync(
        path.join(dir, node, 'etc/keepalived/keepalived.conf'),
        `vrrp_instance V {
    interface eth0
    virtual_router_id 10
    priority ${priority}
    unicast_src_ip ${own}
    unicast_peer {
        ${peer}
    }
    virtual_ipaddress {
        192.0.2.10/32
    }
}
virtual_server 192.0.2.10 80 {
    protocol TCP
    real_server 10.1.0.11 80 {
        weight 1
    }
}
`,
      )
    }
    return planTopology(loadTopology(dir))
  }

  it('hold one VIP, which moves; how clients follow, and what a router passes on, is not judged', () => {
    const plan = planAcross('eth0: { network: b, address: 10.2.0.5 }')
    expect(promisesOf(plan).vips).toEqual(['192.0.2.10: d1 (priority 110), then d2 (70)'])
    expect(checkOf(scenarioOf(plan, 'failover-stop-192.0.2.10'), 'failover-stop').params).not.toHaveProperty('watch')
    const apart = 'd1 and d2 are on different networks'
    expect(whyUntested(plan, 'service 192.0.2.10:80/TCP')).toBe(
      `${apart}: what leads clients to the one that has 192.0.2.10 is not known`,
    )
    expect(whyUntested(plan, 'adverts and gratuitous ARP of 192.0.2.10 around a crash')).toBe(
      `${apart}, and a router passes adverts on`,
    )
  })

  it('may not hear each other where one has an interface on the network of the other as well', () => {
    const plan = planAcross('eth0: { network: b, address: 10.2.0.5 }, eth1: { network: a, address: 10.1.0.6 }')
    const why =
      'd2 has an interface on a of d1, but speaks VRRP by eth0 alone: whether they hear each other is not known'
    const { promises, untested } = promisesOf(plan)
    expect(promises.map(({ check }) => check)).toEqual(['configuration-d1', 'configuration-d2'])
    expect(untested).toContainEqual({ what: 'one director at a time holds the VIP 192.0.2.10', why })
    expect(untested).toContainEqual({ what: 'failover of 192.0.2.10 after a crash', why })
    expect(plan.readiness[0]?.condition).toMatchObject({ kind: 'any', of: [{ others: [] }, { others: [] }] })
  })
})

describe('a priority that is not known', () => {
  const TRACKED = 'vrrp_track_process nginx {\nprocess nginx\nweight 30\n}\n'

  it.each([
    [
      'track_process nginx of VI_1',
      (text: string) => TRACKED + text.replace('advert_int 1', 'advert_int 1\ntrack_process {\nnginx\n}'),
    ],
    [
      'what G tracks',
      (text: string) => `${TRACKED + text}vrrp_sync_group G {\ngroup {\nVI_1\n}\ntrack_process {\nnginx\n}\n}`,
    ],
  ])('leaves open who is MASTER, and nothing of the VIP is judged by it: %s', (what, change) => {
    const plan = planWith(same, change)
    expect(plan.readiness[0]?.title).toBe('10.0.0.100 is on one of d1, d2 alone')
    expect(scenarioNames(plan).filter(name => name.startsWith('failover'))).toEqual([])
    expect(plan.untested.map(({ why }) => why)).toContain(
      `${what} changes the priority of d2, and whether it is up in the lab is not known`,
    )
  })
})

describe('three directors', () => {
  it('have no certain successor where the second and the third are alike', () => {
    const plan = planWith(same)
    const [vip] = plan.vips
    const [, second] = vip?.members ?? []
    if (!vip || !second) throw new Error('no pair')
    vip.members.push({ ...second, node: 'd3' })
    expect(scenarioNames(plan).filter(name => name.startsWith('failover'))).toEqual([])
    expect(plan.untested.map(({ why }) => why)).toContain(
      'd2 and d3 have equal priorities: who takes over is whoever comes first',
    )
  })
})

describe('a topology with other ways to move a VIP', () => {
  it('takes the VIPs of a sync group together', () => {
    const plan = planOf('keepalived-nat-pair')
    const [outside, inside] = plan.vips
    if (!outside || !inside) throw new Error('no VIPs')
    expect(movingTogether(plan, inside)).toEqual([outside, inside])
    const apart = { ...outside, members: outside.members.map(m => ({ ...m, instance: anInstance() })) }
    expect(movingTogether({ vips: [apart, inside] }, apart)).toEqual([apart])
    expect(movingTogether({ vips: [apart, inside] }, inside)).toEqual([inside])
  })

  it('says where a sync group has its highest priorities on different directors', () => {
    const plan = planOf('keepalived-nat-pair')
    plan.vips[1]?.members.reverse()
    expect(scenarioNames(plan).filter(name => name.startsWith('failover'))).toEqual([])
    expect(plan.untested.map(({ why }) => why)).toContain(
      'the instances of the sync group PAIR have their highest priorities on different directors',
    )
  })

  it('does not know the MASTER of a VIP on VMACs, of which a macvlan network has one up', async () => {
    const why =
      'd1 and d2 have a VMAC of one hardware address, of which a macvlan network has one up at a time: `driver: bridge` of lan in topology.yaml has both'
    const onVmac = (text: string) =>
      text.replace('priority', 'use_vmac\npriority').replace(' dev eth0 label eth0:1', '')
    const both = changedPlan(same, onVmac)
    expect(scenarioNames(both).filter(name => name.startsWith('failover'))).toEqual([])
    expect(both.untested.map(one => one.why)).toContain(why)
    const one = planWith(same, onVmac)
    expect(scenarioNames(one).filter(name => name.startsWith('failover'))).not.toEqual([])

    const bridged = bridgedPlan(onVmac)
    expect(scenarioNames(bridged).filter(name => name.startsWith('failover'))).toEqual(
      ['stop', 'crash', 'link-eth0'].map(cause => `failover-${cause}-10.0.0.100`),
    )
    // what a VMAC sends passes the NIC
    expect(scenarioOf(bridged, 'failover-crash-10.0.0.100').checks.map(({ check }) => check)).toContain('garp-crash')
    expect(bridged.untested).toEqual([])
    // a crashed director answers for the VMAC still: whom clients lose with the next adverts is to be seen
    const sleeps = async (plan: Plan) =>
      (await callsOf(plan, 'failover-crash-10.0.0.100')).filter(([call]) => call === 'sleep').map(([, ms]) => ms)
    const moves = checkOf(scenarioOf(bridged, 'failover-crash-10.0.0.100'), 'failover-crash').params as { bound: Bound }
    const [, plain] = await sleeps(changedPlan(same))
    expect((await sleeps(bridged))[1]).toBe(Number(plain) + 2 * 1_000 + moves.bound.maxMs)
    const ofVips = bridgedPlan(text => text.replace('priority', 'use_vmac_addr\npriority'))
    expect(scenarioNames(ofVips).filter(name => name.startsWith('failover'))).toEqual([])
    expect(ofVips.untested.map(one => one.why)).toContain(
      'VI_1 on d1 has its VIPs on VMACs of their own (use_vmac_addr): that is not tried',
    )
  })

  it('does not know the MASTER of a VIP with nopreempt', () => {
    const plan = planOf('keepalived-preempt')
    expect(plan.readiness.map(r => r.title)).toEqual([
      '10.0.0.100 is on d1 alone',
      '10.0.0.101 is on d1 alone',
      '10.0.0.102 is on one of d1, d2 alone',
      '10.0.0.103 is on d1 alone',
    ])
    expect(scenarioNames(plan).filter(name => name.includes('10.0.0.102'))).toEqual([])
    expect(plan.untested.map(u => u.why)).toContain('d1 has nopreempt: who is MASTER is whoever comes first')
  })
})
