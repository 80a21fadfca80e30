import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { LvslabError } from '../../errors.ts'
import type { Node, Topology } from '../../topology/types.ts'
import { prepareFault } from './prepare.ts'
import { FAULTS, type FaultArguments, type FaultName } from './registry.ts'

const node = (name: string, role: Node['role'], ...addresses: string[]): Node => ({
  ...{ name, role, loopback: [], tunnels: [], sysctls: {}, routes: [] },
  interfaces: addresses.map((address, n) => ({
    name: `eth${n}`,
    network: address.startsWith('10.0.') ? 'lan' : 'dmz',
    address,
    addresses: [],
  })),
})

const topology: Topology = {
  name: 'pair',
  dir: '/',
  networks: [
    { name: 'lan', subnet: '10.0.0.0/24' },
    { name: 'dmz', subnet: '10.1.0.0/24' },
  ],
  nodes: [
    node('c1', 'client', '10.0.0.50'),
    node('d1', 'director', '10.0.0.200', '10.1.0.200'),
    node('d2', 'director', '10.0.0.201'),
    node('rs1', 'realserver', '10.1.0.10'),
  ],
}

const prepare = <F extends FaultName>(fault: F, node: string, ...[params]: FaultArguments<F>) =>
  prepareFault(topology, fault, node, params, 7)

const refusal = (run: () => unknown): LvslabError => {
  try {
    run()
  } catch (error) {
    if (error instanceof LvslabError) return error
    throw error
  }
  throw new Error('it was not refused')
}

/** The scripts of all steps, with their preparation. */
const scripts = (steps: ReturnType<typeof prepare>['inject']): string[] =>
  steps.flatMap(step => ('script' in step ? [`${step.prepare ?? ''}\n${step.script}`] : []))

describe('every fault', () => {
  test.for(Object.keys(FAULTS) as FaultName[])('%s can be injected with its example, healed and proved', fault => {
    const { roles = ['director'], example, title } = FAULTS[fault]
    const on = roles.includes('realserver') ? 'rs1' : 'd1'
    const params = fault === 'partition' ? { with: ['c1'] } : example
    const { inject, heal, healed } = prepareFault(topology, fault, on, params, 1)
    expect(title).toContain('NODE')
    for (const steps of [inject, heal, healed]) expect(steps.length).toBeGreaterThan(0)
    expect(inject.some(step => step.node === on)).toBe(true)
  })
})

