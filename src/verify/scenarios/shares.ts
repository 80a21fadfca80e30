import { cycleShares } from '../../model/shares.ts'
import type { Plan, PlannedService } from '../plan.ts'
import { PROBE_RATE, type Scenario } from '../scenario.ts'
import { PROBE } from './common.ts'

export const sharesScenario = (plan: Plan, planned: PlannedService): Scenario[] => {
  const { service, servers } = planned
  const expected = cycleShares(service, server => servers.find(s => s.server === server)?.node ?? server.address)
  if (!expected || expected.cycle === 0) {
    const why = service.persistence ? 'the service is persistent' : `${service.scheduler} has no exact share`
    plan.untested.push({ what: `shares of ${planned.name}`, why })
    return []
  }
  const requests = expected.cycle * Math.ceil(100 / expected.cycle)
  return [
    {
      name: `shares-${planned.name}`,
      drive: async lab => {
        const probe = await lab.http({
          ...{ probe: PROBE, client: plan.client, url: planned.url, rate: PROBE_RATE, count: requests },
        })
        await probe.ended()
      },
      checks: [
        {
          check: `shares-${planned.name}`,
          title: `${service.scheduler} shares the connections to ${planned.name} out to ${Object.keys(expected.shares).join(', ')}`,
          rule: 'shares',
          params: { probe: PROBE, expected },
        },
      ],
    },
  ]
}
