import { describe, expect, it } from 'vitest'
import { planScenarios } from '../scenarios.ts'
import { changedPlan, planOf, same, scenarioOf, whyUntested } from '../testing.ts'

describe('a reload, and a backup that is lost', () => {
  const plan = planOf('keepalived-dr')

  it('leave the VIP, its pool and its clients alone, for as long as it might take to move', () => {
    const [reload] = scenarioOf(plan, 'reload-d1').checks
    expect(reload).toMatchObject({
      title:
        'd1 reloads its configuration, and the VIP 10.0.0.100 stays on d1, its pool is what it was, no request fails',
      params: {
        ...{ fault: 'keepalived-reload', node: 'd1', owner: 'd1', services: ['TCP 10.0.0.100:80'] },
        ...{ probe: 'clients of 10.0.0.100', watchBound: { maxMs: 3687.5 } },
      },
    })
    const backup = scenarioOf(plan, 'backup-d2').checks
    expect(backup.map(({ check, params }) => [check, params])).toMatchObject([
      // d2 begins anew, and would be MASTER so long after that
      [
        'backup-stop-d2-10.0.0.100',
        { fault: 'keepalived-stop', node: 'd2', owner: 'd1', watchBound: { maxMs: 3687.5 } },
      ],
      ['backup-crash-d2-10.0.0.100', { fault: 'keepalived-crash', node: 'd2', owner: 'd1' }],
    ])
  })

  it('are not judged where nobody knows who is MASTER', () => {
    const stay = changedPlan(same, text => text.replace('state MASTER', 'state BACKUP\nnopreempt'))
    expect(planScenarios(stay).map(({ name }) => name)).not.toContain('reload-d1')
    expect(whyUntested(stay, 'd1 reloads its configuration, and 10.0.0.100 stays where it is')).toBe(
      'd1 has nopreempt: who is MASTER is whoever comes first',
    )
  })

  it('of several VIPs have a check for each', () => {
    const two = scenarioOf(planOf('keepalived-two-pools'), 'backup-d2')
    expect(two.checks.map(({ params }) => (params as { vip: string }).vip)).toEqual([
      ...['10.0.1.100', '10.0.1.200'],
      ...['10.0.1.100', '10.0.1.200'],
    ])
  })
})