describe('what does not fit is refused before anything is touched', () => {
  test('an unknown fault', () => {
    const error = refusal(() => prepareFault(topology, 'httpd-crsh' as FaultName, 'rs1', {}, 1))
    expect(error).toMatchObject({ code: 'FAULT_UNKNOWN', exitCode: 2 })
    expect(error.message).toContain('did you mean "httpd-crash"?')
  })

  test('a name that every object has', () => {
    expect(refusal(() => prepareFault(topology, 'toString' as FaultName, 'rs1', {}, 1)).code).toBe('FAULT_UNKNOWN')
  })

  test('an unknown node', () => {
    const error = refusal(() => prepare('keepalived-stop', 'd3'))
    expect(error).toMatchObject({ code: 'FAULT_NODE', remedy: 'one of c1, d1, d2, rs1' })
    expect(error.message).toContain('"d3"')
  })

  test('a node of another role', () => {
    const error = refusal(() => prepare('httpd-crash', 'd1'))
    expect(error.message).toBe('httpd-crash: d1 is a director, and this is for a realserver')
    expect(error.remedy).toBe('one of rs1')
  })

  test.for<[FaultName, object, RegExp]>([
    ['httpd-slow', {}, /delayMs/],
    ['httpd-slow', { delayMs: -5 }, /-5.*delayMs/s],
    ['httpd-error', { status: 418 }, /418.*status/s],
    ['httpd-crash', { hard: true }, /hard/],
    ['netem', { delay: 5 }, /delay/],
    ['config-change', { file: '/etc/keepalived/keepalived.conf' }, /either content or replace/],
    ['config-change', { file: 'keepalived.conf', content: '' }, /start/],
    ['ipvsadm', { args: [] }, /args/],
    ['ipvsadm', { args: ['--set', '0', '5', '0'] }, /the first word is none of -A/],
  ])('parameters of %s: %j', ([fault, params, why]) => {
    const on = fault.startsWith('httpd') ? 'rs1' : 'd1'
    const error = refusal(() => prepareFault(topology, fault, on, params, 1))
    expect(error).toMatchObject({ code: 'FAULT_PARAMS', exitCode: 2 })
    expect(error.message).toMatch(why)
    expect(error.remedy).toContain(`lab.inject('${fault}'`)
  })

  test.for<[object, string]>([
    [{}, 'nothing to impair'],
    [{ jitterMs: 5 }, 'jitterMs 5 without a delayMs'],
    [{ reorderPercent: 25 }, 'reorderPercent 25 without a delayMs'],
  ])('netem with %j', ([params, why]) => {
    expect(refusal(() => prepare('netem', 'd1', params)).message).toContain(why)
  })

  test('a device that the node does not have', () => {
    for (const error of [
      refusal(() => prepare('link-down', 'd1', { device: 'eth7' })),
      refusal(() => prepare('netem', 'd1', { device: 'eth7', delayMs: 5 })),
    ]) {
      expect(error).toMatchObject({ code: 'FAULT_DEVICE', remedy: 'device: eth0 or eth1, as topology.yaml has them' })
      expect(error.message).toContain('"eth7"')
    }
  })

  test('an address that the node does not have', () => {
    const error = refusal(() => prepare('httpd-refuse', 'rs1', { addresses: ['10.1.0.10', '10.1.0.11'] }))
    expect(error).toMatchObject({ code: 'FAULT_ADDRESS', remedy: 'addresses: some of 10.1.0.10' })
    expect(error.message).toContain('rs1 has no address 10.1.0.11')
  })

  test('a VRRP block from nobody', () => {
    expect(refusal(() => prepare('vrrp-block', 'd1', { peer: 'd9' })).message).toContain('peer: no node "d9"')
  })

  test.for<[object, string]>([
    [{ with: ['d9'] }, 'no node "d9"'],
    [{ with: ['c1', 'd2', 'rs1'] }, 'no node is on the other side'],
    [{ with: ['d2'], from: ['d2'] }, 'd2 is on both sides'],
  ])('partition %j', ([params, why]) => {
    expect(refusal(() => prepare('partition', 'd1', params))).toMatchObject({ code: 'FAULT_PARTITION' })
    expect(refusal(() => prepare('partition', 'd1', params)).message).toContain(why)
  })

  test('a partition from what is behind a router', () => {
    const error = refusal(() => prepare('partition', 'c1', { from: ['rs1'] }))
    expect(error.message).toBe('partition: rs1 shares no network with c1')
  })
})

