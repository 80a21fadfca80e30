import { describe, expect, it } from 'vitest'
import type { Plan } from '../plan.ts'
import { planScenarios } from '../scenarios.ts'
import { type Change, changedPlan, checkOf, persistent, planOf, SERVICE, scenarioOf, whyUntested } from '../testing.ts'

describe('a quorum', () => {
  const stepsOf = (plan: Plan) => {
    const [check] = scenarioOf(plan, `quorum-${SERVICE}`).checks
    if (check?.rule !== 'quorum') throw new Error('no check of the quorum')
    return check.params.steps
  }
  it('is lost with the server that it does not bear, and gained with that', () => {
    expect(stepsOf(changedPlan(persistent('quorum 2')))).toEqual([
      {
        ...{ phase: 'inject', nodes: ['rs1'], quorum: 'Lost' },
        ...{ destinations: ['127.0.0.1:80'], answers: ['d1', 'd2'] },
      },
      {
        ...{ phase: 'heal', nodes: ['rs1'], quorum: 'Gained' },
        ...{ destinations: ['10.0.0.10:80', '10.0.0.20:80'], answers: ['rs1', 'rs2'] },
      },
    ])
  })

  it('without a sorry server leaves those in the pool that are alive', () => {
    const plan = changedPlan(text => persistent('quorum 2')(text).replace(/sorry_server.*\n/, ''))
    expect(stepsOf(plan)[0]).toMatchObject({ destinations: ['10.0.0.20:80'], answers: ['rs2'], quorum: 'Lost' })
  })

  it('with hysteresis is lost later, and gained when all are back', () => {
    const weights: Change = text => persistent('quorum 3\nhysteresis 1')(text.replaceAll('weight 1', 'weight 2'))
    expect(stepsOf(changedPlan(weights)).map(({ quorum = 'same' }) => quorum)).toEqual([
      'same',
      'Lost',
      'same',
      'Gained',
    ])
  })

  describe('of a virtual_server_group', () => {
    const group: Change = text =>
      `${persistent('quorum 2')(text).replace('10.0.0.100 80 {', 'group WEB {')}\nvirtual_server_group WEB {\n10.0.0.100 80\n}\n`

    it("is found in keepalived's log by the name of the group", () => {
      expect(checkOf(scenarioOf(changedPlan(group), `quorum-${SERVICE}`), `quorum-${SERVICE}`).params).toMatchObject({
        group: 'WEB',
      })
    })

    it('is not judged where a service of another protocol has the same name in the log', () => {
      const udp = 'virtual_server group WEB {\nprotocol UDP\nlvs_method DR\nreal_server 10.0.0.10 53 {\n}\n}\n'
      expect(
        whyUntested(
          changedPlan(text => group(text) + udp),
          `quorum 2 of ${SERVICE}`,
        ),
      ).toContain('group WEB alike')
    })
  })

  it('is not judged where there is none, or a check is not known', () => {
    expect(planScenarios(planOf('keepalived-dr')).map(({ name }) => name)).not.toContain(`quorum-${SERVICE}`)
    const unknown = changedPlan(text => persistent('quorum 2')(text).replace(/HTTP_GET \{.*?url \{.*?\}.*?\}/s, ''))
    expect(whyUntested(unknown, `quorum 2 of ${SERVICE}`)).toContain('no bound is known')
  })

  it('is not judged where it is never reached', () => {
    // of the weights 1 and 9, no node plays the 9
    const heavy: Change = text =>
      persistent('quorum 2')(text).replace(/10\.0\.0\.20 80 \{\s+weight 1/, '10.0.0.30 80 {\nweight 9')
    expect(whyUntested(changedPlan(heavy), `quorum 2 of ${SERVICE}`)).toBe(
      'the nodes of the topology play too few of its real servers to reach it',
    )
  })
})
