import { describe, expect } from 'vitest'
import { eventsOf, gapBetween, requestsOf, sharesOf } from '../src/history/queries.ts'
import type { Lab } from '../src/lab/lab.ts'
import { withSlack } from '../src/model/bound.ts'
import { scriptDownBound, scriptUpBound, trackedScriptBackBound, trackedScriptBound } from '../src/model/track.ts'
import type { Bound, TrackedScript, VrrpInstance } from '../src/model/types.ts'
import { labTest } from '../src/suite/lab-test.ts'
import { loadTopology } from '../src/topology/load.ts'
import { planTopology } from '../src/verify/plan.ts'
import { planScenarios } from '../src/verify/scenarios.ts'
import { instanceOf, run, slackOf, testConfiguration, whenTaken, within, write } from './steps.ts'

const dir = 'topologies/nginx-pair'
const test = labTest(dir)
const plan = planTopology(loadTopology(dir))

const VIP = '10.0.0.100'
const CHECK = '/etc/keepalived/check_nginx.sh'
const SETTINGS = '/etc/keepalived/keepalived.conf'
const PATIENCE_MS = 2_000
const STEP_MS = 100

const [d1, d2] = ['d1', 'd2'].map(node => instanceOf(plan, node, 'VI_1')) as [VrrpInstance, VrrpInstance]
const [tracked] = d1.trackScripts as [TrackedScript]
const moves = trackedScriptBound(d1, d2, tracked, 'exits') as Bound
const returns = trackedScriptBackBound(d1, d2, tracked, 'exits') as Bound

const clients = (lab: Lab) => lab.http({ probe: 'clients', client: 'c1', url: `http://${VIP}/`, rate: 1000 / STEP_MS })
const killNginx = (lab: Lab, node: string) => run(lab, node, 'killall -KILL nginx')
const startNginx = (lab: Lab, node: string) => run(lab, node, '/usr/lib/lvslab/service nginx start')
const untilOwner = (lab: Lab, node: string, other: string, bound: Bound): Promise<boolean> =>
  lab.until({ kind: 'owner', address: VIP, node, others: [other] }, bound.maxMs + PATIENCE_MS)

/** Goes on for so long that the VIP would have moved, and says how the requests of that time ended. */
const afterwards = async (lab: Lab, bound: Bound): Promise<Record<string, number>> => {
  const from = await lab.sleep(bound.maxMs + PATIENCE_MS)
  await lab.sleep(1_000)
  const ends: Record<string, number> = {}
  requestsOf(lab.history, 'clients', { from }).forEach(({ outcome, server = outcome }) => {
    ends[server] = (ends[server] ?? 0) + 1
  })
  return ends
}

/** Scenarios that this system makes no difference to: suites/keepalived-dr.test.ts drives them. */
const ELSEWHERE = /^(reload|backup|failover-link)-/

describe('the pair of nginx reverse proxies', () => {
  for (const scenario of planScenarios(plan).filter(({ name }) => !ELSEWHERE.test(name))) {
    test(scenario.name, async ({ lab, judge }) => {
      await scenario.drive(lab)
      for (const check of scenario.checks) judge(check)
    })
  }

  test('asks both web servers in turn, in its own name, and without IPVS', async ({ lab }) => {
    const probe = await lab.http({ probe: 'clients', client: 'c1', url: `http://${VIP}/`, rate: 10, count: 20 })
    await probe.ended()
    expect(lab.history).toShareExactly({ rs1: 1, rs2: 1 }, { probe: 'clients' })
    const log = await run(lab, 'rs1', 'cut -d" " -f1 /var/log/apache2/access.log | sort | uniq -c')
    expect(log.stdout.trim().split(/\s+/)).toEqual(['10', '10.0.0.200'])
    expect((await run(lab, 'd1', 'ipvsadm -Ln')).stdout).not.toContain(VIP)
  })

  test('asks the other web server where one does not answer', async ({ lab }) => {
    const heal = await lab.inject('httpd-crash', 'rs1')
    const probe = await lab.http({ probe: 'clients', client: 'c1', url: `http://${VIP}/`, rate: 10, count: 20 })
    await probe.ended()
    expect(sharesOf(lab.history, 'clients')).toEqual({ rs2: 20 })
    await heal()
  })
})

