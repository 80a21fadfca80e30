import { describe, expect, it } from 'vitest'
import type { LabEvent, RequestEvent } from '../history/event.ts'
import { type History, historyOf } from '../history/history.ts'
import type { PlannedCheck } from '../judge/rules.ts'
import type { VrrpInstance } from '../model/types.ts'
import type { PlannedVip } from '../verify/plan.ts'
import { expectCheck } from './matchers.ts'

const VIP = '10.0.0.100'
const member = (node: string, address: string) => ({
  ...{ node, address, network: 'lan', otherNetworks: [], startupDelay: 0, instance: {} as VrrpInstance },
})
const vip: PlannedVip = {
  network: 'lan',
  address: VIP,
  members: [member('d1', '10.0.0.200'), member('d2', '10.0.0.201')],
}
const bound = {
  ...{ name: 'VIP move', formula: '3 x 1 s + (256-80)/256 s = 3.69 s', source: 'RFC 5798 6.1' },
  ...{ minMs: 2690, maxMs: 3690 },
}
const holds = (t: number, node: string): LabEvent => ({
  ...{ kind: 'address', t, change: 'add', node, device: 'eth0', address: VIP, prefix: 24 },
})
const crash: LabEvent = {
  ...{ kind: 'fault', t: 10_000, done: 10_000, phase: 'inject', fault: 'keepalived-crash', node: 'd1' },
}
const end: LabEvent = { kind: 'mark', t: 60_000, label: 'end' }
const crashed = (movedAfter: number): History =>
  historyOf([holds(0, 'd1'), crash, holds(10_000 + movedAfter, 'd2'), end])
const failover = { vip, from: 'd1', to: 'd2', fault: 'keepalived-crash', slackMs: 0 }

