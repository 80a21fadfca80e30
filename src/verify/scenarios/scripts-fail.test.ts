import { describe, expect, it } from 'vitest'
import type { Bound } from '../../model/types.ts'
import { convergenceChecks, planScenarios } from '../scenarios.ts'
import { type Change, changedPlan, checkOf, planOf, same, scenarioOf, whyUntested } from '../testing.ts'

const NAME = 'failover-script-chk-10.0.0.100'
const WHAT = 'failover of 10.0.0.100 after a failure of vrrp_script chk on d1'

/** The instance tracks a script: its priority is 100 on d1, 80 on d2. */
const tracks =
  (command: string, more = '', weight = '', before = ''): Change =>
  text =>
    `${before}vrrp_script chk {\nscript "${command}"\ninterval 2\nfall 2\nrise 3\n${weight}\n}\n${text.replace('advert_int', `${more}\ntrack_script {\nchk\n}\nadvert_int`)}`

const boundsOf = (change: Change) => {
  const scenario = scenarioOf(changedPlan(same, change), NAME)
  const paramsOf = (check: string) =>
    checkOf(scenario, `${check}-script-chk`).params as { bound: Bound; noneBound?: Bound; gapBound?: Bound }
  const [moves, returns] = ['failover', 'preemption'].map(check => {
    const { minMs = 0, maxMs } = paramsOf(check).bound
    return [minMs, maxMs].map(Math.round)
  })
  const missed = Math.round(paramsOf('failover').gapBound?.maxMs as number)
  return { moves, returns, missed, ownerless: Math.round(paramsOf('single-owner').noneBound?.maxMs as number) }
}

describe('a tracked script fails', () => {
  it('without a weight: the MASTER says goodbye after its failures in a row, and is back as one that starts', () => {
    expect(boundsOf(tracks('killall -0 haproxy'))).toEqual({
      moves: [2688, 4688],
      returns: [7609, 9609],
      ownerless: 688,
      missed: 688,
    })
  })

  it('with a weight that reaches below the other one: it is outranked', () => {
    expect(boundsOf(tracks('pidof haproxy', '', 'weight -30'))).toEqual({
      moves: [4688, 7688],
      returns: [6609, 9609],
      ownerless: 0,
      missed: 1000,
    })
  })

  it('also where another instance of its sync group tracks it', () => {
    const plan = planOf('keepalived-nat-pair')
    const chk = { name: 'chk', command: 'pidof haproxy', interval: 1000, timeout: 1000, rise: 1, fall: 1 }
    for (const { instances } of plan.configs) {
      const last = instances.at(-1)
      if (last) last.trackScripts.push({ script: { ...chk, at: last.at }, weight: 0, reverse: false, at: last.at })
    }
    const names = planScenarios(plan).map(({ name }) => name)
    expect(names.filter(name => name.startsWith('failover-script'))).toHaveLength(plan.vips.length)
  })

  it('by what it looks for: a process that crashes, or a script of the director itself', () => {
    const faultOf = (plan: ReturnType<typeof planOf>, name: string, check: string) =>
      (checkOf(scenarioOf(plan, name), check).params as { fault: string }).fault
    expect(faultOf(changedPlan(same, tracks('killall -0 haproxy')), NAME, 'failover-script-chk')).toBe('process-crash')
    const [name, check] = ['failover-script-check_nginx-10.0.0.100', 'failover-script-check_nginx']
    expect(faultOf(planOf('nginx-pair'), name, check)).toBe('script-failure')
  })
})

it('that it succeeds while nothing is broken is looked at before all else', () => {
  expect(convergenceChecks(planOf('nginx-pair')).map(({ check, rule, params }) => [check, rule, params])).toMatchObject(
    [
      ['tracked-d1', 'tracked', { director: 'd1', scripts: [{ name: 'check_nginx', reverse: false }] }],
      ['tracked-d2', 'tracked', { director: 'd2', scripts: [{ name: 'check_nginx', reverse: false }] }],
      ['single-owner-10.0.0.100', 'single-owner', {}],
    ],
  )
})

describe('a tracked script is untested', () => {
  it.for([
    ['/usr/bin/curl -sf http://127.0.0.1/', '', 'what makes it fail is not known here: a suite has to break it'],
    ['/etc/keepalived/gone.sh', '', '/etc/keepalived/gone.sh is not in the folder of d1: put it there'],
    ['/usr/bin/pidof keepalived', '', 'what it looks for, keepalived, is what the lab itself lives by'],
    ['pgrep keepalive', '', 'it finds any process with keepalive in its name, and there is keepalived'],
    ['pidof haproxy', 'weight -10', 'the VIP stays: d1 has priority 90 then, and d2 80'],
    ['pidof haproxy', 'weight 5', 'the VIP stays: d1 has priority 100 then, and d2 85'],
    ['pidof haproxy', 'weight -30 reverse', 'it is tracked with reverse: what makes it succeed is not known here'],
  ])('%s %s: %s', ([command, weight, why]) => {
    const what = command?.startsWith('/etc') ? WHAT.replace('a failure', 'exit code 1') : WHAT
    expect(whyUntested(changedPlan(same, tracks(command as string, '', weight)), what)).toBe(why)
  })

  it('where keepalived does not track it', () => {
    const plan = planOf('nginx-pair')
    for (const { instances } of plan.configs)
      for (const { script } of instances.flatMap(one => one.trackScripts))
        script.command = '/etc/keepalived/keepalived.conf'
    expect(whyUntested(plan, WHAT.replace('a failure', 'exit code 1').replace('chk', 'check_nginx'))).toBe(
      '/etc/keepalived/keepalived.conf is not executable: keepalived does not track it before chmod +x',
    )
  })

  it('where a third director takes over', () => {
    const stays = tracks('pidof haproxy', '', 'weight -30')
    const plan = changedPlan(same, text => stays(text).replace('priority 80', 'priority 80\nnopreempt'))
    const members = plan.vips[0]?.members ?? []
    const [, d2] = members
    if (d2) members.push({ ...d2, node: 'd3', instance: { ...d2.instance, priority: 75, preempt: true } })
    expect(whyUntested(plan, WHAT)).toBe('d2 leaves it to d3, which is not predicted')
  })

  it('where another one fails with it', () => {
    const twin = 'vrrp_script twin {\nscript "/usr/bin/killall -0 haproxy"\n}\n'
    const plan = changedPlan(same, tracks('pidof haproxy', 'track_script {\ntwin\n}', '', twin))
    expect(whyUntested(plan, WHAT)).toBe('vrrp_script twin looks for the same, and fails with it')
  })

  it('where both have nopreempt: whoever is MASTER', () => {
    const change = tracks('pidof haproxy', '', 'weight -30')
    const plan = changedPlan(same, text => change(text).replace(/state \w+/, 'state BACKUP\nnopreempt'))
    expect(whyUntested(plan, WHAT.replace(' on d1', ''))).toBe('the VIP stays: d2 has nopreempt')
    expect(whyUntested(plan, 'failover of 10.0.0.100 after a crash')).toMatch(/is whoever comes first$/)
  })

  it('where the backup leaves the VIP to a lower priority', () => {
    const change = tracks('pidof haproxy', '', 'weight -30')
    const plan = changedPlan(same, text => change(text).replace('priority 80', 'priority 80\nnopreempt'))
    expect(whyUntested(plan, WHAT)).toBe('the VIP stays: d2 has nopreempt')
  })
})