describe('nginx is killed on the MASTER', () => {
  test('the VIP moves after fall 3, and returns after rise 5', async ({ lab }) => {
    const probe = await clients(lab)
    const killed = await killNginx(lab, 'd1')
    await untilOwner(lab, 'd2', 'd1', moves)
    await lab.sleep(1_000)
    const started = await startNginx(lab, 'd1')
    await untilOwner(lab, 'd1', 'd2', returns)
    await lab.sleep(1_000)
    await probe.stop()
    const taken = whenTaken(lab, VIP, 'd2', killed.started)
    within(lab, 'the VIP moves', killed, taken, moves)
    within(lab, 'the VIP returns', started, whenTaken(lab, VIP, 'd1', started.started), returns)
    // d1 refuses while it has the VIP and no nginx; from then on both have one
    const refused = requestsOf(lab.history, 'clients', { from: taken ?? 0 }).filter(r => r.outcome !== 'answered')
    expect(refused.length).toBe(0)
    const gap = gapBetween(lab.history, 'clients', killed.started, started.started)
    expect(gap?.length).toBeLessThanOrEqual(withSlack(moves, 'probe steps', 2 * STEP_MS + slackOf(lab)).maxMs)
    expect(gap?.length).toBeGreaterThanOrEqual((moves.minMs ?? 0) - slackOf(lab))
  })

  for (const [what, file, from, to] of [
    [
      'nothing tracks the script',
      '/etc/keepalived/conf.d/vip_nginx.conf',
      'track_script {\n        check_nginx\n    }',
      '',
    ],
    ['the weight leaves it above the other one', SETTINGS, 'weight -30', 'weight -10'],
  ] as const) {
    test(`and its clients are refused for good where ${what}`, async ({ lab }) => {
      const weight = to === '' ? tracked.weight : Number(to.split(' ')[1])
      const changed = { ...tracked, weight }
      if (to !== '')
        expect(trackedScriptBound({ ...d1, trackScripts: [changed] }, d2, changed, 'exits')).toBeUndefined()
      const heal = await lab.inject('config-change', 'd1', { file, replace: [from, to] })
      const probe = await clients(lab)
      const killed = await killNginx(lab, 'd1')
      expect(Object.keys(await afterwards(lab, moves))).toEqual(['refused'])
      expect(whenTaken(lab, VIP, 'd2', killed.started)).toBeUndefined()
      await probe.stop()
      await startNginx(lab, 'd1')
      await heal()
    })
  }

  test('and its clients are refused for good where killall is not installed: the script fails on both', async ({
    lab,
  }) => {
    const removed = await Promise.all(['d1', 'd2'].map(node => run(lab, node, 'mv /usr/bin/killall /usr/bin/gone')))
    await lab.sleep(scriptDownBound(tracked.script, 'exits').maxMs + PATIENCE_MS)
    const probe = await clients(lab)
    await lab.sleep(1_000)
    expect(Object.keys(sharesOf(lab.history, 'clients')).sort()).toEqual(['rs1', 'rs2'])
    const killed = await run(lab, 'd1', 'pkill -KILL -x nginx')
    expect(Object.keys(await afterwards(lab, moves))).toEqual(['refused'])
    expect(whenTaken(lab, VIP, 'd2', removed[0]?.started ?? 0), `since ${killed.started}`).toBeUndefined()
    // 100 - 30 against 80 - 30
    const priorities = eventsOf(lab.history, 'advert').filter(advert => advert.t > killed.started)
    expect(new Set(priorities.map(({ node, priority }) => `${node} ${priority}`))).toEqual(new Set(['d1 70']))
    await probe.stop()
  })
})

describe('the script that starts nginx again', () => {
  /** With systemd it would be `systemctl restart nginx`. */
  const heals = '#!/bin/sh\n/usr/bin/killall -0 nginx || /usr/lib/lvslab/service nginx start\n'

  test('takes the VIP back by itself, and then never loses it', async ({ lab }) => {
    const killed = await killNginx(lab, 'd1')
    expect(await untilOwner(lab, 'd2', 'd1', moves), `d2 holds the VIP after ${killed.started}`).toBe(true)
    const written = await write(lab, 'd1', CHECK, heals)
    await untilOwner(lab, 'd1', 'd2', returns)
    within(lab, 'the VIP returns', written, whenTaken(lab, VIP, 'd1', written.started), returns)

    const probe = await clients(lab)
    await lab.sleep(1_000)
    const processOf = async (): Promise<string> => (await run(lab, 'd1', 'pgrep -o -x nginx')).stdout
    const before = await processOf()
    const again = await killNginx(lab, 'd1')
    await lab.sleep(moves.maxMs + scriptUpBound(tracked.script, 'exits').maxMs)
    await probe.stop()
    expect(await processOf()).not.toBe(before)
    expect(whenTaken(lab, VIP, 'd2', again.started)).toBeUndefined()
    // it is there again before the script counts as down
    const down = scriptDownBound(tracked.script, 'exits').maxMs
    const gap = gapBetween(lab.history, 'clients', again.started, Number.POSITIVE_INFINITY)
    expect(gap?.length).toBeLessThan(down)
    expect(Object.keys(sharesOf(lab.history, 'clients', { from: again.started + down })).sort()).toEqual(['rs1', 'rs2'])
  })

  test('gives the VIP away where nginx cannot start', async ({ lab }) => {
    await write(lab, 'd1', CHECK, heals)
    const broken = await run(lab, 'd1', 'echo nonsense >>/etc/nginx/nginx.conf; killall -KILL nginx')
    await untilOwner(lab, 'd2', 'd1', moves)
    within(lab, 'the VIP moves', broken, whenTaken(lab, VIP, 'd2', broken.started), moves)
  })
})

test('as typed, without script_user and enable_script_security: it works, and the configuration test fails', async ({
  lab,
}) => {
  await run(lab, 'd1', `sed -i '/script_user/d; /enable_script_security/d' ${SETTINGS}`)
  await run(lab, 'd1', 'service=/usr/lib/lvslab/service; $service keepalived stop; $service keepalived start')
  await untilOwner(lab, 'd1', 'd2', returns)
  const director = await testConfiguration(lab, 'd1')
  expect(lab.history).not.toPass('configuration', director)
  expect(eventsOf(lab.history, 'command').at(-1)).toMatchObject({
    code: 6,
    output: expect.stringContaining('SECURITY VIOLATION - scripts are being executed but script_security not enabled'),
  })
  const killed = await killNginx(lab, 'd1')
  await untilOwner(lab, 'd2', 'd1', moves)
  within(lab, 'the VIP moves', killed, whenTaken(lab, VIP, 'd2', killed.started), moves)
})