const said = (run: () => void): string => {
  try {
    run()
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
  return 'nothing: it passed'
}

describe('what an operator reads', () => {
  it('is verdict, promise, reason, measurement beside bound, formula and source, and the events that prove it', () => {
    expect(said(() => expect(crashed(6000)).toFailOverWithin(bound, failover))).toBe(
      [
        'FAIL  d2 takes over the VIP 10.0.0.100 from d1 after keepalived-crash, within 2.69 s to 3.69 s',
        '  d2 held the VIP 10.0.0.100 6 s after keepalived-crash on d1, which is too late (2.69 s to 3.69 s allowed: 3 x 1 s + (256-80)/256 s = 3.69 s).',
        '  VIP move: measured 6.00 s, bound 2.69 s to 3.69 s: 3 x 1 s + (256-80)/256 s = 3.69 s (RFC 5798 6.1)',
        '  Proved by:',
        '     10.000 s  inject keepalived-crash on d1, took effect within 0.00 s',
        '     16.000 s  10.0.0.100/24 added to eth0 on d2',
      ].join('\n'),
    )
  })

  it('says under .not that what was to fail did not', () => {
    expect(said(() => expect(crashed(3000)).not.toFailOverWithin(bound, failover))).toMatch(
      /^FAIL {2}d2 takes over .*\n {2}This was to fail, and did not: d2 held the VIP 10\.0\.0\.100 3 s after/,
    )
  })
})

describe('outcomes', () => {
  it('PASS passes, and fails under .not; FAIL the other way round', () => {
    expect(crashed(3000)).toFailOverWithin(bound, failover)
    expect(crashed(6000)).not.toFailOverWithin(bound, failover)
    expect(said(() => expect(crashed(3000)).not.toFailOverWithin(bound, failover))).toMatch(/^FAIL/)
  })

  it('INCONCLUSIVE fails in both ways', () => {
    const never = historyOf([holds(0, 'd1'), end])
    expect(said(() => expect(never).toFailOverWithin(bound, failover))).toMatch(/^INCONCLUSIVE/)
    expect(said(() => expect(never).not.toFailOverWithin(bound, failover))).toMatch(/^INCONCLUSIVE/)
  })

  it('says which names the history has where one of the parameters is none of them', () => {
    const one = (params: object) =>
      said(() => expect(crashed(3000)).toFailOverWithin(bound, { ...failover, ...params }))
    expect(one({ fault: 'keepalived-crush' })).toMatch(
      /^INCONCLUSIVE .*\n {2}No fault "keepalived-crush" is in this history; did you mean "keepalived-crash"\?$/s,
    )
    expect(one({ from: 'd3', watch: { probe: 'cleints', stepMs: 20 } })).toMatch(
      /No node "d3" .*did you mean "d[12]"\?\n {2}No probe "cleints" is in this history: it has no probe$/,
    )
    const asked = historyOf([
      { ...end, kind: 'probe', phase: 'start', probe: 'clients', client: 'c1', target: VIP, rate: 1 },
    ])
    expect(said(() => expect(asked).toShareExactly({ rs1: 1 }, { probe: 'cleints' }))).toContain(
      'No probe "cleints" is in this history; did you mean "clients"?',
    )
    expect(one({ bound: undefined, slackMs: 0, to: 'd1' })).not.toContain('is in this history')
  })

  it('is for histories alone', () => {
    expect(said(() => expect([crash]).toFailOverWithin(bound, failover))).toContain('expect(lab.history)')
  })
})

describe('each matcher asks its rule', () => {
  const request = (n: number, server: string): RequestEvent => ({
    ...{ kind: 'request', t: n * 100, scheduled: n * 100, done: n * 100 + 2, probe: 'p', n, client: 'c1', server },
    ...{ source: '10.0.0.50', target: VIP, outcome: 'answered' },
  })
  const table = (t: number, ...addresses: string[]): LabEvent => {
    const rest = { port: 80, forwarding: 'Route' as const, weight: 1, active: 0, inactive: 0 }
    const destinations = addresses.map(address => ({ address, ...rest }))
    const service = { service: `TCP ${VIP}:80`, scheduler: 'rr', persistent: false, destinations }
    return { kind: 'ipvs', t, node: 'd1', reason: 'log', services: [service] }
  }
  const killed: LabEvent = { ...crash, fault: 'httpd-crash', node: 'rs1' }
  const service = `TCP ${VIP}:80`

  it('toKeepOneOwner', () => {
    expect(historyOf([holds(0, 'd1'), end])).toKeepOneOwner(bound, { vip })
    expect(historyOf([holds(0, 'd1'), holds(5, 'd2'), end])).not.toKeepOneOwner(bound, { vip })
    const lost = historyOf([holds(0, 'd1'), { ...holds(5, 'd1'), change: 'remove' } as LabEvent, end])
    expect(lost).toKeepOneOwner(bound, { vip })
    expect(said(() => expect(lost).toKeepOneOwner(bound, { vip, noneBound: bound }))).toContain('nor is it without one')
    // the lab's machine has the time that it has in other matchers
    const gone = { ...holds(10_000, 'd1'), change: 'remove' } as LabEvent
    const moved = (t: number) => historyOf([holds(0, 'd1'), gone, holds(t, 'd2'), end])
    expect(moved(13_790)).toKeepOneOwner(bound, { vip, noneBound: bound })
    expect(moved(13_791)).not.toKeepOneOwner(bound, { vip, noneBound: bound })
  })

  it('toShareExactly', () => {
    const history = historyOf(['rs1', 'rs1', 'rs2', 'rs1', 'rs2', 'rs1'].map((server, n) => request(n, server)))
    expect(history).toShareExactly({ rs1: 2, rs2: 1 }, { probe: 'p' })
    expect(history).not.toShareExactly({ rs1: 1, rs2: 2 }, { probe: 'p' })
    expect(said(() => expect(history).toShareExactly({ rs1: 1, rs2: 2 }, { probe: 'p' }))).toContain(
      'rs2 2 (4 promised), which is off.',
    )
  })

  it('toRemoveServerWithin', () => {
    const server = { node: 'rs1', address: '10.0.0.10', port: 80 }
    const removed = (t: number) => historyOf([holds(0, 'd1'), table(0, server.address), killed, table(t), end])
    const params = { vip, server, service, fault: 'httpd-crash' }
    expect(removed(12_000)).toRemoveServerWithin(bound, params)
    expect(removed(20_000)).not.toRemoveServerWithin(bound, params)
  })

  it('toServeSorryPageOnlyWhenDue', () => {
    const servers = [{ node: 'rs1', address: '10.0.0.10' }]
    const params = { vip, servers, service, fault: 'httpd-crash', probe: 'p' }
    const answered = (n: number) => historyOf([holds(0, 'd1'), killed, request(n, 'd1'), end])
    expect(answered(120)).toServeSorryPageOnlyWhenDue(bound, params)
    expect(answered(300)).not.toServeSorryPageOnlyWhenDue(bound, params)
  })

  it('a check of a plan, which may have to fail', () => {
    const directors = vip.members.map(({ node, address }) => ({ node, address }))
    const check: PlannedCheck = {
      ...{ check: 'one-owner', title: 'd1 alone', rule: 'single-owner', params: { vip: VIP, directors, bound } },
    }
    const both = historyOf([holds(0, 'd1'), holds(5, 'd2'), end])
    expect(said(() => expectCheck(both, check))).toMatch(/^FAIL {2}d1 alone/)
    expectCheck(both, { ...check, expected: 'FAIL' })
  })

  it('toPass takes any rule, and its parameters as they are', () => {
    const params = { director: 'd1', command: 'keepalived --config-test' }
    const tested = (code: number): History =>
      historyOf([{ kind: 'command', t: 1, done: 2, node: 'd1', command: params.command, code, output: '' }])
    expect(tested(0)).toPass('configuration', params)
    expect(tested(4)).not.toPass('configuration', params)
    expect(said(() => expect(tested(4)).toPass('configuration', params, { title: 'd1 accepts it' }))).toMatch(
      /^FAIL {2}d1 accepts it\n {2}`keepalived --config-test` ends with 4 on d1/,
    )
  })
})
