import { describe } from 'vitest'
import { labTest } from '../src/suite/lab-test.ts'
import { loadTopology } from '../src/topology/load.ts'
import { planTopology } from '../src/verify/plan.ts'
import { planScenarios } from '../src/verify/scenarios.ts'

const dir = 'topologies/keepalived-dr'
const test = labTest(dir)

describe('the keepalived DR pair', () => {
  for (const scenario of planScenarios(planTopology(loadTopology(dir)))) {
    test(scenario.name, async ({ lab, judge }) => {
      await scenario.drive(lab)
      for (const check of scenario.checks) judge(check)
    })
  }
})