describe('the steps', () => {
  test('one real server of a farm refuses, and the heal takes just that back', () => {
    const { inject, heal } = prepare('httpd-refuse', 'rs1', { addresses: ['10.1.0.10'] })
    const rule = 'INPUT -d 10.1.0.10 -p tcp -m comment --comment httpd-refuse-7 -j REJECT --reject-with tcp-reset'
    expect(scripts(inject).join()).toContain(`-I ${rule}\n`)
    expect(scripts(heal).join()).toContain(`-D ${rule}\n`)
  })

  test('each program that listens on one of some ports is kept for its heal, and killed once', () => {
    const { inject, heal } = prepare('listener-crash', 'rs1', { protocol: 'udp', ports: [53, 514] })
    const prepared = inject.map(step => ('prepare' in step ? step.prepare : '')).join()
    for (const port of [53, 514]) {
      expect(prepared).toContain(`pids_of 'udp' '${port}'`)
      expect(scripts(heal).join()).toContain(`xargs -0 -a '/run/lvslab/listener-crash-7.${port}' env`)
    }
    expect(scripts(inject).join()).toMatch(/\nkill -KILL \$pids$/)
  })

  test('what is frozen is not frozen again', () => {
    const preparation = (fault: FaultName, on: string): string =>
      prepareFault(topology, fault, on, undefined, 7).inject[0]?.prepare ?? ''
    expect(preparation('keepalived-freeze', 'd1')).toContain("fail 'a process of keepalived is frozen'")
    expect(preparation('httpd-hang', 'rs1')).toContain("fail 'a process of httpd is frozen'")
    expect(preparation('node-pause', 'rs1')).toContain('fail "its processes are held"')
  })

  test('vrrp-block knows IPv6 where a node has it, and then no peer', () => {
    const dual = { ...topology, nodes: topology.nodes.map(one => ({ ...one, loopback: ['fd00::100/128'] })) }
    const { inject, heal, healed } = prepareFault(dual, 'vrrp-block', 'd1', {}, 7)
    for (const steps of [inject, heal])
      expect(scripts(steps).join()).toMatch(/iptables-restore[\s\S]*ip6tables-restore/)
    expect(healed).toHaveLength(2)
    expect(scripts(prepare('vrrp-block', 'd1').inject).join()).not.toContain('ip6tables')
    const named = refusal(() => prepareFault(dual, 'vrrp-block', 'd1', { peer: 'd2' }, 7))
    expect(named).toMatchObject({ code: 'FAULT_PEER', exitCode: 2 })
  })

  test('vrrp-block drops what its direction says, with a mark of its own', () => {
    const [out = ''] = scripts(prepare('vrrp-block', 'd1', { direction: 'out' }).inject)
    expect(out).toContain('-I OUTPUT -p 112 -m comment --comment vrrp-block-7 -j DROP')
    expect(out).not.toContain('INPUT')
    const [both = ''] = scripts(prepare('vrrp-block', 'd1', { peer: 'd2' }).heal)
    expect(both).toContain('-D INPUT -p 112 -s 10.0.0.201 -m comment --comment vrrp-block-7 -j DROP')
    expect(both).toContain('-D OUTPUT -p 112 -d 10.0.0.201 -m comment --comment vrrp-block-7 -j DROP')
  })

  test('a partition is symmetrical, and leaves out who is on no side', () => {
    const { inject } = prepare('partition', 'd1', { with: ['c1'], from: ['d2'] })
    expect(inject.map(step => ['macsOf' in step && step.macsOf, step.node])).toEqual([
      [['d2'], 'd1'],
      [['d2'], 'c1'],
      [['d1', 'c1'], 'd2'],
    ])
    expect(scripts(inject)[0]).toContain("for device in 'eth0' 'eth1'")
    expect(scripts(inject)[2]).toContain("for address in '10.0.0.200' '10.1.0.200' '10.0.0.50'")
  })

  test('netem says it in the words of tc', () => {
    const { inject } = prepare('netem', 'd1', {
      device: 'eth1',
      delayMs: 20,
      jitterMs: 5,
      lossPercent: 1.5,
      reorderPercent: 25,
    })
    expect(scripts(inject)[0]).toContain(
      "tc qdisc add dev 'eth1' root handle 6c76: netem 'delay' '20ms' '5ms' 'loss' '1.5%' 'reorder' '25%'",
    )
  })

  test('netem of one protocol leaves the others alone', () => {
    const [script] = scripts(prepare('netem', 'd1', { delayMs: 50, protocol: 'arp' }).inject)
    expect(script).toContain("tc qdisc add dev 'eth0' parent 6c76:4 netem 'delay' '50ms' &&\n")
    expect(script).toContain("tc filter add dev 'eth0' parent 6c76: protocol 'arp' u32 match u32 0 0 flowid 6c76:4")
  })

  test.for([
    [{ delayMs: 50, protocol: 'arp' }, 'qdisc prio 6c76: root refcnt 2 bands 4'],
    [{ delayMs: 50 }, 'qdisc netem 6c76: root refcnt 2 limit 1000 delay 50ms'],
  ] as const)('netem %j is healed when its handle is gone', ([params, left]) => {
    const [proof] = prepare('netem', 'd1', params).healed
    const proves = (listed: string): boolean =>
      spawnSync('sh', ['-c', `fail() { exit 1; }; tc() { echo '${listed}'; }; ${proof?.script}`]).status === 0
    expect(proves('qdisc noqueue 0: root refcnt 2')).toBe(true)
    expect(proves(left)).toBe(false)
  })

  test('netem of one protocol that is half done is taken back, and has failed', () => {
    const [step] = prepare('netem', 'd1', { delayMs: 50, protocol: 'arp' }).inject
    const script = step && 'script' in step ? step.script : ''
    const tc = (fails: string): { status: number | null; last: string | undefined } => {
      const stub = `tc() { echo "$*"; case $* in ${fails}) return 2 ;; esac; }`
      const { status, stdout } = spawnSync('sh', ['-c', `set -e; ${stub}\n${script}`], { encoding: 'utf8' })
      return { status, last: stdout.trim().split('\n').at(-1) }
    }
    const taken = 'qdisc del dev eth0 root handle 6c76:'
    expect(tc('*netem*')).toEqual({ status: 1, last: taken })
    expect(tc('filter*')).toEqual({ status: 1, last: taken })
    expect(tc('nothing')).toMatchObject({ status: 0, last: expect.stringMatching(/^filter add/) })
  })

  test('a parameter that is left out is what its schema says', () => {
    expect(prepare('httpd-error', 'rs1').params).toEqual({ status: 503 })
    expect(scripts(prepare('httpd-error', 'rs1').inject)[0]).toContain('Redirect 503 /')
  })
})
