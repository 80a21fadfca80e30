import { expect, it } from 'vitest'
import { bound, DIRECTORS, fault, holds, historyInTime, mark, request, SERVICE, table, VIP } from './examples.ts'
import { judge, type PlannedCheck } from './rules.ts'

const directors = [
  { node: 'd1', address: '10.0.0.2' },
  { node: 'd2', address: '10.0.0.3' },
]
const oneOwner: PlannedCheck = {
  ...{ check: 'single-owner', title: 'one owner', rule: 'single-owner' },
  params: { vip: VIP, directors, bound: bound(1000) },
}
const alone = historyInTime([holds(0, 'd1'), mark(9000)])
const both = historyInTime([holds(0, 'd1'), holds(10, 'd2'), mark(9000)])

it('judges by the rule that a check names', () => {
  expect(judge(alone, oneOwner).outcome).toBe('PASS')
  expect(judge(both, oneOwner).outcome).toBe('FAIL')
})

it('turns PASS and FAIL round where the check must fail, and leaves INCONCLUSIVE', () => {
  const wrong: PlannedCheck = { ...oneOwner, expected: 'FAIL' }
  expect(judge(both, wrong)).toMatchObject({
    outcome: 'PASS',
    reason: expect.stringMatching(/^This was to fail, and did: Dual MASTER/),
  })
  expect(judge(alone, wrong)).toMatchObject({
    outcome: 'FAIL',
    reason: expect.stringMatching(/^This was to fail, and did not: No two live directors/),
  })
  expect(judge(historyInTime([mark(9000)]), wrong).outcome).toBe('INCONCLUSIVE')
})

it('blames no starved machine for what keepalived says of its configuration', () => {
  const probe = { kind: 'probe' as const, t: 0, phase: 'stop' as const, probe: 'p', client: 'c1', target: '', rate: 50 }
  const starved = historyInTime([probe, { ...request(100), scheduled: 0 }, holds(0, 'd1'), holds(10, 'd2'), mark(9000)])
  expect(judge(starved, oneOwner).outcome).toBe('INCONCLUSIVE')
  const line = "Unknown keyword 'auth_paas'"
  starved.add({
    kind: 'command',
    t: 10,
    done: 20,
    node: 'd1',
    command: 'keepalived --config-test',
    code: 1,
    output: line,
  })
  const params = { director: 'd1', command: 'keepalived --config-test' }
  expect(judge(starved, { check: 'c', title: 't', rule: 'configuration', params })).toMatchObject({
    outcome: 'FAIL',
    reason: expect.stringContaining(line),
  })
})

it('says INCONCLUSIVE of parameters that a rule cannot use', () => {
  const broken = { ...oneOwner, params: { vip: VIP } } as unknown as PlannedCheck
  expect(judge(alone, broken)).toMatchObject({
    outcome: 'INCONCLUSIVE',
    reason: expect.stringContaining('The check itself failed'),
  })
})

it.for([{}, 5000, '1 s', bound(Number.NaN), { ...bound(1000), maxMs: '300' }, bound(1000, 2000)])(
  'lets nothing pass by a bound that is none: %j',
  wrong => {
    const params = { ...oneOwner.params, bound: wrong } as never
    expect(judge(alone, { ...oneOwner, params })).toMatchObject({
      outcome: 'INCONCLUSIVE',
      reason: expect.stringContaining('params.bound is no bound'),
    })
  },
)

it('proves what it says of a service by that service, not by all that the director has', () => {
  const all = { ...table(0, 'd1', ['rs1', 'rs2']) }
  all.services = [
    ...all.services,
    ...table(0, 'd1', ['rs1']).services.map(one => ({ ...one, service: 'TCP 10.0.0.101:80' })),
  ]
  const history = historyInTime([
    holds(0, 'd1'),
    all,
    fault(1000, 'web-stop', 'rs1'),
    table(2000, 'd1', ['rs2']),
    mark(9000),
  ])
  const { outcome, proof } = judge(history, {
    ...{ check: 'server', title: 'rs1 leaves', rule: 'pool' },
    params: {
      ...{ vip: VIP, directors: DIRECTORS, service: SERVICE, fault: 'web-stop', downBound: bound(4000) },
      server: { node: 'rs1', address: '10.0.0.11', port: 80 },
    },
  })
  expect(outcome).toBe('PASS')
  const tables = proof.filter(event => event.kind === 'ipvs')
  expect(tables.length).toBeGreaterThan(0)
  expect(tables.flatMap(({ services }) => services.map(({ service }) => service))).toEqual(tables.map(() => SERVICE))
})
