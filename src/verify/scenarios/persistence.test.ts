import { describe, expect, it } from 'vitest'
import { waitsTooLong } from '../scenario.ts'
import { planScenarios } from '../scenarios.ts'
import { callsOf, changedPlan, checkOf, persistent, SERVICE, scenarioOf, whyUntested } from '../testing.ts'

describe('a persistent service', () => {
  const plan = changedPlan(persistent('persistence_timeout 300'))

  it('keeps its clients, shares new ones out, and lets them go', () => {
    const sticks = scenarioOf(plan, `persistence-${SERVICE}`)
    expect(checkOf(sticks, `persistence-${SERVICE}`)).toMatchObject({
      title: `${SERVICE} sends a client to the same real server when it comes again`,
      params: { timeoutMs: 300_000 },
    })
    expect(checkOf(sticks, `newcomers-${SERVICE}`).params).toMatchObject({ expected: { shares: { rs1: 1, rs2: 1 } } })
    const release = scenarioOf(plan, `release-${SERVICE}`)
    expect(checkOf(release, `stays-${SERVICE}`).title).toBe(
      `${SERVICE} sends a client to the same real server when it comes again 48 s later`,
    )
    expect(checkOf(release, `release-${SERVICE}`)).toMatchObject({
      title: `${SERVICE} lets go of a client when its last connection is 300 s to 337.5 s ago`,
      params: { bound: { minMs: 300_000, maxMs: 337_500 }, templates: { node: 'd1', command: 'ipvsadm -Lnc' } },
    })
    expect(planScenarios(plan).map(({ name }) => name)).not.toContain(`shares-${SERVICE}`)
  })

  it('is looked at in order, however short the time is in which it is released', async () => {
    const timeouts = 'global_defs {\n  lvs_timeouts tcpfin 15\n}\n'
    const short = changedPlan(text => timeouts + persistent('persistence_timeout 20')(text))
    const calls = await callsOf(short, `release-${SERVICE}`)
    const looks = calls.flatMap(([call, moment]) => (call === 'at' ? [moment as number] : []))
    expect(looks).toEqual(looks.toSorted((a, b) => a - b))
    expect(looks.length).toBeGreaterThan(4)
    expect(looks.every((moment, n) => n === 0 || moment - (looks[n - 1] ?? 0) >= 250)).toBe(true)
  })

  it('is released last of all, on the virtual clock alone', () => {
    expect(planScenarios(plan).at(-1)?.name).toBe(`release-${SERVICE}`)
    const release = scenarioOf(plan, `release-${SERVICE}`)
    expect(release.waitsMs).toBe(48_000 + 337_500)
    expect(waitsTooLong(release, 'virtual')).toBeUndefined()
    for (const clock of ['real', undefined])
      expect(waitsTooLong(release, clock)).toBe(
        'it waits for 385.5 s in which nothing happens: only the virtual clock leaps over them',
      )
    expect(waitsTooLong({ ...release, waitsMs: 120_000 }, 'real')).toBeUndefined()
    expect(waitsTooLong(scenarioOf(plan, `persistence-${SERVICE}`), 'real')).toBeUndefined()
  })

  it('with a mask has one client for each network', () => {
    const masked = changedPlan(persistent('persistence_timeout 50\npersistence_granularity 255.255.255.240'))
    const sticks = scenarioOf(masked, `persistence-${SERVICE}`)
    expect(checkOf(sticks, `persistence-${SERVICE}`)).toMatchObject({
      title: `${SERVICE} sends whoever is of one /28 network to the same real server when it comes again`,
      params: { prefix: 28 },
    })
    expect(checkOf(scenarioOf(masked, `release-${SERVICE}`), `release-${SERVICE}`).params).toMatchObject({ prefix: 28 })
    expect(sticks.checks).toHaveLength(1)
    const each = changedPlan(persistent('persistence_timeout 50\npersistence_granularity 255.255.255.255'))
    expect(scenarioOf(each, `persistence-${SERVICE}`).checks).toHaveLength(2)
    expect(whyUntested(masked, `shares of the new clients of ${SERVICE}`)).toBe(
      'the clients of one network count as one',
    )
  })

  it('lets go as lvs_timeouts has it', () => {
    const plan = changedPlan(
      persistent('persistence_timeout 50'),
      text => `global_defs {\nlvs_timeouts tcpfin 10\n}\n${text}`,
    )
    expect(checkOf(scenarioOf(plan, `release-${SERVICE}`), `release-${SERVICE}`).params).toMatchObject({
      bound: { minMs: 50_000, maxMs: 56_250 },
    })
  })

  it('promises no shares of clients that a threshold keeps away', () => {
    const plan = changedPlan(text =>
      persistent('persistence_timeout 50')(text).replace('weight 1', 'weight 1\nuthreshold 10'),
    )
    expect(whyUntested(plan, `shares of the new clients of ${SERVICE}`)).toMatch(/^uthreshold leaves a real server out/)
  })

  it('says what is not judged: other schedulers, a single server', () => {
    const twos = changedPlan(text => persistent('persistence_timeout 50')(text).replace('lb_algo rr', 'lb_algo twos'))
    expect(whyUntested(twos, `shares of the new clients of ${SERVICE}`)).toBe('twos has no exact share')
    const single = changedPlan(text => persistent('persistence_timeout 50')(text).replace('weight 1', 'weight 0'))
    expect(whyUntested(single, `persistence of ${SERVICE}`)).toBe('all clients have the one real server')
  })
})
